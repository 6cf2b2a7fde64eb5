"""The world at one moment, as far as it could be read: what the pure stages look at. Pure."""

from dataclasses import dataclass

from nodeway_runtime.model.ownership import subject
from nodeway_runtime.model.topology import Fleet, Hostname, Record, RecordType, Topology


@dataclass(frozen=True, slots=True)
class Observation:
    """The world at one moment, as far as it could be read."""

    topology: Topology
    fleet: Fleet
    records: tuple[Record, ...]
    zone_vpcs: frozenset[str] = frozenset()
    served: frozenset[Hostname] = frozenset()
    """Nodes with a service of their own; asked for only when a node has no task at all."""
    other_problems: tuple[str, ...] = ()

    @property
    def soa(self) -> Record | None:
        """The zone's SOA record."""
        return next((r for r in self.records if r.type is RecordType.SOA), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the read is incomplete; empty when it is whole."""
        return (*self.topology.problems, *self.fleet.problems, *self.other_problems)

    @property
    def addressed(self) -> frozenset[Hostname]:
        """The names that have an address in the zone."""
        return frozenset(r.name for r in self.records if r.type is RecordType.A)

    @property
    def obstructed(self) -> frozenset[Hostname]:
        """The names that somebody else's record set of another kind keeps from us."""
        return frozenset(subject(r.name) for r in self.records if r.type is RecordType.OTHER)
