"""What a client should find: the names to walk, what the zone says of them, and the tasks at those addresses. Pure.

It is what the AWS APIs know and a client's network does not. Where nobody knows (a laptop without credentials),
`records` is None, and a walk judges by what it sees alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nodeway_runtime.model import topology
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.topology import Address, Hostname, RecordType, address, hostname
from nodeway_runtime.paths.report import Proxy

MAX_NAMES = 2_000
"""Far more than a cluster's 500 nodes: what asks for more is no map of ours."""


class BadTargets(ValueError):
    """A map that is not one of this zone; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The map of one cluster.

    `endpoint`: the name among `names` that leads to any proxy; `one_name`: all names lead to the same shared proxies;
    `records`: what the zone says, by name, None where nobody could ask it; `proxies_see_zone`: the proxies' VPC is
    associated with the zone, so that they find themselves behind the nodes' names.
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
        """The addresses that the zone has for a name, a wildcard's too; None where nobody knows."""
        if self.records is None:
            return None
        wildcard = Hostname(f"*.{name.partition('.')[2]}")
        return self.records.get(name, self.records.get(wildcard, ()))

    def proxy_at(self, where: str) -> Proxy | None:
        """The task that has an address."""
        return next((one for one in self.proxies if one.address == where), None)

    def document(self) -> dict[str, Any]:
        """The map as JSON, for the function in the client's network."""
        return asdict(self)


def targets_from_snapshot(
    seen: Snapshot, nodes: topology.Topology, settings: Settings, cluster: str
) -> Targets:
    """The map of what a run of the resync would see; `nodes`: the group's, whichever way leads to them.

    Where ElastiCache could not be read whole, the zone's own names are walked, too: unknown is never empty.
    """
    records = {
        r.name: tuple(map(Address, r.values)) for r in seen.records if r.type is RecordType.A
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
        proxies=tuple(_from_task(one) for one in seen.fleet.proxies),
        one_name=settings.fleet_name is not None,
        proxies_see_zone=bool(settings.proxy_vpc_id) and settings.proxy_vpc_id in seen.zone_vpcs,
        notes=tuple(dict.fromkeys((*nodes.problems, *seen.fleet.problems, *seen.other_problems))),
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


def _parse_proxy(told: Mapping[str, Any]) -> Proxy:
    words = {name: str(told[name]) for name in ("task", "node", "availability_zone", "health")}
    return Proxy(address(told["address"]), stand_in=bool(told["stand_in"]), **words)


def parse_targets(told: Mapping[str, Any], *, zone: Hostname, port: int) -> Targets:
    """A map that came with an event, believed only as far as it can do no harm; raises BadMap.

    Whatever it says, only names of this zone are looked up, and only this port is dialled.
    """
    try:
        names = tuple(hostname(name) for name in told["names"])
        records = told["records"]
        expected = Targets(
            cluster=str(told["cluster"]),
            zone=zone,
            port=port,
            names=names,
            endpoint=hostname(told["endpoint"]) if told["endpoint"] else None,
            records=None
            if records is None
            else {
                Hostname(str(name)): tuple(map(address, found)) for name, found in records.items()
            },
            proxies=tuple(map(_parse_proxy, told["proxies"])),
            one_name=bool(told["one_name"]),
            proxies_see_zone=bool(told["proxies_see_zone"]),
            notes=tuple(map(str, told["notes"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadTargets(f"not a map of names to walk: {error!r}") from error
    foreign = [name for name in names if not name.endswith(f".{zone}")]
    if foreign or len(names) > MAX_NAMES:
        what = f"{foreign[0]} is not in it" if foreign else f"{len(names)} names"
        raise BadTargets(f"only up to {MAX_NAMES} names of {zone} are walked: {what}")
    return expected
