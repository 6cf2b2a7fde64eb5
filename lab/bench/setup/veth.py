"""Virtual cables between two networks: each leg of a way is one.

The lab's router and bridge would do their work in the time of whoever sends, which no proxy on AWS pays for. It must
never give one way a shorter leg than another.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pyroute2 import IPRoute

from lab import layout
from lab.bench.setup.site import Site
from lab.host import network
from lab.host import syscalls as linux


@dataclass(frozen=True, slots=True)
class End:
    """One end: a process in the network, and the addresses that are reached there."""

    pid: int
    addresses: Sequence[str]


def to_nodes(site: Site) -> None:
    """The direct way: client to nodes."""
    lay(_client(), _nodes(site))


def by(site: Site, pid: int, address: str) -> None:
    """The two legs of a way by a container: client to container, container to nodes."""
    container = End(pid, (address,))
    lay(_client(), container)
    lay(container, _nodes(site))


def lay(one: End, other: End) -> None:
    """A cable; each end then sends what is for the other's addresses into it."""
    name = f"cable-{secrets.token_hex(4)}"
    with IPRoute() as route:
        peer = {"ifname": name, "net_ns_pid": other.pid}
        route.link("add", ifname=name, kind="veth", net_ns_pid=one.pid, peer=peer)
    for end, far in ((one, other), (other, one)):
        linux.in_network_of(end.pid, partial(_plug_in, name, end, far))


def _plug_in(name: str, end: End, far: End) -> None:
    with IPRoute() as route:
        index = route.link_lookup(ifname=name)[0]
        # replies then come from the address that was asked
        for address in end.addresses:
            route.addr("add", index=index, address=address, prefixlen=32)
        route.link("set", index=index, state="up")
        for address in far.addresses:
            route.route("replace", dst=f"{address}/32", oif=index, scope="link")


def _client() -> End:
    return End(network.attach().client, (layout.CLIENT_ADDRESS,))


def _nodes(site: Site) -> End:
    return End(network.attach().cache, tuple(shard.node.address for shard in site.shards))
