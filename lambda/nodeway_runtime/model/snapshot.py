"""What one run read from ElastiCache, ECS and Route 53. Pure."""

from dataclasses import dataclass

from nodeway_runtime.model.ownership import subject
from nodeway_runtime.model.topology import Fleet, Hostname, Record, RecordType, Topology


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of all sources at one moment, as far as it could be read.

    `zone_vpcs`: VPCs that are associated with the zone. `nodes_with_service`: nodes with an ECS service of their own;
    read only when a node has no task. `other_problems`: what could not be read besides topology and fleet.
    """

    topology: Topology
    fleet: Fleet
    records: tuple[Record, ...]
    zone_vpcs: frozenset[str] = frozenset()
    nodes_with_service: frozenset[Hostname] = frozenset()
    other_problems: tuple[str, ...] = ()

    @property
    def soa(self) -> Record | None:
        """The zone's SOA record, if it was read."""
        return next((r for r in self.records if r.type is RecordType.SOA), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the read is incomplete; empty when everything was read."""
        return (*self.topology.problems, *self.fleet.problems, *self.other_problems)

    @property
    def names_with_address(self) -> frozenset[Hostname]:
        """The names that have an A record in the zone."""
        return frozenset(r.name for r in self.records if r.type is RecordType.A)

    @property
    def obstructed_names(self) -> frozenset[Hostname]:
        """The names at which a record set of another kind prevents an A record or marker."""
        return frozenset(subject(r.name) for r in self.records if r.type is RecordType.OTHER)
