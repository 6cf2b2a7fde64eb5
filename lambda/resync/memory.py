"""In-memory twins of the adapters, as strict as AWS: for tests, and for anybody who wants to see a run
without an account.
"""

from dataclasses import dataclass, field, replace

from resync.apply import weight
from resync.errors import ApplyFailed, Conflict, ReadFailed
from resync.plan import Change, Create, Delete, Update, key
from resync.topology import Fleet, Hostname, Record, RecordType, Topology

ROUTE53_ELEMENTS = 1000
ROUTE53_CHARACTERS = 32_000
DEFAULT_SOA_TTL = 900


@dataclass(slots=True)
class FixedElastiCache:
    """Answers a topology that a test sets; `error` makes it fail."""

    answer: Topology
    error: str = ""

    def topology(self, replication_group_id: str) -> Topology:
        """The set answer; raises ReadFailed when told to fail."""
        if self.error:
            msg = f"ElastiCache did not answer for {replication_group_id}: {self.error}"
            raise ReadFailed(msg)
        return self.answer


@dataclass(slots=True)
class FixedEcs:
    """Answers a fleet that a test sets; `error` makes it fail."""

    answer: Fleet = field(default_factory=lambda: Fleet(()))
    error: str = ""

    def fleet(self, cluster: str) -> Fleet:
        """The set answer; raises ReadFailed when told to fail."""
        if self.error:
            msg = f"ECS did not answer for cluster {cluster}: {self.error}"
            raise ReadFailed(msg)
        return self.answer


class MemoryZone:
    """A hosted zone with Route 53's own rules: atomic batches, exact deletes, no second create, its limits."""

    def __init__(self, name: Hostname, records: tuple[Record, ...] = ()) -> None:
        self.name = name
        self.sets: dict[tuple[str, str], Record] = {record.key: record for record in records}
        soa_text = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
        soa = Record(name, RecordType.SOA, (soa_text,), DEFAULT_SOA_TTL)
        self.sets.setdefault(soa.key, soa)
        self.batches: list[tuple[Change, ...]] = []
        self.error = ""

    def records(self) -> tuple[Record, ...]:
        """All record sets; raises ReadFailed when told to fail."""
        if self.error:
            msg = f"Route 53 did not answer for zone {self.name}: {self.error}"
            raise ReadFailed(msg)
        return tuple(sorted(self.sets.values()))

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies a batch whole or not at all; raises Conflict or ApplyFailed."""
        weights = [weight(change) for change in batch]
        if (
            sum(w[0] for w in weights) > ROUTE53_ELEMENTS
            or sum(w[1] for w in weights) > ROUTE53_CHARACTERS
        ):
            msg = f"Route 53 refused the change of zone {self.name}: the batch of {comment!r} is over a limit"
            raise ApplyFailed(msg)
        after = dict(self.sets)
        for change in batch:
            self._apply(change, after)
        self.sets = after
        self.batches.append(batch)
        return f"C{len(self.batches)}"

    def _apply(self, change: Change, sets: dict[tuple[str, str], Record]) -> None:
        at = key(change)
        if at[0] != self.name and not at[0].endswith(f".{self.name}"):
            msg = f"Route 53 refused the change of zone {self.name}: {at[0]} is not in it"
            raise ApplyFailed(msg)
        match change:
            case Create(new, _):
                if at in sets:
                    self._conflict(f"{at[0]} already exists")
                sets[at] = new
            case Update(old, new, _):
                if old.type is not RecordType.SOA and sets.get(at) != old:
                    self._conflict(f"{at[0]} is not what it was")
                sets[at] = replace(new)
            case Delete(old, _):
                if sets.get(at) != old:
                    self._conflict(f"{at[0]} is not what it was")
                del sets[at]

    def _conflict(self, what: str) -> None:
        msg = f"zone {self.name} was changed by somebody else: {what}; the next run reads it again"
        raise Conflict(msg)
