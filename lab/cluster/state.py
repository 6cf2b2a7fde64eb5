"""The state of the lab's cluster, in the run directory, for every process.

`State.changing` changes it, and writes what AWS says from it (elasticache.json, public_dns.json).
"""

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from lab import layout
from lab.cluster import describe as elasticache
from lab.cluster.node import Node, Server
from lab.errors import LabError
from lab.state_files import write_json

NODES_PER_SHARD = 2
FIRST_HOST = 256 + 10
"""Node n has the address 10.30.1.<10 + n>."""


@dataclass(frozen=True, slots=True)
class State:
    """The state files of the cluster that runs in `run_dir`."""

    run_dir: Path

    @property
    def path(self) -> Path:
        """The file that all others are derived from."""
        return self.run_dir / "cache.json"

    @property
    def server(self) -> Server:
        """The server of the nodes."""
        return Server(**json.loads(self.path.read_text())["server"])

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes by name, whatever their status."""
        return tuple(Node(**node) for node in json.loads(self.path.read_text())["nodes"])

    def node(self, name: str) -> Node:
        """One node; raises LabError for an unknown name."""
        known = {node.name: node for node in self.nodes}
        if name not in known:
            raise LabError(f"no node {name!r}; there are {', '.join(known)}")
        return known[name]

    def shard(self, shard: str) -> list[Node]:
        """The nodes of a shard; raises LabError for an unknown one."""
        nodes = [node for node in self.nodes if node.shard == shard]
        if not nodes:
            there = ", ".join(sorted({node.shard for node in self.nodes}))
            raise LabError(f"no shard {shard!r}; there are {there}")
        return nodes

    def create(self, server: Server) -> None:
        """Write the state of a cluster without nodes."""
        self._save(server, [])

    @contextmanager
    def changing(self) -> Iterator[list[Node]]:
        """Change the list of nodes, one process at a time; everything that depends on it is written afterwards."""
        with (self.run_dir / "cache.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            nodes = list(self.nodes)
            yield nodes
            self._save(self.server, nodes)

    def add_shard(self) -> str:
        """Add nodes of one more shard, `creating`; returns the shard."""
        shard = f"{max((int(node.shard) for node in self.nodes), default=0) + 1:04d}"
        for member in range(1, NODES_PER_SHARD + 1):
            name = f"{layout.REPLICATION_GROUP}-{shard}-{member:03d}"
            address, internal = self.free_place()
            with self.changing() as nodes:
                nodes.append(Node(name, shard, address, internal))
        return shard

    def remove_shard(self, shard: str) -> None:
        """Remove the nodes of a shard."""
        with self.changing() as nodes:
            nodes[:] = [node for node in nodes if node.shard != shard]

    def set_status(self, shard: str, status: str) -> None:
        """Set what the API says of a shard's nodes: creating, available or deleting."""
        with self.changing() as nodes:
            nodes[:] = [replace(n, status=status) if n.shard == shard else n for n in nodes]

    def put(self, changed: Sequence[Node]) -> None:
        """Replace nodes by these of the same names."""
        fresh = {node.name: node for node in changed}
        with self.changing() as nodes:
            nodes[:] = [fresh.get(node.name, node) for node in nodes]

    def free_place(self) -> tuple[str, str]:
        """An address that no node has or had, and its internal one."""
        hosts = [int(layout.CACHE_VPC.cidr[0]) + FIRST_HOST]
        hosts += [int(ip_address(node.address)) for node in self.nodes]
        number = max(hosts) - hosts[0] + 1
        address = str(layout.CACHE_VPC.cidr[FIRST_HOST + number])
        return address, address if self.server.tls else str(layout.NODE_INTERNAL[number])

    def _save(self, server: Server, nodes: Sequence[Node]) -> None:
        write_json(
            self.path,
            {"server": asdict(server), "nodes": [asdict(node) for node in nodes]},
        )
        write_json(self.run_dir / "public_dns.json", elasticache.public_dns(nodes))
        write_json(self.run_dir / "elasticache.json", elasticache.describe(nodes))


def shares(count: int, names: Sequence[str]) -> Mapping[str, int]:
    """`count` in shares that differ by one at most."""
    return {
        name: count // len(names) + (position < count % len(names))
        for position, name in enumerate(names)
    }
