"""Stage 2: what the zone should say, from what was read. Pure.

It states only what is positively known: a node without a healthy proxy has no desired record (whether
its present one may
go is the guard's question, not this one's).
"""

from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from resync.settings import Settings
from resync.topology import Address, Fleet, Hostname, Proxy, Record, RecordType, Topology

CONFIGURATION_ENDPOINT_PROXIES = 8
"""How many addresses the configuration endpoint's name gets: enough to survive losses, few enough for
one UDP answer.
"""

NEGATIVE_TTL_SECONDS = 5
"""How long a resolver may remember that a name did not exist; Route 53's default is 900 s (SOA TTL)
and 86,400 s (minimum):
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html"""


@dataclass(frozen=True, slots=True)
class Desired:
    """The wanted records, each with the reason a person would ask for, and the nodes that have no proxy to offer."""

    records: tuple[Record, ...]
    why: dict[Hostname, str]
    nodes_without_proxy: tuple[Hostname, ...]


def desired_records(
    topology: Topology, fleet: Fleet, soa: Record | None, settings: Settings
) -> Desired:
    """The records that should be in the zone: one per node, the configuration endpoint, the pins, a low SOA."""
    records: dict[Hostname, Record] = {}
    why: dict[Hostname, str] = {}
    without: list[Hostname] = []
    offered: list[Proxy] = []
    for name in sorted(node.hostname for node in topology.live if node.hostname is not None):
        healthy = fleet.healthy(name)
        if not healthy:
            without.append(name)
            continue
        offered.append(healthy[0])
        records[name] = Record.a(name, [p.address for p in healthy], settings.ttl_seconds)
        why[name] = f"{len(healthy)} healthy HAProxy task{'s' if len(healthy) > 1 else ''}"
    if offered and topology.configuration_endpoint:
        spread = spread_over_zones(offered)[:CONFIGURATION_ENDPOINT_PROXIES]
        name = topology.configuration_endpoint
        records[name] = Record.a(name, spread, settings.ttl_seconds)
        why[name] = f"configuration endpoint over {len(records[name].values)} HAProxies"
    for name, addresses in settings.pins.items():
        records[name] = Record.a(name, addresses, settings.ttl_seconds)
        why[name] = "pinned"
    if soa is not None:
        low = low_soa(soa)
        records_and_soa = (*records.values(), low)
        why.setdefault(soa.name, f"negative answers are kept for {NEGATIVE_TTL_SECONDS} s only")
        return Desired(tuple(sorted(records_and_soa)), why, tuple(without))
    return Desired(tuple(sorted(records.values())), why, tuple(without))


def spread_over_zones(proxies: list[Proxy]) -> list[Address]:
    """Addresses in turn from each availability zone, so that any prefix of the list is spread as well as it can be."""
    by_zone: dict[str, list[Address]] = {}
    for proxy in sorted(proxies):
        by_zone.setdefault(proxy.availability_zone, []).append(proxy.address)
    turns = zip_longest(*(by_zone[zone] for zone in sorted(by_zone)))
    return [one for one in chain.from_iterable(turns) if one is not None]


def low_soa(soa: Record) -> Record:
    """The same SOA with a short TTL and minimum (RFC 2308 section 5: the smaller of the two rules negative answers)."""
    fields = soa.values[0].split()
    fields[-1] = str(min(int(fields[-1]), NEGATIVE_TTL_SECONDS))
    return replace(
        soa, type=RecordType.SOA, values=(" ".join(fields),), ttl=min(soa.ttl, NEGATIVE_TTL_SECONDS)
    )
