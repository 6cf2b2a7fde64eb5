"""Builders of named values, and a journal and a zone for tests.

They say only what a test cares about; the rest is ordinary.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nodeway_runtime.model.ownership import Marker, marker_record
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Mode, Settings, StandInSettings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.steps import StandInRecord
from nodeway_runtime.model.topology import (
    Address,
    Fleet,
    Hostname,
    Node,
    Pending,
    Proxy,
    Record,
    RecordType,
    Topology,
    address,
    hostname,
)
from nodeway_runtime.planner.reconcile import Outcome, applying_executor, reconcile
from tests.support.ports import FakeStandInZone, FakeZone, StubEcs, StubElastiCache

ZONE = hostname("demo.abc123.use1.cache.amazonaws.com")
ENDPOINT = hostname(f"clustercfg.{ZONE}")
SOA_TEXT = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"

ONE, TWO, THREE = "demo-0001-001", "demo-0001-002", "demo-0002-001"

OWNER = "nodeway/dev/demo"
NOW = datetime(2026, 3, 1, 3, 0, 0, tzinfo=UTC)
"""The moment of a run, unless a test has another."""

STAND_IN = StandInSettings(
    "nodeway-dev-demo-stand-in",
    ("subnet-0000000a", "subnet-0000000b"),
    "sg-0000000a",
    "Z0PARKING",
    hostname("demo.dev.nodeway.internal"),
)


def named(label: str) -> Hostname:
    """The full name of a node of the demo cluster."""
    return hostname(f"{label}.{ZONE}")


def node(
    label: str = ONE, *, zone: str = "us-east-1a", status: str = "available", endpoint: bool = True
) -> Node:
    """A member of the demo cluster."""
    return Node(label, named(label) if endpoint else None, zone, status)


def creating(label: str) -> Node:
    """A member that ElastiCache shows without an endpoint."""
    return node(label, status="creating", endpoint=False)


def topology(
    *members: str | Node, problems: tuple[str, ...] = (), endpoint: bool = True
) -> Topology:
    """The demo cluster with these members."""
    nodes = tuple(node(m) if isinstance(m, str) else m for m in members)
    return Topology(nodes, ENDPOINT if endpoint else None, problems=problems)


def proxy(
    label: str,
    ip: str,
    *,
    zone: str = "us-east-1a",
    healthy: bool = True,
    starting: bool = False,
    stand_in: bool = False,
    retired_at: datetime | None = None,
) -> Proxy:
    """A HAProxy task of a node of the demo cluster."""
    return Proxy(
        named(label),
        address(ip),
        zone,
        f"arn:aws:ecs:us-east-1:123456789012:task/nodeway/{ip}",
        healthy=healthy,
        starting=starting,
        stand_in=stand_in,
        retired_at=retired_at,
    )


def pending(label: str, task: str = "pending", *, stand_in: bool = True) -> Pending:
    """A task of a node of the demo cluster that has no address yet."""
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/nodeway/{task}"
    return Pending(named(label), arn, stand_in)


def fleet(*tasks: Proxy | Pending, problems: tuple[str, ...] = ()) -> Fleet:
    """The HAProxies."""
    return Fleet(
        tuple(task for task in tasks if isinstance(task, Proxy)),
        problems,
        tuple(task for task in tasks if isinstance(task, Pending)),
    )


def record(label: str, *ips: str, ttl: int = 5) -> Record:
    """An A record set of a name of the demo cluster."""
    return Record.a(named(label), [address(ip) for ip in ips], ttl)


def only_addresses(records: Iterable[Record]) -> set[Record]:
    """The address records of these."""
    return {one for one in records if one.type is RecordType.A}


def parked(label: str, target: Hostname | None = None) -> StandInRecord:
    """What the backend's name of a stand-in leads to."""
    return StandInRecord(hostname(f"{label}.{STAND_IN.zone_name}"), target)


def soa(ttl: int = 900, text: str = SOA_TEXT) -> Record:
    """The zone's SOA."""
    return Record(ZONE, RecordType.SOA, (text,), ttl)


def marked(
    *records: Record, owner: str = OWNER, since: datetime | None = None, reads: int = 0
) -> tuple[Record, ...]:
    """These records with a marker beside each."""
    marker = Marker(owner, since, reads)
    return (*records, *(marker_record(one.name, marker, one.ttl) for one in records))


def snapshot(
    seen: Topology,
    running: Fleet,
    *records: Record,
    **more: Any,  # noqa: ANN401 (its other fields)
) -> Snapshot:
    """What a run read."""
    return Snapshot(seen, running, records, **more)


def settings(
    *,
    ttl: int = 5,
    mode: Mode = Mode.ON,
    pins: Mapping[Hostname, tuple[Address, ...]] | None = None,
    **more: Any,  # noqa: ANN401 (the fields that a test cares about)
) -> Settings:
    """The settings of the demo cluster's function."""
    return Settings("demo", "Z0DEMO", ZONE, "nodeway", ttl, mode, pins or {}, OWNER, **more)


def addresses(zone: FakeZone) -> dict[str, tuple[str, ...]]:
    """What the zone answers: first label to addresses."""
    return {r.name.partition(".")[0]: r.values for r in zone.records() if r.type is RecordType.A}


@dataclass(slots=True)
class MemoryJournal:
    """Keeps what it was told."""

    outcomes: list[Outcome] = field(default_factory=list)

    def write(self, outcome: Outcome) -> None:
        """Keeps the outcome."""
        self.outcomes.append(outcome)


@dataclass(slots=True)
class World:
    """The four ports in memory, to be changed between runs."""

    elasticache: StubElastiCache
    ecs: StubEcs
    zone: FakeZone
    stand_in_zone: FakeStandInZone = field(default_factory=FakeStandInZone)

    @property
    def ports(self) -> Ports:
        """As a run wants them."""
        return Ports(self.elasticache, self.ecs, self.zone, self.stand_in_zone)

    def run(self, wanted: Settings | None = None, now: datetime = NOW) -> Outcome:
        """One applying run."""
        told = wanted or settings()
        executor = applying_executor(self.ports, told, "test", now)
        return reconcile(self.ports, told, MemoryJournal(), executor, now)


def world(seen: Topology, running: Fleet, *records: Record) -> World:
    """A world with this topology, these HAProxies and these records."""
    return World(StubElastiCache(seen), StubEcs(running), FakeZone(ZONE, records))


def environment_block(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """A correct environment of cdk.json, with the changes."""
    return {
        "account": "111122223333",
        "region": "us-east-1",
        "proxy_vpc": {
            "vpc_id": "vpc-0000000a",
            "subnets": [{"subnet_id": "subnet-0000000a", "availability_zone": "us-east-1a"}],
        },
        "client_vpcs": [{"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16"}],
        "clusters": [{"replication_group_id": "demo", "nodes": [named(ONE), named(TWO)]}],
        **changes,
    }


def context(block: dict[str, Any] | None = None, **variables: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """A CDK context with that environment as `dev`, and `-c` variables."""
    return {"env": "dev", "environments": {"dev": block or environment_block()}, **variables}
