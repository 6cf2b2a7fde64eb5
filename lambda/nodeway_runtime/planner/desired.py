"""Stage 2: what the zone should say, from what was read. Pure.

It states only what is positively known: a node without a healthy proxy has no desired record. Whether its present
record may go is the guard's question, not this one's.
"""

from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from nodeway_runtime.model.ownership import Marker, marker_record
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import (
    Address,
    Fleet,
    Hostname,
    Proxy,
    Record,
    RecordType,
    Topology,
)

CONFIGURATION_ENDPOINT_PROXIES = 8
"""How many addresses the configuration endpoint's name gets: they survive losses, and fit one UDP answer."""

NEGATIVE_TTL_SECONDS = 5
"""How long a resolver may remember that a name did not exist. Route 53's defaults are 900 s (the SOA's TTL) and
86,400 s (its minimum): https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html"""


@dataclass(frozen=True, slots=True)
class Desired:
    """The wanted records with the reason that a person would ask for, and the live nodes without a proxy to offer."""

    records: tuple[Record, ...]
    why: dict[Hostname, str]
    nodes_without_proxy: tuple[Hostname, ...]


def desired_records(
    topology: Topology, fleet: Fleet, soa: Record | None, settings: Settings
) -> Desired:
    """A record and its marker for each node, the configuration endpoint and each pin, and a low SOA."""
    addresses: dict[Hostname, list[Address]] = {}
    why: dict[Hostname, str] = {}
    offered: list[Proxy] = []
    live = {node.hostname for node in topology.live if node.hostname is not None}
    for name in sorted(topology.names):
        healthy = fleet.healthy(name)
        if healthy:
            # a node that is being created answers nobody yet: its own name may wait for it, the endpoint's may not
            offered += healthy[:1] if name in live else ()
            addresses[name] = [proxy.address for proxy in healthy]
            why[name] = told(healthy)
    if offered and topology.configuration_endpoint:
        spread = spread_over_zones(offered)[:CONFIGURATION_ENDPOINT_PROXIES]
        addresses[topology.configuration_endpoint] = spread
        why[topology.configuration_endpoint] = (
            f"configuration endpoint over {len(spread)} HAProxies"
        )
    for name, pinned in settings.pins.items():
        addresses[name] = list(pinned)
        why[name] = "pinned"
    ttl = settings.ttl_seconds
    marker = Marker(settings.owner)
    records = [Record.a(name, found, ttl) for name, found in addresses.items()]
    records += [marker_record(name, marker, ttl) for name in addresses]
    if soa is not None:
        records.append(low_soa(soa))
        why.setdefault(soa.name, f"negative answers are kept for {NEGATIVE_TTL_SECONDS} s only")
    return Desired(tuple(sorted(records)), why, tuple(sorted(live - addresses.keys())))


def told(healthy: tuple[Proxy, ...]) -> str:
    """Why a name leads where it leads."""
    kind = "stand-in" if healthy[0].stand_in else "proxy task"
    return f"{len(healthy)} healthy {kind}{'s' if len(healthy) > 1 else ''}"


def spread_over_zones(proxies: list[Proxy]) -> list[Address]:
    """Addresses in turn from each availability zone: any prefix of the list is spread as well as it can be."""
    by_zone: dict[str, list[Address]] = {}
    for proxy in sorted(proxies):
        by_zone.setdefault(proxy.availability_zone, []).append(proxy.address)
    turns = zip_longest(*(by_zone[zone] for zone in sorted(by_zone)))
    return [one for one in chain.from_iterable(turns) if one is not None]


def low_soa(soa: Record) -> Record:
    """The same SOA with a short TTL and minimum: the smaller rules negative answers (RFC 2308, section 5)."""
    fields = soa.values[0].split()
    fields[-1] = str(min(int(fields[-1]), NEGATIVE_TTL_SECONDS))
    low = min(soa.ttl, NEGATIVE_TTL_SECONDS)
    return replace(soa, type=RecordType.SOA, values=(" ".join(fields),), ttl=low)
