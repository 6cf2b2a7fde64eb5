"""The pairs of VPCs that an environment's configuration connects by peering. Pure: it creates no construct."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nodeway.config.model import ClientVpc, EnvironmentConfig
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.tokens import plain_id


@dataclass(frozen=True)
class Peer:
    """One side of a connection.

    `name`: for construct ids. `route_tables`: the name and the id of each that gets routes. `region` and `account` are
    None if they are the deployment's own. `peer_role_arn`: the role of another account that accepts the connection.
    """

    name: str
    vpc_id: str
    cidrs: tuple[str, ...]
    route_tables: tuple[tuple[str, str], ...]
    region: str | None = None
    account: str | None = None
    peer_role_arn: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the deployment can change its routes and options."""
        return self.region is None and self.account is None

    def merge(self, other: "Peer") -> "Peer":
        """Returns this peer with the ranges and route tables of another peer of the same VPC too."""
        return replace(
            self,
            cidrs=tuple(dict.fromkeys((*self.cidrs, *other.cidrs))),
            route_tables=tuple(dict.fromkeys((*self.route_tables, *other.route_tables))),
        )


def peering_pairs(
    environment: EnvironmentConfig, network: ProxyNetwork | None
) -> Iterator[tuple[Peer, Peer]]:
    """Yields each pair of VPCs once, with the local one first: two VPCs can have only one connection.

    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    """
    proxies, cache = proxy_peer(environment, network), cache_peer(environment)
    clients = [client_peer(client, environment) for client in environment.client_vpcs]
    peers: dict[str, Peer] = {}
    for peer in (proxies, cache, *clients):
        if peer is not None:
            same = peers.get(peer.vpc_id)
            peers[peer.vpc_id] = same.merge(peer) if same else peer
    pairs = set()
    for near, far in list_connections(environment, proxies, cache, clients):
        pair = frozenset((near.vpc_id, far.vpc_id))
        if len(pair) > 1 and pair not in pairs:
            pairs.add(pair)
            yield peers[near.vpc_id], peers[far.vpc_id]


def list_connections(
    environment: EnvironmentConfig,
    proxies: Peer | None,
    cache: Peer | None,
    clients: Iterable[Peer],
) -> Iterator[tuple[Peer, Peer]]:
    """Yields the sides of each connection that is needed. A pair of VPCs can occur more than once."""
    direct = any(cluster.proxy == "none" for cluster in environment.clusters)
    for client in clients:
        if proxies:
            yield proxies, client
        if cache and direct:
            yield cache, client
    if proxies and cache:
        yield proxies, cache


def proxy_peer(environment: EnvironmentConfig, network: ProxyNetwork | None) -> Peer | None:
    """Returns the proxies' VPC, which is that of `network` if it is new."""
    vpc = environment.proxy_vpc
    if vpc is None:
        return None
    vpc_id = network.vpc_id if network else str(vpc.vpc_id)
    tables = network.route_tables if network else name_tables(vpc.route_table_ids)
    return Peer("proxies", vpc_id, (str(vpc.cidr),), tables)


def cache_peer(environment: EnvironmentConfig) -> Peer | None:
    """Returns the caches' VPC, which is of the deployment's account and Region."""
    vpc = environment.cache_vpc
    if vpc is None:
        return None
    return Peer("cache", vpc.vpc_id, (str(vpc.cidr),), name_tables(vpc.route_table_ids))


def client_peer(client: ClientVpc, environment: EnvironmentConfig) -> Peer:
    """Returns one range of a client VPC."""
    return Peer(
        plain_id(client.vpc_id, "client"),
        client.vpc_id,
        (str(client.cidr),),
        name_tables(client.route_table_ids),
        region=None if client.region == environment.region else client.region,
        account=None if client.account == environment.account else client.account,
        peer_role_arn=client.peer_role_arn,
    )


def name_tables(route_table_ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Returns each route table with a name for construct ids."""
    return tuple(
        (plain_id(table_id, f"table{index}"), table_id)
        for index, table_id in enumerate(route_table_ids)
    )
