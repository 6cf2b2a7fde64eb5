"""The interfaces through which a run reads and changes AWS. Lambda, CLI and tests pass in their implementations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, StandInRecord, Start, Stop
from nodeway_runtime.model.topology import Fleet, Hostname, Record, Topology


class ElastiCachePort(Protocol):
    """Reads replication groups."""

    def topology(self, replication_group_id: str) -> Topology:
        """The group's nodes; raises ReadFailed when nothing could be read."""
        ...


class EcsPort(Protocol):
    """Reads the HAProxy tasks, and starts and stops stand-ins."""

    def fleet(self, cluster: str) -> Fleet:
        """The running tasks of an ECS cluster; raises ReadFailed when nothing could be read."""
        ...

    def nodes_with_service(self, cluster: str) -> frozenset[Hostname]:
        """The nodes that have an ECS service of their own, with or without a task; raises ReadFailed."""
        ...

    def start(self, step: Start, settings: Settings) -> None:
        """Starts a stand-in; raises ApplyFailed."""
        ...

    def retire(self, step: Retire, now: datetime) -> None:
        """Tags the task with the time since when its address is in no record; raises ApplyFailed."""
        ...

    def stop(self, step: Stop, cluster: str) -> None:
        """Stops a stand-in; raises ApplyFailed."""
        ...


class StandInZonePort(Protocol):
    """Writes the hosted zone with the names of the stand-ins' backends."""

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Creates or changes these records and leaves all others; raises ApplyFailed."""
        ...

    def clear(self) -> None:
        """Deletes every record; raises ApplyFailed."""
        ...


class ZonePort(Protocol):
    """Reads and changes the hosted zone of the clients."""

    def records(self) -> tuple[Record, ...]:
        """Every A record set, every marker and the SOA; raises ReadFailed unless all were read."""
        ...

    def vpcs(self) -> frozenset[str]:
        """The ids of the VPCs that the zone is associated with; raises ReadFailed."""
        ...

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies a batch completely or not at all and returns its change id; raises Conflict or ApplyFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All interfaces of a run."""

    elasticache: ElastiCachePort
    ecs: EcsPort
    zone: ZonePort
    stand_in_zone: StandInZonePort
