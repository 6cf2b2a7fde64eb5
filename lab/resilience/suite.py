"""The suites of faults: all of them, and the short ones. Each fault leaves the lab as the next expects it."""

from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.resilience.connections import (
    connection_storm,
    idle_connections_10000_then_pubsub,
    slow_client_does_not_hurt_others,
)
from lab.resilience.nodes import (
    failover_graceful,
    node_hangs,
    node_ip_changes_under_same_name,
    primary_killed,
    reshard_1000_slots_under_load,
)
from lab.resilience.proxies import (
    half_of_proxies_gone,
    proxy_host_silent,
    proxy_killed,
    proxy_replaced_by_deploy,
    two_proxies_per_node_killed_one,
)
from lab.resilience.services import (
    dns_server_down_60s,
    network_flaps,
    network_flaps_once,
    resync_down_10min,
    route53_throttled,
    route53_throttled_5s,
)
from lab.scenarios.scenario import Figures, Scenario


def one_proxy_per_node(_: World) -> Figures:
    """The product, deployed by the real CDK CLI as it is by default."""
    aws.deploy()
    return {"records": len(Product().records())}


def two_proxies_per_node(_: World) -> Figures:
    """The product with haproxies_per_node=2."""
    aws.deploy("haproxies_per_node=2")
    return {"haproxies": sum(proxy.healthy for proxy in Product().proxies())}


DEPLOYS: tuple[Scenario, ...] = (one_proxy_per_node, two_proxies_per_node)

SUITE: tuple[Scenario, ...] = (
    one_proxy_per_node,
    failover_graceful,
    primary_killed,
    node_hangs,
    node_ip_changes_under_same_name,
    reshard_1000_slots_under_load,
    network_flaps,
    dns_server_down_60s,
    slow_client_does_not_hurt_others,
    connection_storm,
    idle_connections_10000_then_pubsub,
    proxy_killed,
    proxy_replaced_by_deploy,
    two_proxies_per_node,
    two_proxies_per_node_killed_one,
    proxy_host_silent,
    half_of_proxies_gone,
    route53_throttled,
    resync_down_10min,
)
"""Faults of nodes come first: afterwards the HAProxies are old enough for a restart in their tasks."""

SHORT_SUITE: tuple[Scenario, ...] = (
    two_proxies_per_node,
    failover_graceful,
    network_flaps_once,
    route53_throttled_5s,
    two_proxies_per_node_killed_one,
)
"""Faults that take seconds, with one deploy. The HAProxies are a minute old when one of them is killed."""
