"""Where the benchmark runs: the lab's world with the product deployed, and nothing else at work.

It must never be used for a promise about safety: the nodes ask for no password.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.crc import key_slot

from lab import layout
from lab.cluster import node as valkey
from lab.cluster.node import Node, ask
from lab.containers import container as containers
from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import Say, World
from lab.errors import LabError

CONTROL_PLANE = "lab.fake_aws"


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard's primary, which is measured."""

    node: Node
    tag: str
    """A hash tag whose slot the node owns: the load generator follows no MOVED."""
    haproxy: containers.RunningContainer
    """The task that the deploy made for the node."""

    @property
    def channel(self) -> str:
        """A channel of the node's."""
        return f"bench:{{{self.tag}}}"

    @property
    def keys(self) -> str:
        """What every key begins with."""
        return f"key:{{{self.tag}}}:"


@dataclass(frozen=True, slots=True)
class Site:
    """The world, and the shards that are measured."""

    world: World
    shards: tuple[Shard, ...]

    @property
    def first(self) -> Shard:
        """The shard of a load that has one only."""
        return self.shards[0]

    def connection(self, shard: Shard) -> redis.Redis:
        """The lab's own connection to a shard's primary."""
        return _connection(self.world, shard.node)


def up(say: Say) -> Site:
    """Brings the world up, deploys, and opens the direct way. Raises LabError."""
    world = World.start(layout.run_dir(), say)
    say("cdk deploy -c env=lab: the HAProxies as they are deployed")
    aws.deploy()
    say("no passwords, and the control plane asleep")
    for node in world.cluster.nodes:
        ask(
            _connection(world, node),
            *("ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all"),
        )
    shards = tuple(_shard(world, name) for _, name in sorted(world.cluster.primaries().items()))
    _pause(CONTROL_PLANE)
    return Site(world, shards)


def _shard(world: World, primary: str) -> Shard:
    node = world.cluster.state.node(primary)
    addresses = Product().records()[node.hostname]
    task = next(c for c in containers.running(world.run_dir) if c.address in addresses)
    return Shard(node, _tag(world, node), task)


def _connection(world: World, node: Node) -> redis.Redis:
    password = world.client_environment()["LAB_PASSWORD"]
    return valkey.connect(node, world.run_dir, password)


def _tag(world: World, node: Node) -> str:
    owned = {
        slot
        for first, last, primary, *_ in ask(_connection(world, node), "CLUSTER", "SLOTS")
        if primary[0] == node.hostname
        for slot in range(first, last + 1)
    }
    return next(str(n) for n in range(1000) if key_slot(str(n).encode()) in owned)


def _pause(module: str) -> None:
    """Health checks and timers of the fake AWS would take their turns on the cores that are measured."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if module.encode() in words:
            os.kill(int(directory.name), signal.SIGSTOP)
            return
    raise LabError(f"no process {module} in this sandbox")
