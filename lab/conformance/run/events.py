"""What happens while all clients write, and what each of them made of it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import redis

from lab.conformance.run import nodes
from lab.conformance.run.ask_redirects import reshard
from lab.conformance.run.writers import Crowd, crowd
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.modes import Way
from lab.conformance.suite.observe import broken, shortened
from lab.conformance.suite.verdicts import Observation
from lab.containers import container as containers
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.haproxies import haproxy_at, kill_haproxy, wait_until_restartable
from lab.wait import wait_until

SHARD = "0002"
"""The shard whose primary is killed."""
BACK_SECONDS = 60.0


def proxy_killed(world: World, way: Way, together: Crowd) -> None:
    """A proxy dies and comes back; where each client uses one of several, they have their turns."""
    for address in way.proxies(world):
        wait_until_restartable(world.run_dir, address)
        before = haproxy_at(world.run_dir, address).pid
        kill_haproxy(world.run_dir, address)
        wait_until(
            partial(_runs_again, world, address, before),
            timeout_seconds=BACK_SECONDS,
            what=f"the proxy at {address} to run again",
        )
        together.recovered()


def _runs_again(world: World, address: str, before: int) -> bool:
    found = containers.running(world.run_dir)
    return any(one.address == address and one.pid != before for one in found)


def failover(world: World, _: Way, together: Crowd) -> None:
    """A primary dies, its replica takes over; later the dead one is back as a replica."""
    killed = world.cluster.kill_primary(SHARD)
    world.cluster.wait_for_primary(SHARD, other_than=killed)
    together.recovered()
    world.cluster.restart_node(killed)


def reshard_with_ask(world: World, _: Way, together: Crowd) -> None:
    """Slots move to another shard key by key."""
    reshard(world, together)


PLAYS: Mapping[str, Callable[[World, Way, Crowd], None]] = {
    "proxy_killed": proxy_killed,
    "failover": failover,
    "reshard": reshard_with_ask,
}


def play(
    world: World,
    way: Way,
    event: str,
    clients: Sequence[Client],
    environment: Mapping[str, str],
    logs: Path,
) -> dict[str, Observation]:
    """Plays an event under the load of these clients; gives what was seen of each."""
    if not clients:
        return {}
    nodes.empty(world)
    with crowd(clients, environment, logs) as together:
        try:
            PLAYS[event](world, way, together)
        except (LabError, redis.RedisError) as error:
            why = broken(shortened(f"the event itself failed: {error}"))
            return {client.name: why for client in clients}
        together.recovered()
        return together.observations()
