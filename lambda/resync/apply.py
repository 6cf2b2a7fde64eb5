"""Stage 5: apply an approved plan in batches that Route 53 takes. Creates and updates first, deletes last.

A batch is atomic; between batches the zone is a mix of old and new answers, each of which leads to its node.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from resync.plan import Change, Create, Delete, Plan, key
from resync.source import ZonePort
from resync.topology import RecordType

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
    """The SOA by itself, then the other changes in order, cut so that no batch is over a limit.

    The function's role allows the SOA and the addresses by one statement each, and IAM holds a whole
    request against a statement.
    """
    for kind in (RecordType.SOA, RecordType.A):
        yield from cut([change for change in plan.changes if key(change)[1] == kind])


def cut(changes: list[Change]) -> Iterator[tuple[Change, ...]]:
    """The changes in order, as batches that are not over a limit."""
    batch: list[Change] = []
    elements = characters = 0
    for change in changes:
        more_elements, more_characters = weight(change)
        full = (
            elements + more_elements > BATCH_ELEMENTS
            or characters + more_characters > BATCH_CHARACTERS
        )
        if batch and full:
            yield tuple(batch)
            batch, elements, characters = [], 0, 0
        batch.append(change)
        elements, characters = elements + more_elements, characters + more_characters
    if batch:
        yield tuple(batch)


def weight(change: Change) -> tuple[int, int]:
    """ResourceRecord elements and value characters that a change costs, as Route 53 counts them."""
    # an SOA's UPSERT counts twice, as DELETE and CREATE do
    old = () if isinstance(change, Create) else change.old.values
    new = () if isinstance(change, Delete) else change.new.values
    return len(old) + len(new), sum(map(len, old + new))
