"""Faults of nodes: one is down, refuses the password, or announces an address that clients cannot reach."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import layout
from lab.cluster.node import USERNAME, Node, ask
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.observe import client_view as view
from lab.observe.steady_state import announced, control
from lab.wait import wait_until
from nodeway_runtime.paths.verdicts import Verdict

SECONDS = 20
PREFERRED = "cluster-preferred-endpoint-type"
OTHER_USER = "default"
"""The user that can log in after the clients' user has another password."""
ENDPOINT = (layout.CONFIGURATION_ENDPOINT,)


def primary(world: World, shard: str) -> Node:
    """A shard's primary now."""
    return world.cluster.state.node(world.cluster.primaries()[shard])


def replica(world: World, shard: str) -> Node:
    """A shard's replica: a fault of it causes no failover. Raises LabError when there is none."""
    primary_name = world.cluster.primaries().get(shard)
    for node in world.cluster.state.shard(shard):
        if node.name != primary_name:
            return node
    raise LabError(f"shard {shard} has no replica")


def all_names(world: World) -> tuple[str, ...]:
    """Every node's host name."""
    return tuple(node.hostname for node in world.cluster.nodes)


@contextmanager
def node_down(world: World) -> Iterator[ExpectedVerdicts]:
    """A replica's processes die; its HAProxy lives, takes connections and closes them."""
    node = replica(world, "0003")
    world.cluster.kill_node(node.name)
    try:
        view.wait_for_handshake(world, node.hostname, result=view.CLOSED, timeout_seconds=SECONDS)
        yield expect_verdicts(node.hostname, verdicts=(Verdict.NODE_DOWN,), beside=ENDPOINT)
    finally:
        world.cluster.restart_node(node.name)


@contextmanager
def wrong_password(world: World) -> Iterator[ExpectedVerdicts]:
    """A node's user has another password than the others', as in the middle of a rotation."""
    node = replica(world, "0002")
    with control(world, node, username=OTHER_USER) as connection:
        ask(connection, "ACL", "SETUSER", USERNAME, "resetpass", ">another-password")
        try:
            yield expect_verdicts(
                node.hostname, verdicts=(Verdict.WRONG_PASSWORD,), beside=ENDPOINT
            )
        finally:
            ask(connection, "ACL", "SETUSER", USERNAME, "resetpass", f">{view.password(world)}")


@contextmanager
def announces_ip(world: World) -> Iterator[ExpectedVerdicts]:
    """The parameter group has cluster-preferred-endpoint-type=ip: every node sends its clients to IP addresses."""
    nodes = world.cluster.nodes
    with preferring_ip(world, *nodes):
        names = [node.hostname for node in nodes]
        yield expect_verdicts(*names, verdicts=(Verdict.ANNOUNCES_IP,), beside=ENDPOINT)


@contextmanager
def one_announces_ip(world: World) -> Iterator[ExpectedVerdicts]:
    """One node alone sends its clients to IP addresses, as while a parameter group is being applied."""
    node = replica(world, "0003")
    others = tuple(name for name in all_names(world) if name != node.hostname)
    with preferring_ip(world, node):
        verdicts = (Verdict.ANNOUNCES_IP,)
        yield expect_verdicts(node.hostname, verdicts=verdicts, beside=(*others, *ENDPOINT))


@contextmanager
def preferring_ip(world: World, *nodes: Node) -> Iterator[None]:
    """These nodes announce IP addresses only."""

    def prefer(what: str) -> None:
        for node in nodes:
            with control(world, node) as connection:
                ask(connection, "CONFIG", "SET", PREFERRED, what)

    def only_addresses() -> bool:
        for node in nodes:
            with control(world, node) as connection:
                if any(place.endswith(layout.ZONE) for place in announced(connection)):
                    return False
        return True

    prefer("ip")
    try:
        wait_until(only_addresses, timeout_seconds=SECONDS, what="IP addresses to be announced")
        yield
    finally:
        prefer("hostname")
