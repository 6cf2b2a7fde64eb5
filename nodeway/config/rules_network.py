"""What the network keys of an environment may hold together: VPCs, endpoints, peering, clients outside AWS. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeVar

from nodeway.config.model import ClientVpc, EnvironmentConfig, ProxyVpc

Value = TypeVar("Value")

PULLED_THROUGH = ("ecr.api", "ecr.dkr", "logs", "s3")
"""What a task in a subnet without a way out needs: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html"""
MADE_PREFIXES = range(16, 25)
"""A VPC is at most a /16, and below a /24 its subnets get too small for a fleet."""
MADE_ZONES = 4
"""For how many zones a made VPC has room: a fixed number, so that another zone moves no subnet's range."""


def proxies_do_not_loop(environment: EnvironmentConfig) -> Iterator[str]:
    """A resolver that sees the zone would send a HAProxy to itself."""
    proxy_vpc = environment.proxy_vpc.vpc_id if environment.proxy_vpc else None
    if (
        environment.overridden_clusters
        and proxy_vpc
        and proxy_vpc in {vpc.vpc_id for vpc in environment.client_vpcs}
    ):
        yield (
            f"proxy_vpc {proxy_vpc} is also a client VPC: its resolver would answer the HAProxies with"
            " their own addresses (a loop); give the HAProxies a VPC of their own, or the cache's VPC"
        )


def proxy_vpc_is_there_when_needed(environment: EnvironmentConfig) -> Iterator[str]:
    """A VPC for proxies, if there are any."""
    if environment.proxied and environment.proxy_vpc is None:
        yield "proxy_vpc: is missing; HAProxies need one (or give each cluster proxy: none)"
    if environment.proxy_vpc and not environment.proxied:
        yield "proxy_vpc: no cluster has HAProxies (proxy: none); leave it out"


def proxy_vpc_is_given_or_made(environment: EnvironmentConfig) -> Iterator[str]:
    """Either all of one that is there, or all of one to make."""
    vpc = environment.proxy_vpc
    if vpc is not None:
        yield from check_made_vpc(vpc) if vpc.made else check_existing_vpc(vpc)


def check_made_vpc(vpc: ProxyVpc) -> Iterator[str]:
    """Problems of a VPC that the deploy is to make."""
    missing = [key for key in ("cidr", "availability_zones") if not getattr(vpc, key)]
    if missing:
        yield (
            f"proxy_vpc: {' and '.join(missing)} missing; allowed: vpc_id and subnets of a VPC that is"
            " there, or cidr and availability_zones of one to make"
        )
    for key in ("subnets", "route_table_ids"):
        if getattr(vpc, key):
            yield f"proxy_vpc.{key}: belongs to a VPC that is there; give its vpc_id, or leave it out"
    if vpc.cidr and vpc.cidr.prefixlen not in MADE_PREFIXES:
        yield f"proxy_vpc.cidr: got {vpc.cidr}; allowed: /16 to /24"
    if len(vpc.availability_zones) > MADE_ZONES:
        yield f"proxy_vpc.availability_zones: got {len(vpc.availability_zones)}; allowed: 1 to {MADE_ZONES}"
    if vpc.nat_gateways > len(vpc.availability_zones) > 0:
        yield (
            f"proxy_vpc.nat_gateways: got {vpc.nat_gateways}; allowed: one for each availability zone"
            f" at most, {len(vpc.availability_zones)}"
        )


def check_existing_vpc(vpc: ProxyVpc) -> Iterator[str]:
    """Problems of a VPC that is there."""
    if not vpc.subnets:
        yield "proxy_vpc.subnets: is missing; give at least one subnet of the VPC"
    for key in ("availability_zones", "nat_gateways"):
        if getattr(vpc, key):
            yield f"proxy_vpc.{key}: belongs to a VPC to make; leave it out, or leave vpc_id out"
    if set(vpc.endpoints) - {"s3"} and vpc.cidr is None:
        yield "proxy_vpc.cidr: is missing; the endpoints let it in"
    if "s3" in vpc.endpoints and not vpc.route_table_ids:
        yield "proxy_vpc.route_table_ids: is missing; the s3 endpoint is a route in them"


def zones_are_the_regions(environment: EnvironmentConfig) -> Iterator[str]:
    """Each subnet and zone once, and in the environment's Region."""
    vpc = environment.proxy_vpc
    if vpc is None:
        return
    for name in duplicates(subnet.subnet_id for subnet in vpc.subnets):
        yield f"proxy_vpc.subnets: {name} stands there twice"
    for kind in ("availability_zones", "endpoints", "route_table_ids"):
        for name in duplicates(getattr(vpc, kind)):
            yield f"proxy_vpc.{kind}: {name} stands there twice"
    zones = {*vpc.availability_zones, *(s.availability_zone for s in vpc.subnets)}
    for zone in sorted(z for z in zones if not z.startswith(environment.region)):
        yield f"proxy_vpc: availability zone {zone} is not in Region {environment.region}"


def image_can_be_pulled(environment: EnvironmentConfig) -> Iterator[str]:
    """A VPC that is made without NAT gateways has no way to a public registry."""
    vpc = environment.proxy_vpc
    if vpc is None or not vpc.made or not vpc.cidr or vpc.nat_gateways:
        return
    missing = [name for name in PULLED_THROUGH if name not in vpc.endpoints]
    if missing:
        yield (
            f"proxy_vpc.endpoints: {', '.join(missing)} missing; a VPC without NAT gateways needs"
            f" {', '.join(PULLED_THROUGH)} to pull the image and write logs"
        )
    for key, image in images(environment):
        if f".dkr.ecr.{environment.region}." not in image:
            yield (
                f"{key}: got {image}, which a VPC without NAT gateways cannot reach; push it to a private ECR"
                f" repository of {environment.region} and give that, or set proxy_vpc.nat_gateways (docs/deploying.md)"
            )


