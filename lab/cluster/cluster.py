"""The lab's ElastiCache: a real cluster, and the operations that start, fail, recover and scale it.

Any process in the router's network can `attach`, since all state is in the run directory. lab.cluster.state derives
from the nodes what AWS's API answers.
"""

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import redis

from lab.cluster import membership
from lab.cluster import node as valkey
from lab.cluster import resharding as slots
from lab.cluster.node import Node, Server, ask
from lab.cluster.state import State, shares
from lab.errors import LabError
from lab.state_files import write_json
from lab.wait import wait_until

SHARDS = 3
START_SECONDS = 60.0
FAILOVER_SECONDS = 60.0

T = TypeVar("T")


class Cluster:
    """The cluster of the lab that runs in `run_dir`; every method raises LabError when it fails."""

    def __init__(self, run_dir: Path) -> None:
        """Use `start` or `attach`."""
        self.run_dir = run_dir
        self.state = State(run_dir)
        self._password: str = json.loads((run_dir / "credentials.json").read_text())["password"]

    @classmethod
    def attach(cls, run_dir: Path) -> "Cluster":
        """The cluster that another process has started."""
        if not (run_dir / "cache.json").exists():
            raise LabError(
                f"no cluster is up ({run_dir / 'cache.json'} does not exist): run `nodeway lab up`"
            )
        return cls(run_dir)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes by name, whatever their status."""
        return self.state.nodes

    def form(self) -> None:
        """Start all nodes, make them one cluster, and set their status to `available`."""
        self._start(self.nodes)
        membership.form(self.nodes, self._connections())
        for shard in {node.shard for node in self.nodes}:
            self.state.set_status(shard, "available")

    def primaries(self) -> dict[str, str]:
        """Shard to the name of its primary, as a running node sees it; a shard without one is left out."""
        for connection in self._connections().values():
            leading = _when_it_answers(partial(self._primaries_seen_by, connection))()
            if leading is not None:
                return leading
        raise LabError("no node of the cluster answers; see logs/ in the run directory")

    def failover(self, shard: str) -> str:
        """Let a replica take over without loss (CLUSTER FAILOVER); returns the new primary's name."""
        old = self._primary(shard)
        replica = next((n for n in self.state.shard(shard) if n.name != old and n.alive), None)
        if replica is None:
            raise LabError(f"shard {shard} has no replica that runs: restart it first")
        ask(self._connection(replica), "CLUSTER", "FAILOVER")
        return self.wait_for_primary(shard, other_than=old)

    def kill_node(self, name: str) -> None:
        """Kill a node with its TLS front; `restart_node` recovers it, as AWS would after a while."""
        valkey.kill(self.state.node(name))

    def kill_primary(self, shard: str) -> str:
        """Kill the primary of a shard; returns its name. The replica takes over by itself."""
        name = self._primary(shard)
        self.kill_node(name)
        return name

    def wait_for_primary(self, shard: str, *, other_than: str) -> str:
        """Wait until all running nodes see another primary of a shard; returns its name."""

        def found() -> str | None:
            seen = {
                self._primaries_seen_by(connection).get(shard)
                for connection in self._connections().values()
            }
            return seen.pop() if len(seen) == 1 and other_than not in seen else None

        what = f"a primary of shard {shard} other than {other_than}"
        name = wait_until(_when_it_answers(found), timeout_seconds=FAILOVER_SECONDS, what=what)
        return str(name)

    def restart_node(self, name: str, *, new_address: bool = False) -> None:
        """Recover a killed node under its own name, optionally at another address, as AWS may do."""
        node = self.state.node(name)
        if new_address:
            address, _ = self.state.free_place()
            internal = address if node.internal == node.address else node.internal
            node = replace(node, address=address, internal=internal)
        self._start([node])

        def in_sync() -> bool:
            views = {
                self._primaries_seen_by(connection).get(node.shard)
                for connection in self._connections().values()
            }
            if len(views) != 1 or None in views:
                return False
            return name in views or valkey.in_sync(self._connection(node))

        what = f"{name} to be back in the cluster"
        wait_until(_when_it_answers(in_sync), timeout_seconds=FAILOVER_SECONDS, what=what)

    def announce_shard(self) -> str:
        """First half of a scale-out: the API shows a new shard's nodes as `creating`; returns the shard."""
        return self.state.add_shard()

    def bring_up_shard(self, shard: str) -> None:
        """Second half: the nodes run, join the cluster without slots, and are `available`."""
        self._start(self.state.shard(shard))
        membership.join(self.state.shard(shard), self._connections())
        self.state.set_status(shard, "available")

    def add_shard(self) -> str:
        """Scale out by one shard without slots; returns the shard."""
        shard = self.announce_shard()
        self.bring_up_shard(shard)
        return shard

    def move_slots(self, to_shard: str, count: int) -> int:
        """Move `count` slots to a shard, evenly from all others, while clients use them; returns how many moved."""
        target = self._primary(to_shard)
        plan = shares(count, sorted(set(self.primaries().values()) - {target}))
        return slots.move(plan, self.state.node(target), self._connections(), self._password)

    def slots_of(self, shard: str) -> list[int]:
        """The slots that a shard's primary says it owns."""
        name = self._primary(shard)
        owned = membership.by_name(self._connections()[name])[name].slots
        return [slot for piece in owned for slot in piece]

    def move_by_hand(
        self, moving: Collection[int], shards: tuple[str, str], *, while_open: Callable[[], object]
    ) -> None:
        """Move these slots from one shard to another so that clients get ASK: see `slots.move_by_hand`."""
        source, target = map(self._primary, shards)
        slots.move_by_hand(
            moving,
            source,
            self.state.node(target),
            self._connections(),
            self._password,
            while_open=while_open,
        )

    def remove_shard(self, shard: str) -> None:
        """Scale in: move the slots to the other shards, forget the nodes, remove them from the API and public DNS."""
        leaving = self._primary(shard)
        self.state.set_status(shard, "deleting")
        connections = self._connections()
        known = membership.by_name(connections[leaving])
        owned = sum(map(len, known[leaving].slots))
        for target, count in shares(
            owned, sorted(set(self.primaries().values()) - {leaving})
        ).items():
            slots.move({leaving: count}, self.state.node(target), connections, self._password)
        gone = self.state.shard(shard)
        for node in gone:
            valkey.kill(node)
            connections.pop(node.name, None)
        for connection in connections.values():
            for node in gone:
                ask(connection, "CLUSTER", "FORGET", known[node.name].node_id)
        self.state.remove_shard(shard)

    def _primary(self, shard: str) -> str:
        self.state.shard(shard)
        name = self.primaries().get(shard)
        if name is None:
            raise LabError(
                f"shard {shard} has no primary now: wait for its failover, or restart a node"
            )
        return name

    def _primaries_seen_by(self, connection: redis.Redis) -> dict[str, str]:
        """Shard to primary, as one node knows it."""
        shards = {node.name: node.shard for node in self.nodes}
        leading = sorted(m.name for m in membership.members(connection) if m.primary)
        return {shards[name]: name for name in leading if name in shards}

    def _connection(self, node: Node) -> redis.Redis:
        return valkey.connect(node, self.run_dir, self._password)

    def _connections(self) -> dict[str, redis.Redis]:
        """To every node that runs."""
        return {node.name: self._connection(node) for node in self.nodes if node.alive}

    def _start(self, nodes: Sequence[Node]) -> None:
        """Start nodes at the same time, and wait until all answer."""
        server = self.state.server
        started = [
            replace(n, pids=valkey.start(n, server, self.run_dir, self._password)) for n in nodes
        ]
        self.state.put(started)
        with ThreadPoolExecutor() as threads:
            list(threads.map(self._wait_for, started))

    def _wait_for(self, node: Node) -> None:
        def ping() -> bool:
            if not node.alive:
                raise LabError(
                    f"node {node.name} has ended; see logs/{node.name}*.log in {self.run_dir}"
                )
            return bool(self._connection(node).ping())

        wait_until(
            _when_it_answers(ping),
            timeout_seconds=START_SECONDS,
            what=f"{node.name} to answer",
        )


def start(run_dir: Path, server: Server) -> Cluster:
    """Start 3 shards of 2 nodes and make them a cluster; needs the networks and the certificates.

    Raises LabError when a node does not answer.
    """
    credentials = {"username": valkey.USERNAME, "password": valkey.new_password()}
    write_json(run_dir / "credentials.json", credentials, mode=0o600)
    cluster = Cluster(run_dir)
    cluster.state.create(server)
    for _ in range(SHARDS):
        cluster.state.add_shard()
    cluster.form()
    return cluster


def _when_it_answers(check: Callable[[], T]) -> Callable[[], T | None]:
    """The check, with None in place of a server's error."""

    def asked() -> T | None:
        try:
            return check()
        except redis.RedisError:
            return None

    return asked
