"""Applies the record changes of a plan in batches within Route 53's limits.

A batch is atomic. Between two batches the zone has old and new answers, and each of them leads to its node.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from nodeway_runtime.model.changes import Change, Create, Delete
from nodeway_runtime.model.ports import ZonePort
from nodeway_runtime.model.topology import Hostname, RecordType
from nodeway_runtime.planner.plan import Plan

BATCH_ELEMENTS = 900
"""ResourceRecord elements of a batch. Route 53 allows 1,000; an update is a DELETE and a CREATE."""

BATCH_CHARACTERS = 31_000
"""Value characters of a batch. Route 53 allows 32,000, and counts those of an UPSERT twice.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets"""


@dataclass(frozen=True, slots=True)
class AppliedBatch:
    """A batch that Route 53 accepted, with its change id."""

    changes: tuple[Change, ...]
    change_id: str


def apply(plan: Plan, zone: ZonePort, comment: str) -> tuple[AppliedBatch, ...]:
    """Applies the record changes; raises Conflict or ApplyFailed at the first batch that is refused."""
    return tuple(
        AppliedBatch(batch, zone.change(batch, comment)) for batch in split_into_batches(plan)
    )


def split_into_batches(plan: Plan) -> Iterator[tuple[Change, ...]]:
    """The plan's changes in order, in batches within the limits. A name and its marker share a batch.

    The SOA has a batch of its own: IAM judges a batch as a whole, and the function's role has a separate statement for
    the SOA.
    """
    batch: list[Change] = []
    elements = characters = 0
    for together, group in groupby(plan.changes, key=batch_unit):
        changes = tuple(group)
        weights = [request_size(change) for change in changes]
        more_elements, more_characters = sum(w[0] for w in weights), sum(w[1] for w in weights)
        full = (
            elements + more_elements > BATCH_ELEMENTS
            or characters + more_characters > BATCH_CHARACTERS
        )
        if batch and (full or batch_unit(batch[-1])[0] != together[0]):
            yield tuple(batch)
            batch, elements, characters = [], 0, 0
        batch += changes
        elements, characters = elements + more_elements, characters + more_characters
    if batch:
        yield tuple(batch)


def batch_unit(change: Change) -> tuple[bool, bool, Hostname]:
    """Changes with the same unit share a batch: the SOA alone, else those of a name, deletes separately."""
    return change.record.type is RecordType.SOA, isinstance(change, Delete), change.subject


def request_size(change: Change) -> tuple[int, int]:
    """The ResourceRecord elements and value characters of a change, as Route 53 counts them."""
    # An UPSERT (of the SOA) counts twice, like DELETE and CREATE.
    old = () if isinstance(change, Create) else change.old.values
    new = () if isinstance(change, Delete) else change.new.values
    return len(old) + len(new), sum(map(len, old + new))
