"""Where the benchmark runs: the lab with the product deployed, nodes without a password, and a stopped fake AWS."""

from dataclasses import dataclass

import psutil

from lab import layout
from lab.cluster.membership import by_name
from lab.cluster.node import Node, ask
from lab.containers import container as containers
from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import Say, World
from lab.errors import LabError
from lab.faults.haproxies import haproxy_at
from lab.faults.nodes import primary
from lab.observe.steady_state import control
from nodeway.client.slots import hash_tags

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
        """A shard channel of the node."""
        return f"bench:{{{self.tag}}}"

    @property
    def keys(self) -> str:
        """The prefix of every key."""
        return f"key:{{{self.tag}}}:"


@dataclass(frozen=True, slots=True)
class Testbed:
    """The lab, and the shards that are measured."""

    world: World
    shards: tuple[Shard, ...]

    @property
    def first(self) -> Shard:
        """The shard of a load that has one only."""
        return self.shards[0]

    @property
    def ca_file(self) -> str:
        """The certificate authority of the nodes."""
        return str(self.world.run_dir / "ca.pem")


def start_testbed(say: Say) -> Testbed:
    """Starts the lab, deploys, lets everybody into the nodes, and stops the fake AWS. Raises LabError."""
    world = World.start(layout.run_dir(), say)
    say("cdk deploy -c env=lab: the HAProxies as they are deployed")
    aws.deploy()
    say("no passwords, and the fake AWS stopped")
    open_acl = ("ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all")
    for node in world.cluster.nodes:
        with control(world, node) as connection:
            ask(connection, *open_acl)
    shards = tuple(_shard(world, shard) for shard in sorted(world.cluster.primaries()))
    _stop_process(CONTROL_PLANE)
    return Testbed(world, shards)


def _shard(world: World, name: str) -> Shard:
    node = primary(world, name)
    (address,) = Product().records()[node.hostname]
    with control(world, node) as connection:
        tag = hash_tags()[by_name(connection)[node.name].slots[0][0]]
    return Shard(node, tag, haproxy_at(world.run_dir, address))


def _stop_process(module: str) -> None:
    """Stops (SIGSTOP) the process that runs a module: its timers would take CPU from what is measured."""
    for process in psutil.process_iter(["cmdline"]):
        if module in (process.info["cmdline"] or ()):
            process.suspend()
            return
    raise LabError(f"no process {module} in this sandbox")
