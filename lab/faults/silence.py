"""Hosts that fall silent: what is sent to them is lost, nothing comes from them, and nobody says so (no RST, no ICMP).

Each tool undoes itself. It must never touch another address than those it is told.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyroute2 import IPRoute

from lab.cluster.node import Node
from lab.host import network

PRIORITY = 50
"""Before the router's own rules, which answer (`prohibit`)."""


@contextmanager
def silenced(*addresses: str) -> Iterator[None]:
    """HAProxies' hosts: the router drops every packet from and to these addresses."""
    _rules("add", addresses, ("src", "dst"))
    try:
        yield
    finally:
        _rules("del", addresses, ("src", "dst"))


@contextmanager
def silent_node(node: Node) -> Iterator[None]:
    """A node's host: its server says nothing, not to other nodes either, and its kernel's answers are dropped."""

    def rules(action: str) -> Callable[[], None]:
        return lambda: _rules(action, (node.address,), ("src",))

    network.in_network("cache", rules("add"))
    try:
        with hanging(node):
            yield
    finally:
        network.in_network("cache", rules("del"))


@contextmanager
def hanging(node: Node) -> Iterator[None]:
    """A node whose server does nothing any more: its kernel still takes connections, and nothing ever answers."""
    server = node.pids[
        0
    ]  # the front, where there is one, goes on: it is the kernel that takes connections
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def _rules(action: str, addresses: tuple[str, ...], sides: tuple[str, ...]) -> None:
    with IPRoute() as route:
        for address in addresses:
            for side in sides:
                words = {side: address, f"{side}_len": 32}
                route.rule(action, priority=PRIORITY, action="blackhole", **words)
