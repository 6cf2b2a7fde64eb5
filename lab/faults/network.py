"""Faults of the network: links that go down and come back, and hosts that fall silent. Each undoes itself.

A silent host sends nothing and nothing reaches it; no RST or ICMP says so.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyroute2 import IPRoute

from lab.cluster.node import Node
from lab.host import network
from lab.wait import wait_until

DOWN_SECONDS = 1.0
UP_SECONDS = 2.0
SLACK_SECONDS = 10
PRIORITY = 50
"""Before the router's own rules, which answer (`prohibit`)."""


def sustain(seconds: float) -> None:
    """Returns after so many seconds: how long a fault lasts is part of it."""
    until = time.monotonic() + seconds
    wait_until(
        lambda: time.monotonic() >= until,
        timeout_seconds=seconds + SLACK_SECONDS,
        what=f"{seconds:g} s to have passed",
    )


def flap(interface: str, times: int) -> None:
    """Takes an interface of the router down for a second and up for two, so many times."""
    for _ in range(times):
        _set_link(interface, "down")
        try:
            sustain(DOWN_SECONDS)
        finally:
            _set_link(interface, "up")
        sustain(UP_SECONDS)


def _set_link(interface: str, state: str) -> None:
    with IPRoute() as route:
        route.link("set", index=route.link_lookup(ifname=interface)[0], state=state)


@contextmanager
def silence(*addresses: str) -> Iterator[None]:
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
    ]  # a front before it goes on: it stands for the kernel that takes connections
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
