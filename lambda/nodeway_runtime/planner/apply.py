"""Stage 5: apply an approved plan in batches that Route 53 takes. Creates and updates first, deletes last.

A batch is atomic; between batches the zone is a mix of old and new answers, each of which leads to its node.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from nodeway_runtime.model.changes import Change, Create, Delete
from nodeway_runtime.model.ports import ZonePort
from nodeway_runtime.model.topology import Hostname, RecordType
from nodeway_runtime.planner.plan import Plan

BATCH_ELEMENTS = 900
"""ResourceRecord elements a batch: Route 53 takes 1,000, counting those of an UPSERT twice. An update
here is DELETE + CREATE.
"""

BATCH_CHARACTERS = 31_000
"""Value characters a batch: Route 53 takes 32,000, counting those of an UPSERT twice.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch that Route 53 took."""

    changes: tuple[Change, ...]
    change_id: str


def apply(plan: Plan, zone: ZonePort, comment: str) -> tuple[Applied, ...]:
    """Applies the plan batch by batch; raises Conflict or ApplyFailed at the first batch that is refused."""
    return tuple(Applied(batch, zone.change(batch, comment)) for batch in batches(plan))


def batches(plan: Plan) -> Iterator[tuple[Change, ...]]:
    """The plan's changes in order, cut so that no batch is over a limit, or parts a name from its marker.

    The SOA is alone in its batch: the function's role allows it by a statement of its own, and IAM judges a
    batch as a whole.
    """
    batch: list[Change] = []
    elements = characters = 0
    for together, group in groupby(plan.changes, key=unit):
        changes = tuple(group)
        weights = [weight(change) for change in changes]
        more_elements, more_characters = sum(w[0] for w in weights), sum(w[1] for w in weights)
        full = (
            elements + more_elements > BATCH_ELEMENTS
            or characters + more_characters > BATCH_CHARACTERS
        )
        if batch and (full or unit(batch[-1])[0] != together[0]):
            yield tuple(batch)
            batch, elements, characters = [], 0, 0
        batch += changes
        elements, characters = elements + more_elements, characters + more_characters
    if batch:
        yield tuple(batch)


def unit(change: Change) -> tuple[bool, bool, Hostname]:
    """What must not be parted: the SOA alone, else the changes of a name, deletes apart from the rest."""
    return change.record.type is RecordType.SOA, isinstance(change, Delete), change.subject


def weight(change: Change) -> tuple[int, int]:
    """ResourceRecord elements and value characters that a change costs, as Route 53 counts them."""
    # an SOA's UPSERT counts twice, as DELETE and CREATE do
    old = () if isinstance(change, Create) else change.old.values
    new = () if isinstance(change, Delete) else change.new.values
    return len(old) + len(new), sum(map(len, old + new))
