"""What of an environment costs money, as counts: of tasks, zones, endpoints. Pure; the prices are in stacks/cost.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from stacks.config import EnvironmentConfig

ENVOY_METRICS = 10
"""For each fleet of Envoys, in stacks/envoy_metrics.py."""
GATEWAY_ENDPOINTS = frozenset({"s3"})
"""Free: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Proxies that serve all nodes of a cluster together."""

    what: str
    tasks: int
    metrics: int = 0
    """Beside those of the resync."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of an environment costs money.

    `nodes`, of `clusters`: those with HAProxies of their own; `other_nodes`, of `other_clusters`: those behind `fleets`
    only.
    """

    nodes: int
    clusters: int = 1
    fleets: tuple[Fleet, ...] = ()
    other_nodes: int = 0
    other_clusters: int = 0
    haproxies_per_node: int = 1
    cpu: int = 256
    memory: int = 512
    interface_endpoints: int = 0
    """Endpoints times AZs."""
    nat_gateways: int = 0
    resolver_addresses: int = 0
    client_vpcs: int = 1


def shape_of(environment: EnvironmentConfig, nodes: Sequence[int]) -> Shape:
    """What of this environment costs money, with so many nodes in each cluster that has proxies."""
    vpc = environment.proxy_vpc
    zones = (
        len({*vpc.availability_zones, *(one.availability_zone for one in vpc.subnets)})
        if vpc
        else 0
    )
    interface = [one for one in vpc.endpoints if one not in GATEWAY_ENDPOINTS] if vpc else []
    outside = environment.on_premises
    counted = list(zip(environment.proxied, nodes, strict=True))
    own = {one.replication_group_id: count for one, count in counted if one.by_node}
    every = {one.replication_group_id: count for one, count in counted}
    return Shape(
        nodes=sum(own.values()),
        clusters=len(own),
        fleets=tuple(
            Fleet("Envoys", one.tasks, ENVOY_METRICS)
            if one.proxy == "envoy"
            else Fleet("shared HAProxies", one.tasks)
            for one in environment.proxied
            if not one.by_node
        ),
        other_nodes=sum(every.values()) - sum(own.values()),
        other_clusters=len(every) - len(own),
        haproxies_per_node=environment.haproxies_per_node,
        cpu=environment.cpu,
        memory=environment.memory,
        interface_endpoints=len(interface) * zones,
        nat_gateways=vpc.nat_gateways if vpc else 0,
        resolver_addresses=len(outside.resolver_subnet_ids) if outside else 0,
        client_vpcs=len(environment.client_vpcs),
    )
