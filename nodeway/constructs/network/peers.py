"""Which VPCs are to be peered with which, out of an environment's configuration. Pure: no construct is made here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nodeway.config.model import ClientVpc, EnvironmentConfig
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.tokens import plain_id


@dataclass(frozen=True)
class Peer:
    """One side of a connection: its name in ids, its ranges, and (name, id) of the route tables to change.

    `region`, `account` and `peer_role_arn` are None where they are the deploy's own.
    """

    name: str
    vpc_id: str
    cidrs: tuple[str, ...]
    route_tables: tuple[tuple[str, str], ...]
    region: str | None = None
    account: str | None = None
    peer_role_arn: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the deploy can change its routes and options."""
        return self.region is None and self.account is None

    def joined(self, other: "Peer") -> "Peer":
        """The same VPC, with what is told of it elsewhere."""
        return replace(
            self,
            cidrs=tuple(dict.fromkeys((*self.cidrs, *other.cidrs))),
            route_tables=tuple(dict.fromkeys((*self.route_tables, *other.route_tables))),
        )


def peering_pairs(
    environment: EnvironmentConfig, made: ProxyNetwork | None
) -> Iterator[tuple[Peer, Peer]]:
    """Each pair of VPCs once, ours first; VPCs can have one connection only, whatever they use it for.

    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    """
    proxies, cache = proxy_peer(environment, made), cache_peer(environment)
    clients = [client_peer(client, environment) for client in environment.client_vpcs]
    peers: dict[str, Peer] = {}
    for peer in (proxies, cache, *clients):
        if peer is not None:
            known = peers.get(peer.vpc_id)
            peers[peer.vpc_id] = known.joined(peer) if known else peer
    seen = set()
    for near, far in wanted_pairs(environment, proxies, cache, clients):
        pair = frozenset((near.vpc_id, far.vpc_id))
        if len(pair) > 1 and pair not in seen:
            seen.add(pair)
            yield peers[near.vpc_id], peers[far.vpc_id]


def wanted_pairs(
    environment: EnvironmentConfig,
    proxies: Peer | None,
    cache: Peer | None,
    clients: Iterable[Peer],
) -> Iterator[tuple[Peer, Peer]]:
    """Who is to reach whom."""
    direct = any(cluster.proxy == "none" for cluster in environment.clusters)
    for client in clients:
        if proxies:
            yield proxies, client
        if cache and direct:
            yield cache, client
    if proxies and cache:
        yield proxies, cache


def proxy_peer(environment: EnvironmentConfig, made: ProxyNetwork | None) -> Peer | None:
    """The HAProxies' VPC, whether it is there or made."""
    vpc = environment.proxy_vpc
    if vpc is None:
        return None
    tables = made.route_tables if made else named_tables(vpc.route_table_ids)
    return Peer("proxies", made.vpc_id if made else str(vpc.vpc_id), (str(vpc.cidr),), tables)


def cache_peer(environment: EnvironmentConfig) -> Peer | None:
    """The caches' VPC; it is of the deploy's own account and Region."""
    vpc = environment.cache_vpc
    if vpc is None:
        return None
    tables = named_tables(vpc.route_table_ids)
    return Peer("cache", vpc.vpc_id, (str(vpc.cidr),), tables)


def client_peer(client: ClientVpc, environment: EnvironmentConfig) -> Peer:
    """One range of a client VPC."""
    return Peer(
        plain_id(client.vpc_id, "client"),
        client.vpc_id,
        (str(client.cidr),),
        named_tables(client.route_table_ids),
        region=None if client.region == environment.region else client.region,
        account=None if client.account == environment.account else client.account,
        peer_role_arn=client.peer_role_arn,
    )


def named_tables(route_table_ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Each route table with its name in ids."""
    return tuple((plain_id(one, f"table{place}"), one) for place, one in enumerate(route_table_ids))
