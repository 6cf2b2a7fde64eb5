"""Ports for tests: ElastiCache and ECS with set answers, zones over the strict fake of Route 53."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from nodeway_runtime.aws.route53 import Route53Zone, to_record_set
from nodeway_runtime.aws.stand_in_zone import Route53StandInZone
from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.errors import ApplyFailed, ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import PLACEHOLDER, Retire, Start, Stop
from nodeway_runtime.model.topology import Fleet, Hostname, Record, Topology, hostname
from tests.support.fake_aws.calls import Calls
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone, set_key


@dataclass(slots=True)
class StubElastiCache:
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
class StubEcs:
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


class FakeZone:
    """The clients' zone: the adapter over the fake of Route 53.

    `error`: makes reads fail. `rival`: a record that another program writes just before the next change.
    """

    def __init__(self, name: Hostname, records: tuple[Record, ...] = ()) -> None:
        self.hosted = HostedZone(name)
        self.calls = Calls()
        self.batches: list[tuple[Change, ...]] = []
        self.error = ""
        self.rival: Record | None = None
        self._port = Route53Zone(
            cast("Any", FakeRoute53(self.calls, {"Z0DEMO": self.hosted})), "Z0DEMO"
        )
        self.put(*records)

    def put(self, *records: Record) -> None:
        """Writes records as another program would."""
        for one in map(to_record_set, records):
            self.hosted.sets[set_key(dict(one))] = {**one, "Name": f"{one['Name']}."}

    def remove(self, record: Record) -> None:
        """Deletes a record as another program would."""
        del self.hosted.sets[set_key(dict(to_record_set(record)))]

    def records(self) -> tuple[Record, ...]:
        """All record sets; raises ReadFailed with `error`."""
        if self.error:
            raise ReadFailed(f"Route 53 did not answer for the zone: {self.error}")
        return self._port.records()

    def vpcs(self) -> frozenset[str]:
        """The VPCs of the zone; raises ReadFailed with `error`."""
        self.records()
        return self._port.vpcs()

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies a batch and keeps it; raises Conflict or ApplyFailed."""
        if self.rival is not None:
            self.put(self.rival)
            self.rival = None
        change_id = self._port.change(batch, comment)
        self.batches.append(batch)
        return change_id


class FakeStandInZone:
    """The stand-in zone: the adapter over the fake of Route 53."""

    def __init__(self) -> None:
        hosted = HostedZone("demo.dev.nodeway.internal")
        client: Any = FakeRoute53(Calls(), {"Z0PARKING": hosted})
        self._hosted, port = hosted, Route53StandInZone(client, "Z0PARKING")
        self.write, self.clear = port.write, port.clear

    @property
    def names(self) -> dict[Hostname, Hostname | None]:
        """The CNAME target of each name; None for an A record with PLACEHOLDER, as of a node without a name yet."""
        found = {}
        for name, kind, _ in self._hosted.sets:
            if kind != "SOA":
                value = self._hosted.sets[name, kind, ""]["ResourceRecords"][0]["Value"]
                found[hostname(name)] = None if value == PLACEHOLDER else hostname(value)
        return found
