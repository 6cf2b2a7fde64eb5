"""The rules about the network keys of an environment: VPCs, endpoints, peering, clients outside AWS. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeVar

from nodeway.config.model import ClientVpc, EnvironmentConfig, ProxyVpc

Value = TypeVar("Value")

PULL_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "s3")
"""The endpoints that a task in a subnet without a route to the internet needs:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html"""
NEW_VPC_PREFIXES = range(16, 25)
"""A VPC is at most a /16; the subnets of a range smaller than a /24 are too small for the proxies."""
NEW_VPC_ZONES = 4
"""Availability zones that a new VPC reserves ranges for. It is fixed, so that a new zone changes no subnet's range."""


def proxies_do_not_loop(environment: EnvironmentConfig) -> Iterator[str]:
    """In a VPC that is associated with the zone, a HAProxy would resolve its node's name to itself."""
    proxy_vpc = environment.proxy_vpc.vpc_id if environment.proxy_vpc else None
    if (
        environment.overridden_clusters
        and proxy_vpc
        and proxy_vpc in {vpc.vpc_id for vpc in environment.client_vpcs}
    ):
        yield (
            f"proxy_vpc {proxy_vpc} is also a client VPC: its resolver would answer the HAProxies with"
            " their own addresses (a loop); run the HAProxies in a VPC of their own, or in the cache's VPC"
        )


def proxies_have_a_vpc(environment: EnvironmentConfig) -> Iterator[str]:
    """There is a VPC for proxies if and only if there are proxies."""
    if environment.proxied and environment.proxy_vpc is None:
        yield "proxy_vpc: is missing; the proxies need one (or set proxy: none for each cluster)"
    if environment.proxy_vpc and not environment.proxied:
        yield "proxy_vpc: no cluster has proxies (proxy: none); leave it out"


def proxy_vpc_is_existing_or_new(environment: EnvironmentConfig) -> Iterator[str]:
    """The block has all keys of an existing VPC, or all keys of a new one."""
    vpc = environment.proxy_vpc
    if vpc is not None:
        yield from check_new_vpc(vpc) if vpc.is_new else check_existing_vpc(vpc)


def check_new_vpc(vpc: ProxyVpc) -> Iterator[str]:
    """Yields the problems of a VPC that the deployment creates."""
    missing = [key for key in ("cidr", "availability_zones") if not getattr(vpc, key)]
    if missing:
        yield (
            f"proxy_vpc: {' and '.join(missing)} missing; allowed: vpc_id and subnets of an existing VPC,"
            " or cidr and availability_zones of a new one"
        )
    for key in ("subnets", "route_table_ids"):
        if getattr(vpc, key):
            yield f"proxy_vpc.{key}: belongs to an existing VPC; give its vpc_id, or leave it out"
    if vpc.cidr and vpc.cidr.prefixlen not in NEW_VPC_PREFIXES:
        yield f"proxy_vpc.cidr: got {vpc.cidr}; allowed: /16 to /24"
    zones = len(vpc.availability_zones)
    if zones > NEW_VPC_ZONES:
        yield f"proxy_vpc.availability_zones: got {zones}; allowed: 1 to {NEW_VPC_ZONES}"
    if vpc.nat_gateways > zones > 0:
        yield (
            f"proxy_vpc.nat_gateways: got {vpc.nat_gateways}; allowed: at most one for each availability zone, {zones}"
        )


def check_existing_vpc(vpc: ProxyVpc) -> Iterator[str]:
    """Yields the problems of an existing VPC."""
    if not vpc.subnets:
        yield "proxy_vpc.subnets: is missing; give at least one subnet of the VPC"
    for key in ("availability_zones", "nat_gateways"):
        if getattr(vpc, key):
            yield f"proxy_vpc.{key}: belongs to a new VPC; leave it out, or leave vpc_id out"
    if set(vpc.endpoints) - {"s3"} and vpc.cidr is None:
        yield "proxy_vpc.cidr: is missing; the endpoints' security group admits it"
    if "s3" in vpc.endpoints and not vpc.route_table_ids:
        yield "proxy_vpc.route_table_ids: is missing; the s3 endpoint adds a route to them"