def images(environment: EnvironmentConfig) -> Iterator[tuple[str, str]]:
    """The images that the proxies run, each with its key."""
    if environment.overridden_clusters:
        yield "image", environment.image
    for cluster in environment.proxied:
        if cluster.envoy:
            yield f"clusters {cluster.replication_group_id}.envoy.image", cluster.envoy.image


def clients_are_unique(environment: EnvironmentConfig) -> Iterator[str]:
    """A VPC may have two ranges, but one place."""
    for vpc_id, cidr in duplicates((vpc.vpc_id, vpc.cidr) for vpc in environment.client_vpcs):
        yield f"client_vpcs: {vpc_id} with {cidr} stands there twice"
    places = {(vpc.vpc_id, vpc.region, vpc.account) for vpc in environment.client_vpcs}
    for vpc_id in duplicates(place[0] for place in places):
        yield f"client_vpcs: {vpc_id} stands there with different accounts or Regions"
    for vpc in environment.client_vpcs:
        if vpc.security_group_ids and vpc.region not in {None, environment.region}:
            yield (
                f"client_vpcs {vpc.vpc_id}: security_group_ids of another Region cannot be referred to; leave them"
                " out, so that its cidr may connect"
            )


def outside_clients_have_a_resolver(environment: EnvironmentConfig) -> Iterator[str]:
    """The inbound endpoint answers what its VPC's resolver answers, so that VPC must see the zone."""
    outside = environment.on_premises
    if outside is None:
        return
    if not environment.proxied:
        yield "on_premises: no cluster has HAProxies (proxy: none), so there is no zone; leave it out"
    ours = sorted(
        {
            vpc.vpc_id
            for vpc in environment.client_vpcs
            if is_same_account_and_region(environment, vpc)
        }
    )
    if outside.resolver_vpc_id not in ours:
        yield (
            f"on_premises.resolver_vpc_id: got {outside.resolver_vpc_id}; allowed: a client VPC of this account and"
            f" Region, as its resolver must see the zone: {', '.join(ours) or 'there is none'}"
        )
    for name in duplicates(outside.resolver_subnet_ids):
        yield f"on_premises.resolver_subnet_ids: {name} stands there twice"


def unused_keys_are_absent(environment: EnvironmentConfig) -> Iterator[str]:
    """Without peering, what only peering reads would be silently passed over."""
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
    """The near end: the HAProxies' VPC, or without HAProxies the caches'."""
    if environment.access != "peering":
        return
    vpc = environment.proxy_vpc
    if vpc and not vpc.made:
        missing = [key for key in ("cidr", "route_table_ids") if not getattr(vpc, key)]
        if missing:
            yield f"proxy_vpc: {' and '.join(missing)} missing; access: peering makes routes with them"
    if vpc and vpc.made and environment.cache_vpc is None:
        yield "cache_vpc: is missing; access: peering peers the VPC to make with it"
    yield from clients_reach_the_cache(environment)


def clients_reach_the_cache(environment: EnvironmentConfig) -> Iterator[str]:
    """Without HAProxies there is nobody between them."""
    for cluster in (c for c in environment.clusters if c.proxy == "none"):
        name = cluster.replication_group_id
        if environment.cache_vpc is None:
            yield f"cache_vpc: is missing; {name} has proxy: none, so clients are peered with it"
        if cluster.cache_security_group_id is None:
            yield (
                f"clusters: {name} has proxy: none and no cache_security_group_id; the group must let the clients in"
            )


def peering_reaches_the_clients(environment: EnvironmentConfig) -> Iterator[str]:
    """The far end: route tables where they are ours to change, and a role where somebody else accepts."""
    if environment.access != "peering":
        return
    for client in environment.client_vpcs:
        if is_same_account_and_region(environment, client) and not client.route_table_ids:
            yield f"client_vpcs {client.vpc_id}: route_table_ids missing; access: peering makes routes in them"
        if client.account not in {None, environment.account} and client.peer_role_arn is None:
            yield (
                f"client_vpcs {client.vpc_id}: peer_role_arn missing; account {client.account} accepts the peering"
                " with a role of its own"
            )


def ranges_do_not_overlap(environment: EnvironmentConfig) -> Iterator[str]:
    """VPCs whose ranges overlap cannot be peered, and a route table reaches one of two equal ranges only.

    https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html
    """
    if environment.access != "peering":
        return
    proxy, cache = environment.proxy_vpc, environment.cache_vpc
    ranges = [(f"client VPC {vpc.vpc_id}", vpc.vpc_id, vpc.cidr) for vpc in environment.client_vpcs]
    if proxy and proxy.cidr:
        ranges.append((f"proxy VPC {proxy.vpc_id or '(to make)'}", proxy.vpc_id or "", proxy.cidr))
    if cache:
        ranges.append((f"cache VPC {cache.vpc_id}", cache.vpc_id, cache.cidr))
    for (one, one_id, first), (other, other_id, second) in combinations(ranges, 2):
        if one_id != other_id and first.overlaps(second):
            yield (
                f"access peering: {one} ({first}) and {other} ({second}) overlap, so no route can tell them apart;"
                " use other ranges, or route them yourself (docs/choosing.md)"
            )


def is_same_account_and_region(environment: EnvironmentConfig, client: ClientVpc) -> bool:
    """Whether the deploy can change this VPC itself: it is of its account and Region."""
    return client.account in {None, environment.account} and client.region in {
        None,
        environment.region,
    }


def duplicates(values: Iterable[Value]) -> list[Value]:
    """The values that are there more than once."""
    return [value for value, count in Counter(values).items() if count > 1]
