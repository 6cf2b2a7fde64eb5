"""Stage 1: read the world through four narrow ports. What could not be read whole says so; nothing is guessed.

The ports are Protocols so that Lambda, CLI and tests hand in what they have: AWS adapters or their in-memory twins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Observation
from nodeway_runtime.model.steps import Parking, Retire, Start, Stop
from nodeway_runtime.model.topology import Fleet, Hostname, Record, Topology


class ElastiCachePort(Protocol):
    """Says which nodes a replication group has."""

    def topology(self, replication_group_id: str) -> Topology:
        """The group's nodes; raises ReadFailed when nothing can be said at all."""
        ...


class EcsPort(Protocol):
    """Says which HAProxy tasks run."""

    def fleet(self, cluster: str) -> Fleet:
        """The running tasks; raises ReadFailed when nothing can be said at all."""
        ...

    def served(self, cluster: str) -> frozenset[Hostname]:
        """The nodes that have a service of their own, whether or not it has a task; raises ReadFailed."""
        ...

    def start(self, step: Start, settings: Settings) -> None:
        """Starts a stand-in; raises ApplyFailed."""
        ...

    def retire(self, step: Retire, now: datetime) -> None:
        """Notes on the task since when its address is in no record; raises ApplyFailed."""
        ...

    def stop(self, step: Stop, cluster: str) -> None:
        """Stops a stand-in; raises ApplyFailed."""
        ...


class ParkingPort(Protocol):
    """The small zone with the names of the stand-ins' backends."""

    def park(self, wanted: tuple[Parking, ...]) -> None:
        """Makes these names say what they should, and leaves the others; raises ApplyFailed."""
        ...

    def clear(self) -> None:
        """Takes every name away; raises ApplyFailed."""
        ...


class ZonePort(Protocol):
    """Reads and changes one hosted zone."""

    def records(self) -> tuple[Record, ...]:
        """Every A record set, every marker and the SOA; raises ReadFailed unless all were read."""
        ...

    def vpcs(self) -> frozenset[str]:
        """The ids of the VPCs whose resolvers answer from the zone; raises ReadFailed."""
        ...

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies one batch whole or not at all and returns the change id; raises Conflict or ApplyFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The places that a run touches."""

    elasticache: ElastiCachePort
    ecs: EcsPort
    zone: ZonePort
    parking: ParkingPort


def read(ports: Ports, settings: Settings) -> Observation:
    """Reads all three. A source that fails becomes a problem of the observation; without the zone there is no run.

    Raises ReadFailed when the zone cannot be read.
    """
    try:
        topology = ports.elasticache.topology(settings.replication_group_id)
    except ReadFailed as error:
        topology = Topology(nodes=(), problems=(str(error),))
    try:
        fleet = ports.ecs.fleet(settings.ecs_cluster)
    except ReadFailed as error:
        fleet = Fleet(proxies=(), problems=(str(error),))
    records = ports.zone.records()
    zone_vpcs: frozenset[str] = frozenset()
    served: frozenset[Hostname] = frozenset()
    problems: list[str] = []
    try:
        zone_vpcs = ports.zone.vpcs()
        if settings.stand_in is not None and topology.names - fleet.nodes:
            served = ports.ecs.served(settings.ecs_cluster)
    except ReadFailed as error:
        problems.append(str(error))
        served = topology.names
    return Observation(topology, fleet, records, zone_vpcs, served, tuple(problems))