def zones_are_in_the_region(environment: EnvironmentConfig) -> Iterator[str]:
    """Each subnet and zone is listed once, and is in the environment's Region."""
    vpc = environment.proxy_vpc
    if vpc is None:
        return
    for name in find_duplicates(subnet.subnet_id for subnet in vpc.subnets):
        yield f"proxy_vpc.subnets: {name} is listed twice"
    for key in ("availability_zones", "endpoints", "route_table_ids"):
        for name in find_duplicates(getattr(vpc, key)):
            yield f"proxy_vpc.{key}: {name} is listed twice"
    zones = {*vpc.availability_zones, *(subnet.availability_zone for subnet in vpc.subnets)}
    for zone in sorted(zone for zone in zones if not zone.startswith(environment.region)):
        yield f"proxy_vpc: availability zone {zone} is not in Region {environment.region}"


def image_can_be_pulled(environment: EnvironmentConfig) -> Iterator[str]:
    """A new VPC without NAT gateways has no route to a public registry."""
    vpc = environment.proxy_vpc
    if vpc is None or not vpc.is_new or not vpc.cidr or vpc.nat_gateways:
        return
    missing = [name for name in PULL_ENDPOINTS if name not in vpc.endpoints]
    if missing:
        yield (
            f"proxy_vpc.endpoints: {', '.join(missing)} missing; a VPC without NAT gateways needs"
            f" {', '.join(PULL_ENDPOINTS)} to pull the image and write logs"
        )
    for key, image in list_images(environment):
        if f".dkr.ecr.{environment.region}." not in image:
            yield (
                f"{key}: got {image}, which a VPC without NAT gateways cannot reach; push it to a private ECR"
                f" repository of {environment.region} and give that, or set proxy_vpc.nat_gateways (docs/deploying.md)"
            )


def list_images(environment: EnvironmentConfig) -> Iterator[tuple[str, str]]:
    """Yields the configuration key and the name of each image that the proxies run."""
    if environment.overridden_clusters:
        yield "image", environment.image
    for cluster in environment.proxied:
        if cluster.envoy:
            yield f"clusters {cluster.replication_group_id}.envoy.image", cluster.envoy.image


def clients_are_unique(environment: EnvironmentConfig) -> Iterator[str]:
    """A VPC may be listed with several ranges, but with one account and one Region."""
    for vpc_id, cidr in find_duplicates((vpc.vpc_id, vpc.cidr) for vpc in environment.client_vpcs):
        yield f"client_vpcs: {vpc_id} with {cidr} is listed twice"
    locations = {(vpc.vpc_id, vpc.region, vpc.account) for vpc in environment.client_vpcs}
    for vpc_id in find_duplicates(vpc_id for vpc_id, _, _ in locations):
        yield f"client_vpcs: {vpc_id} is listed with different accounts or Regions"
    for vpc in environment.client_vpcs:
        if vpc.security_group_ids and vpc.region not in {None, environment.region}:
            yield (
                f"client_vpcs {vpc.vpc_id}: security_group_ids of another Region cannot be used in a rule; leave them"
                " out, so that its cidr may connect"
            )


def outside_clients_have_a_resolver(environment: EnvironmentConfig) -> Iterator[str]:
    """The inbound endpoint is in a client VPC: it answers with the zones that are associated with its VPC."""
    outside = environment.on_premises
    if outside is None:
        return
    if not environment.proxied:
        yield "on_premises: no cluster has proxies (proxy: none), so there is no zone; leave it out"
    own_vpcs = sorted(
        {
            vpc.vpc_id
            for vpc in environment.client_vpcs
            if is_same_account_and_region(environment, vpc)
        }
    )
    if outside.resolver_vpc_id not in own_vpcs:
        yield (
            f"on_premises.resolver_vpc_id: got {outside.resolver_vpc_id}; allowed: a client VPC of this account and"
            f" Region, as the zone is associated with it: {', '.join(own_vpcs) or 'there is none'}"
        )
    for name in find_duplicates(outside.resolver_subnet_ids):
        yield f"on_premises.resolver_subnet_ids: {name} is listed twice"


