"""In-memory twins of the adapters, as strict as AWS: for tests, and for anybody who wants to see a run
without an account.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.errors import ApplyFailed, Conflict, ReadFailed
from nodeway_runtime.model.ownership import parse_marker, subject
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, StandInRecord, Start, Stop
from nodeway_runtime.model.topology import Fleet, Hostname, Record, RecordType, Topology
from nodeway_runtime.planner.apply import count_elements

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
    services: frozenset[Hostname] = frozenset()
    steps: list[Start | Retire | Stop] = field(default_factory=list)

    def fleet(self, cluster: str) -> Fleet:
        """The set answer; raises ReadFailed when told to fail."""
        if self.error:
            msg = f"ECS did not answer for cluster {cluster}: {self.error}"
            raise ReadFailed(msg)
        return self.answer

    def nodes_with_service(self, cluster: str) -> frozenset[Hostname]:
        """The set services; raises ReadFailed when told to fail."""
        self.fleet(cluster)
        return self.services

    def start(self, step: Start, settings: Settings) -> None:
        """Notes the step; raises ApplyFailed without a task definition for stand-ins."""
        if settings.stand_in is None:
            msg = f"no stand-in can be started for {step.node}"
            raise ApplyFailed(msg)
        self.steps.append(step)

    def retire(self, step: Retire, now: datetime) -> None:
        """Notes the step, and the time on the task."""
        self.steps.append(step)
        proxies = (
            replace(p, retired_at=now) if p.task_arn == step.task_arn else p
            for p in self.answer.proxies
        )
        self.answer = replace(self.answer, proxies=tuple(proxies))

    def stop(self, step: Stop, cluster: str) -> None:
        """Notes the step, and takes the task away."""
        del cluster
        self.steps.append(step)
        left = (p for p in self.answer.proxies if p.task_arn != step.task_arn)
        self.answer = replace(self.answer, proxies=tuple(left))


@dataclass(slots=True)
class MemoryStandInZone:
    """Keeps what the stand-ins' backends are called."""

    names: dict[Hostname, Hostname | None] = field(default_factory=dict)

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Makes these say so; the others stay."""
        self.names |= {one.name: one.target for one in wanted}

    def clear(self) -> None:
        """No name is left."""
        self.names = {}


class MemoryZone:
    """A hosted zone with Route 53's own rules: atomic batches, exact deletes, no second create, its limits."""

    def __init__(self, name: Hostname, records: tuple[Record, ...] = ()) -> None:
        self.name = name
        self.sets: dict[tuple[str, str], Record] = {record.key: record for record in records}
        soa_text = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
        soa = Record(name, RecordType.SOA, (soa_text,), DEFAULT_SOA_TTL)
        self.sets.setdefault(soa.key, soa)
        self.associated: frozenset[str] = frozenset()
        self.batches: list[tuple[Change, ...]] = []
        self.error = ""

    def records(self) -> tuple[Record, ...]:
        """All record sets; raises ReadFailed when told to fail."""
        if self.error:
            msg = f"Route 53 did not answer for zone {self.name}: {self.error}"
            raise ReadFailed(msg)
        return tuple(sorted(seen for r in self.sets.values() if (seen := as_read(r)) is not None))

    def vpcs(self) -> frozenset[str]:
        """The set VPCs; raises ReadFailed when told to fail."""
        self.records()
        return self.associated

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies a batch whole or not at all; raises Conflict or ApplyFailed."""
        weights = [count_elements(change) for change in batch]
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
        at = change.key
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


def as_read(record: Record) -> Record | None:
    """A text is seen only as our marker, or as being where one of ours would be."""
    if record.type is not RecordType.TXT or parse_marker(record):
        return record
    if subject(record.name) == record.name:
        return None
    return replace(record, type=RecordType.OTHER, values=("TXT",), ttl=0)
