"""What the keys of a cluster with shared HAProxies may hold together: where these lead to, and for whom. Pure."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.config.shared_clients import NOT_SERVED, SERVED
from nodeway.suggestions import suggest_nearest

VPC_PREFIXES = range(16, 29)
"""A network of a VPC, or of one of its subnets: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""


def shared_leads_to_the_cache_only(environment: EnvironmentConfig) -> Iterator[str]:
    """The networks that a shared HAProxy connects to are told, and are a cache's."""
    for cluster in shared(environment):
        where = f"clusters {cluster.replication_group_id}.cache_cidrs"
        networks = environment.cache_networks(cluster)
        if not networks:
            yield (
                f"{where}: is missing; proxy: shared connects to these networks and to nothing else: give those of the"
                " cache's subnets"
            )
        for network in networks:
            if network.prefixlen not in VPC_PREFIXES or is_no_vpcs(network):
                yield f"{where}: got {network}; allowed: networks of the cache's VPC, /16 to /28"
            elif network in overlapping_the_proxies(environment, networks):
                yield (
                    f"{where}: got {network}, which overlaps the proxies' own VPC, where the cache is not; allowed:"
                    " networks of the cache's subnets"
                )


def is_no_vpcs(network: IPv4Network) -> bool:
    """Whether it is of the addresses that a host has for itself, or that are no host's."""
    return (
        network.is_loopback or network.is_link_local or network.is_multicast or network.is_reserved
    )


def overlapping_the_proxies(
    environment: EnvironmentConfig, networks: tuple[IPv4Network, ...]
) -> list[IPv4Network]:
    """Those that overlap a proxy VPC in which the cache cannot be: one to make, or one that is peered with its VPC."""
    vpc, cache = environment.proxy_vpc, environment.cache_vpc
    if vpc is None or vpc.cidr is None or not (vpc.made or cache):
        return []
    if cache and cache.vpc_id == vpc.vpc_id:
        return []
    return [network for network in networks if network.overlaps(vpc.cidr)]


def shared_clients_can_be_served(environment: EnvironmentConfig) -> Iterator[str]:
    """Every client library that will connect is told, and is one that tells the nodes apart by name."""
    for cluster in shared(environment):
        where = f"clusters {cluster.replication_group_id}.clients"
        if not cluster.clients:
            yield (
                f"{where}: is missing; proxy: shared does not serve every client library: list those that will connect,"
                f" of {', '.join(SERVED)}"
            )
        for name in cluster.clients:
            if name in NOT_SERVED:
                yield (
                    f"{where}: got {name!r}, which proxy: shared cannot serve: {NOT_SERVED[name]}; use proxy: haproxy,"
                    " which serves it"
                )
            elif name not in SERVED:
                known = (*SERVED, *NOT_SERVED)
                yield (
                    f"{where}: got {name!r}{suggest_nearest(name.lower(), known)}; allowed: {', '.join(SERVED)};"
                    " for any other client use proxy: haproxy"
                )


def shared(environment: EnvironmentConfig) -> Iterator[ClusterConfig]:
    """The clusters with shared HAProxies."""
    return (cluster for cluster in environment.clusters if cluster.proxy == "shared")
