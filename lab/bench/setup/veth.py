"""Veth pairs between two networks: each phase of a variant's path is one, so that all phases cost the same.

The kernel would do the work of the lab's router and bridge in the sender's time, which no proxy on AWS pays for.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pyroute2 import IPRoute

from lab import layout
from lab.bench.setup.testbed import Testbed
from lab.host import network
from lab.host import syscalls as linux


@dataclass(frozen=True, slots=True)
class End:
    """One end of a veth pair: a process in its network, and the addresses that are reached there."""

    pid: int
    addresses: Sequence[str]


def connect_client(testbed: Testbed) -> None:
    """Connects the client to the nodes."""
    connect(_client(), _nodes(testbed))


def connect_container(testbed: Testbed, pid: int, address: str) -> None:
    """Connects the client to a container, and the container to the nodes."""
    container = End(pid, (address,))
    connect(_client(), container)
    connect(container, _nodes(testbed))


def connect(one: End, other: End) -> None:
    """Makes a veth pair; each end then routes the other's addresses into it."""
    name = f"bench-{secrets.token_hex(4)}"
    with IPRoute() as route:
        peer = {"ifname": name, "net_ns_pid": other.pid}
        route.link("add", ifname=name, kind="veth", net_ns_pid=one.pid, peer=peer)
    for end, far in ((one, other), (other, one)):
        linux.in_network_of(end.pid, partial(_configure, name, end, far))


def _configure(name: str, end: End, far: End) -> None:
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


def _nodes(testbed: Testbed) -> End:
    return End(network.attach().cache, tuple(shard.node.address for shard in testbed.shards))