def unused_keys_are_absent(environment: EnvironmentConfig) -> Iterator[str]:
    """Keys that only peering reads are errors without it."""
    if environment.access == "peering":
        return
    if environment.cache_vpc:
        yield "cache_vpc: is read with access: peering only; leave it out"
    for cluster in environment.clusters:
        if cluster.proxy == "none":
            yield (
                f"clusters: {cluster.replication_group_id} has proxy: none, and access is {environment.access!r}:"
                " there is nothing to deploy; set access: peering, or leave proxy out"
            )


def peering_reaches_the_cache(environment: EnvironmentConfig) -> Iterator[str]:
    """The deployment can route from the proxies, or without proxies from the clients, to the caches."""
    if environment.access != "peering":
        return
    vpc = environment.proxy_vpc
    if vpc and not vpc.is_new:
        missing = [key for key in ("cidr", "route_table_ids") if not getattr(vpc, key)]
        if missing:
            yield f"proxy_vpc: {' and '.join(missing)} missing; access: peering creates routes with them"
    if vpc and vpc.is_new and environment.cache_vpc is None:
        yield "cache_vpc: is missing; access: peering connects the new VPC with it"
    yield from clients_reach_the_cache(environment)


def clients_reach_the_cache(environment: EnvironmentConfig) -> Iterator[str]:
    """A cluster without proxies has a cache VPC to peer the clients with, and a security group for their rule."""
    for cluster in (c for c in environment.clusters if c.proxy == "none"):
        name = cluster.replication_group_id
        if environment.cache_vpc is None:
            yield f"cache_vpc: is missing; {name} has proxy: none, so clients are peered with it"
        if cluster.cache_security_group_id is None:
            yield (
                f"clusters: {name} has proxy: none and no cache_security_group_id; the deployment adds a rule for the"
                " clients to this group"
            )


def peering_reaches_the_clients(environment: EnvironmentConfig) -> Iterator[str]:
    """A client VPC of the deployment's account and Region has route tables; one of another account has a role."""
    if environment.access != "peering":
        return
    for client in environment.client_vpcs:
        if is_same_account_and_region(environment, client) and not client.route_table_ids:
            yield f"client_vpcs {client.vpc_id}: route_table_ids missing; access: peering creates routes in them"
        if client.account not in {None, environment.account} and client.peer_role_arn is None:
            yield (
                f"client_vpcs {client.vpc_id}: peer_role_arn missing; it is a role of account {client.account} that"
                " accepts the peering"
            )


def ranges_do_not_overlap(environment: EnvironmentConfig) -> Iterator[str]:
    """VPCs with overlapping ranges cannot be peered, and a route table cannot route to two equal ranges.

    https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html
    """
    if environment.access != "peering":
        return
    proxy, cache = environment.proxy_vpc, environment.cache_vpc
    ranges = [(f"client VPC {vpc.vpc_id}", vpc.vpc_id, vpc.cidr) for vpc in environment.client_vpcs]
    if proxy and proxy.cidr:
        ranges.append((f"proxy VPC {proxy.vpc_id or '(new)'}", proxy.vpc_id or "", proxy.cidr))
    if cache:
        ranges.append((f"cache VPC {cache.vpc_id}", cache.vpc_id, cache.cidr))
    for (name, vpc_id, cidr), (other_name, other_id, other_cidr) in combinations(ranges, 2):
        if vpc_id != other_id and cidr.overlaps(other_cidr):
            yield (
                f"access peering: {name} ({cidr}) and {other_name} ({other_cidr}) overlap, so no route can tell them"
                " apart; use other ranges, or route them yourself (docs/choosing.md)"
            )


def is_same_account_and_region(environment: EnvironmentConfig, client: ClientVpc) -> bool:
    """Whether the VPC is of the deployment's account and Region, so that the deployment can change it."""
    own = (environment.account, environment.region)
    return (client.account or own[0], client.region or own[1]) == own


def find_duplicates(values: Iterable[Value]) -> list[Value]:
    """Returns the values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]
