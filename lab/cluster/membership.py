"""How nodes become a cluster, and each node's view of it (CLUSTER NODES)."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import redis

from lab import layout
from lab.cluster.node import Node, ask, in_sync
from lab.wait import wait_until

SLOTS = 16384
BUS_PORT = layout.PORT + 10000
DEADLINE_SECONDS = 60.0

Connections = Mapping[str, redis.Redis]
"""By node name."""


@dataclass(frozen=True, slots=True)
class Member:
    """A line of CLUSTER NODES (https://valkey.io/commands/cluster-nodes/)."""

    node_id: str
    name: str
    flags: frozenset[str]
    primary_id: str
    slots: tuple[range, ...]

    @property
    def primary(self) -> bool:
        """Whether it leads its shard, and is not known to have failed."""
        return "master" in self.flags and not self.flags & {"fail", "handshake"}


def members(connection: redis.Redis) -> list[Member]:
    """A node's view, without nodes in handshake. Raises redis.RedisError."""
    said = str(ask(connection, "CLUSTER", "NODES"))
    known = [_member(line.split()) for line in said.splitlines()]
    return [member for member in known if "handshake" not in member.flags and member.name]


def by_name(connection: redis.Redis) -> dict[str, Member]:
    """A node's view, by node name."""
    return {member.name: member for member in members(connection)}


def form(nodes: Sequence[Node], connections: Connections) -> None:
    """Make a cluster of nodes that know no other; the first of each shard becomes its primary. Raises LabError."""
    primaries = _firsts(nodes)
    bounds = [round(i * SLOTS / len(primaries)) for i in range(len(primaries) + 1)]
    for number, node in enumerate(primaries):
        connection = connections[node.name]
        ask(connection, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        ask(
            connection,
            "CLUSTER",
            "ADDSLOTSRANGE",
            bounds[number],
            bounds[number + 1] - 1,
        )
    join(nodes, connections)


def join(nodes: Sequence[Node], connections: Connections) -> None:
    """Introduce nodes to all others and put replicas behind their primaries, and wait until all agree.

    `connections` are to every node of the cluster, old and new. Raises LabError after a minute.
    """
    for connection in connections.values():
        for node in nodes:
            # everybody to everybody: gossip alone takes seconds
            ask(connection, "CLUSTER", "MEET", node.internal, layout.PORT, BUS_PORT)
    everyone = set(connections)
    wait_until(
        lambda: all(set(by_name(c)) == everyone for c in connections.values()),
        timeout_seconds=DEADLINE_SECONDS,
        what="the nodes to know each other",
    )
    primaries = {node.shard: node for node in _firsts(nodes)}
    for node in nodes:
        primary = primaries[node.shard]
        if node.name != primary.name:
            known = by_name(connections[node.name])
            ask(
                connections[node.name],
                "CLUSTER",
                "REPLICATE",
                known[primary.name].node_id,
            )
    replicas = {node.name for node in nodes if node.name != primaries[node.shard].name}
    wait_until(
        lambda: _settled(connections, replicas),
        timeout_seconds=DEADLINE_SECONDS,
        what="the cluster's state to be ok with every replica in sync",
    )


def _settled(connections: Connections, replicas: set[str]) -> bool:
    def ready(name: str) -> bool:
        connection = connections[name]
        if "cluster_state:ok" not in str(ask(connection, "CLUSTER", "INFO")):
            return False
        if not replicas <= {
            member.name for member in members(connection) if "slave" in member.flags
        }:
            return False
        return name not in replicas or in_sync(connection)

    with ThreadPoolExecutor() as threads:
        return all(threads.map(ready, connections))


def _firsts(nodes: Sequence[Node]) -> list[Node]:
    """The first node of each shard, shards in order."""
    firsts: dict[str, Node] = {}
    for node in nodes:
        firsts.setdefault(node.shard, node)
    return list(firsts.values())


def _member(words: Sequence[str]) -> Member:
    # <id> <ip:port@bus,hostname[,more]> <flags> <primary> <ping> <pong> <epoch> <link> <slot> ...
    hostname = [*words[1].split(","), ""][1]
    slots = [word for word in words[8:] if not word.startswith("[")]  # [..]: a slot on its way
    return Member(
        node_id=words[0],
        name=hostname.partition(".")[0],
        flags=frozenset(flag.rstrip("?") for flag in words[2].split(",") if flag != "fail?"),
        primary_id=words[3],
        slots=tuple(_slot_range(word) for word in slots),
    )


def _slot_range(word: str) -> range:
    first, _, last = word.partition("-")
    return range(int(first), int(last or first) + 1)
