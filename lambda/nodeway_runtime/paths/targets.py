"""The targets of a probe run: names, their records, and the tasks at those addresses, from the AWS APIs. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nodeway_runtime.model import topology
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.topology import Address, Hostname, RecordType, address, hostname
from nodeway_runtime.paths.report import Proxy

MAX_NAMES = 2_000
"""Far more than the 500 nodes of a cluster."""


class BadTargets(ValueError):
    """The document does not describe targets in this zone."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of one cluster.

    `endpoint`: the one of `names` that leads to any proxy. `records`: addresses in the zone by name, None when the zone
    could not be read (a laptop without credentials). `one_name`: all names lead to the same shared proxies.
    `proxies_see_zone`: the proxies' VPC is associated with the zone, so that the proxies resolve nodes to themselves.
    """

    cluster: str
    zone: Hostname
    port: int
    names: tuple[Hostname, ...]
    endpoint: Hostname | None = None
    records: Mapping[Hostname, tuple[Address, ...]] | None = None
    proxies: tuple[Proxy, ...] = ()
    one_name: bool = False
    proxies_see_zone: bool = False
    notes: tuple[str, ...] = ()

    def record(self, name: Hostname) -> tuple[Address, ...] | None:
        """The addresses in the zone for a name, also by a wildcard; None when the zone could not be read."""
        if self.records is None:
            return None
        wildcard = Hostname(f"*.{name.partition('.')[2]}")
        return self.records.get(name, self.records.get(wildcard, ()))

    def proxy_at(self, where: str) -> Proxy | None:
        """The task at an address, if there is one."""
        return next((one for one in self.proxies if one.address == where), None)

    def document(self) -> dict[str, Any]:
        """The targets as JSON, for the prober function."""
        return asdict(self)


def targets_from_snapshot(
    snapshot: Snapshot, nodes: topology.Topology, settings: Settings, cluster: str
) -> Targets:
    """The targets from a snapshot. `nodes`: the group's topology, also for a fleet with one name.

    If the topology is incomplete, the names in the zone are targets, too.
    """
    records = {
        r.name: tuple(map(Address, r.values)) for r in snapshot.records if r.type is RecordType.A
    }
    known = {node.hostname for node in nodes.reachable if node.hostname is not None}
    known |= settings.pins.keys()
    endpoint = nodes.configuration_endpoint
    if nodes.problems:
        known |= {name for name in records if not name.startswith("*")}
        entrance = Hostname(f"clustercfg.{settings.zone_name}")
        endpoint = endpoint or (entrance if entrance in records else None)
    names = sorted(known - {endpoint}) + ([endpoint] if endpoint else [])
    return Targets(
        cluster=cluster,
        zone=settings.zone_name,
        port=nodes.port,
        names=tuple(names),
        endpoint=endpoint,
        records=records,
        proxies=tuple(_from_task(one) for one in snapshot.fleet.proxies),
        one_name=settings.fleet_name is not None,
        proxies_see_zone=bool(settings.proxy_vpc_id)
        and settings.proxy_vpc_id in snapshot.zone_vpcs,
        notes=tuple(
            dict.fromkeys((*nodes.problems, *snapshot.fleet.problems, *snapshot.other_problems))
        ),
    )


def _from_task(one: topology.Proxy) -> Proxy:
    return Proxy(
        address=one.address,
        task=one.task_arn,
        node=one.node,
        availability_zone=one.availability_zone,
        health="healthy" if one.healthy else "starting" if one.starting else "unhealthy",
        stand_in=one.stand_in,
    )


def _parse_proxy(data: Mapping[str, Any]) -> Proxy:
    fields = {name: str(data[name]) for name in ("task", "node", "availability_zone", "health")}
    return Proxy(address(data["address"]), stand_in=bool(data["stand_in"]), **fields)


def parse_targets(data: Mapping[str, Any], *, zone: Hostname, port: int) -> Targets:
    """The targets in an untrusted document; raises BadTargets.

    Zone and port come from the function's settings: only names of this zone are resolved, and only this port is used.
    """
    try:
        names = tuple(hostname(name) for name in data["names"])
        records = data["records"]
        targets = Targets(
            cluster=str(data["cluster"]),
            zone=zone,
            port=port,
            names=names,
            endpoint=hostname(data["endpoint"]) if data["endpoint"] else None,
            records=None
            if records is None
            else {
                Hostname(str(name)): tuple(map(address, found)) for name, found in records.items()
            },
            proxies=tuple(map(_parse_proxy, data["proxies"])),
            one_name=bool(data["one_name"]),
            proxies_see_zone=bool(data["proxies_see_zone"]),
            notes=tuple(map(str, data["notes"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadTargets(f"not a map of names to walk: {error!r}") from error
    foreign = [name for name in names if not name.endswith(f".{zone}")]
    if foreign or len(names) > MAX_NAMES:
        what = f"{foreign[0]} is not in it" if foreign else f"{len(names)} names"
        raise BadTargets(f"only up to {MAX_NAMES} names of {zone} are walked: {what}")
    return targets
