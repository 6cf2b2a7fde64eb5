"""The rules about a cluster with shared HAProxies: which networks they connect to, and which clients they serve.

Pure.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.config.shared_clients import NOT_SERVED, SERVED
from nodeway.suggestions import suggest_nearest

VPC_PREFIXES = range(16, 29)
"""Prefix lengths of VPCs and subnets: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""


def shared_connects_to_the_cache_only(environment: EnvironmentConfig) -> Iterator[str]:
    """The networks that a shared HAProxy may connect to are configured, and can be a cache's."""
    for cluster in shared_clusters(environment):
        where = f"clusters {cluster.replication_group_id}.cache_cidrs"
        networks = environment.cache_networks(cluster)
        if not networks:
            yield (
                f"{where}: is missing; proxy: shared connects to these networks and to nothing else: give those of the"
                " cache's subnets"
            )
        for network in networks:
            if network.prefixlen not in VPC_PREFIXES or is_special(network):
                yield f"{where}: got {network}; allowed: networks of the cache's VPC, /16 to /28"
            elif overlaps_proxies(environment, network):
                yield (
                    f"{where}: got {network}, which overlaps the proxies' own VPC, where the cache is not; allowed:"
                    " networks of the cache's subnets"
                )


def is_special(network: IPv4Network) -> bool:
    """Whether the range is one that no VPC has: loopback, link-local, multicast or reserved."""
    return (
        network.is_loopback or network.is_link_local or network.is_multicast or network.is_reserved
    )


def overlaps_proxies(environment: EnvironmentConfig, network: IPv4Network) -> bool:
    """Whether the range overlaps a proxy VPC that is not the cache's: a new VPC, or one that is peered with the
    cache's.
    """
    vpc, cache = environment.proxy_vpc, environment.cache_vpc
    if vpc is None or vpc.cidr is None or not (vpc.is_new or cache):
        return False
    if cache and cache.vpc_id == vpc.vpc_id:
        return False
    return network.overlaps(vpc.cidr)


def shared_serves_the_clients(environment: EnvironmentConfig) -> Iterator[str]:
    """Every client library is listed, and is one that identifies nodes by host name."""
    for cluster in shared_clusters(environment):
        where = f"clusters {cluster.replication_group_id}.clients"
        if not cluster.clients:
            yield (
                f"{where}: is missing; proxy: shared does not serve every client library: list those that connect,"
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


def shared_clusters(environment: EnvironmentConfig) -> Iterator[ClusterConfig]:
    """Yields the clusters with shared HAProxies."""
    return (cluster for cluster in environment.clusters if cluster.proxy == "shared")
