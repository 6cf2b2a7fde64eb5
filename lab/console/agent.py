"""`python -m lab.console.agent REQUEST…`: carries out one request of a user inside the sandbox of a running lab."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence

from lab import layout
from lab.console import stay
from lab.deployment import cdk as aws
from lab.deployment.modes import AccessMode, deploy, ready
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.haproxies import kill_haproxy
from lab.host.foreground import run_foreground
from lab.scenarios.basics import NEW_SHARD_SLOTS

FAILED = 125


def client(world: World, mode: AccessMode, argv: Sequence[str]) -> int:
    """Run a command in the client's network; returns its exit code, 127 when there is no such command.

    A mode that the lab does not have yet is deployed first.
    """
    if not ready(mode, world.run_dir):
        say(f"cdk deploy of the mode {mode}")
        deploy(mode, world.run_dir)
    words, environment = world.client_command(argv, mode)
    return run_foreground(words, environment=environment)


def on_aws_side(argv: Sequence[str]) -> int:
    """Run a command beside the fake AWS, with its endpoint and keys, in the deployed CDK project."""
    run_dir = layout.run_dir()
    environment = aws.cdk_environment(run_dir)
    command = shutil.which(argv[0], path=environment["PATH"])
    if command is None:
        msg = f"no command {argv[0]!r}"
        raise LabError(msg)
    return run_foreground([command, *argv[1:]], aws.app_directory(run_dir), environment)


def start_for(mode: AccessMode, argv: Sequence[str]) -> int:
    """Start a lab for one command; its steps go to standard error, the exit code is the command's."""
    return client(stay.deployed(say), mode, argv)


def say(what: str) -> None:
    """Print a step to standard error."""
    sys.stderr.write(f"lab: {what}\n")


def failover(world: World, shard: str = "0001") -> str:
    """Fail a shard over gracefully."""
    return f"shard {shard} is led by {world.cluster.failover(shard)} now"


def kill_primary(world: World, shard: str = "0001") -> str:
    """Kill a shard's primary; its replica takes over."""
    killed = world.cluster.kill_primary(shard)
    return (
        f"{killed} was killed; {world.cluster.wait_for_primary(shard, other_than=killed)} leads now"
    )


def restart_node(world: World, name: str = "") -> str:
    """Restart a killed node under its name."""
    down = [node.name for node in world.cluster.nodes if not node.alive]
    if name not in down:
        msg = f"restart-node: got {name!r}; allowed: a node that is down ({', '.join(down) or 'none is'})"
        raise LabError(msg)
    world.cluster.restart_node(name)
    return f"{name} is back"


def kill_proxy(world: World, node: str = "demo-0001-001") -> str:
    """Kill the HAProxy of a node. ECS restarts it in its task, or replaces a task that is younger than 60 s."""
    addresses = Product().records().get(f"{node}.{layout.ZONE}", ())
    if not addresses:
        msg = f"no node {node}; there are {', '.join(sorted(Product().records()))}"
        raise LabError(msg)
    kill_haproxy(world.run_dir, addresses[0])
    return f"the HAProxy of {node} at {addresses[0]} was killed"


def scale_out(world: World) -> str:
    """Add a shard, deploy HAProxies and records for its nodes, and move slots to it."""
    shard = world.cluster.add_shard()
    aws.deploy("refresh=true")
    moved = world.cluster.move_slots(shard, NEW_SHARD_SLOTS)
    return f"shard {shard} has {moved} slots now"


def resync(_: World) -> str:
    """Run the deployed resync function once."""
    return json.dumps(Product().resync())


EVENTS: Mapping[str, Callable[..., str]] = {
    "failover": failover,
    "kill-primary": kill_primary,
    "restart-node": restart_node,
    "kill-proxy": kill_proxy,
    "scale-out": scale_out,
    "resync": resync,
}


def status(world: World) -> dict[str, object]:
    """The cluster, the records and the HAProxies."""
    product = Product()
    primaries = set(world.cluster.primaries().values())
    healthy = {str(p.address): p.healthy for p in product.proxies()}
    records = product.records()
    return {
        "endpoint": f"{layout.CONFIGURATION_ENDPOINT}:{layout.PORT}",
        "nodes": [
            {
                "name": node.name,
                "alive": node.alive,
                "role": "primary" if node.name in primaries else "replica",
                "proxies": [
                    {"address": a, "healthy": healthy.get(a, False)}
                    for a in records.get(node.hostname, ())
                ],
            }
            for node in world.cluster.nodes
        ],
    }


def main(words: Sequence[str]) -> int:
    """Carry out one request; returns an exit code."""
    what, *rest = words
    try:
        match what:
            case "client":
                return client(World.attach(layout.run_dir()), AccessMode(rest[0]), rest[1:])
            case "aws":
                return on_aws_side(rest)
            case "start-for":
                return start_for(AccessMode(rest[0]), rest[1:])
            case "status":
                sys.stdout.write(json.dumps(status(World.attach(layout.run_dir()))) + "\n")
            case "event":
                sys.stdout.write(EVENTS[rest[0]](World.attach(layout.run_dir()), *rest[1:]) + "\n")
    except LabError as error:
        sys.stderr.write(f"lab: {error}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
