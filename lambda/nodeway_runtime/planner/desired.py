"""Computes the desired records from topology and fleet. Pure.

A node without a healthy proxy has no desired record. Whether its current record may be deleted is for the guard.
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
"""Addresses of the configuration endpoint's name: enough to survive losses, and few enough for one UDP answer."""

NEGATIVE_TTL_SECONDS = 5
"""How long resolvers may cache a negative answer. Route 53's defaults are 900 s (the SOA's TTL) and 86,400 s (its
minimum): https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html"""


@dataclass(frozen=True, slots=True)
class Desired:
    """The desired records, the reason for each name, and the reachable nodes without a healthy proxy."""

    records: tuple[Record, ...]
    why: dict[Hostname, str]
    nodes_without_proxy: tuple[Hostname, ...]


def compute_desired(
    topology: Topology, fleet: Fleet, soa: Record | None, settings: Settings
) -> Desired:
    """A record and marker for each node, the configuration endpoint and each pin, and an SOA with a short TTL."""
    addresses: dict[Hostname, list[Address]] = {}
    why: dict[Hostname, str] = {}
    offered: list[Proxy] = []
    reachable = {node.hostname for node in topology.reachable if node.hostname is not None}
    for name in sorted(topology.names):
        healthy = fleet.healthy(name)
        if healthy:
            # The configuration endpoint must not lead to a node that is still being created.
            offered += healthy[:1] if name in reachable else ()
            addresses[name] = [proxy.address for proxy in healthy]
            why[name] = describe_proxies(healthy)
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
        records.append(lower_soa(soa))
        why.setdefault(soa.name, f"negative answers are kept for {NEGATIVE_TTL_SECONDS} s only")
    return Desired(tuple(sorted(records)), why, tuple(sorted(reachable - addresses.keys())))


def describe_proxies(healthy: tuple[Proxy, ...]) -> str:
    """The reason for a node's record: how many healthy proxies of which kind."""
    kind = "stand-in" if healthy[0].stand_in else "proxy task"
    return f"{len(healthy)} healthy {kind}{'s' if len(healthy) > 1 else ''}"


def spread_over_zones(proxies: list[Proxy]) -> list[Address]:
    """The proxies' addresses, alternating between availability zones, so that any prefix is spread evenly."""
    by_zone: dict[str, list[Address]] = {}
    for proxy in sorted(proxies):
        by_zone.setdefault(proxy.availability_zone, []).append(proxy.address)
    turns = zip_longest(*(by_zone[zone] for zone in sorted(by_zone)))
    return [one for one in chain.from_iterable(turns) if one is not None]


def lower_soa(soa: Record) -> Record:
    """The SOA with TTL and minimum of at most NEGATIVE_TTL_SECONDS (RFC 2308, section 5: the smaller one counts)."""
    fields = soa.values[0].split()
    fields[-1] = str(min(int(fields[-1]), NEGATIVE_TTL_SECONDS))
    low = min(soa.ttl, NEGATIVE_TTL_SECONDS)
    return replace(soa, type=RecordType.SOA, values=(" ".join(fields),), ttl=low)
