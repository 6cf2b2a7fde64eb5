"""Stage 1: read the world through three narrow ports. What could not be read whole says so; nothing is guessed.

The ports are Protocols so that Lambda, CLI and tests hand in what they have: AWS adapters or their in-memory twins.
"""

from dataclasses import dataclass
from typing import Protocol

from resync.errors import ReadFailed
from resync.plan import Change
from resync.settings import Settings
from resync.topology import Fleet, Record, RecordType, Topology


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


class ZonePort(Protocol):
    """Reads and changes one hosted zone."""

    def records(self) -> tuple[Record, ...]:
        """Every A record set and the SOA; raises ReadFailed unless all were read."""
        ...

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies one batch whole or not at all and returns the change id; raises Conflict or ApplyFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The three places that a run touches."""

    elasticache: ElastiCachePort
    ecs: EcsPort
    zone: ZonePort


@dataclass(frozen=True, slots=True)
class Observation:
    """The world at one moment, as far as it could be read."""

    topology: Topology
    fleet: Fleet
    records: tuple[Record, ...]

    @property
    def soa(self) -> Record | None:
        """The zone's SOA record."""
        return next((r for r in self.records if r.type is RecordType.SOA), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the read is incomplete; empty when it is whole."""
        return (*self.topology.problems, *self.fleet.problems)


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
    return Observation(topology, fleet, ports.zone.records())
