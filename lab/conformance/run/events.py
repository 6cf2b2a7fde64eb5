"""What happens to proxies and nodes while all clients write."""

from collections.abc import Callable, Mapping
from functools import partial

from lab.conformance.run.background_load import BackgroundLoad
from lab.conformance.run.resharding import reshard
from lab.conformance.suite.modes import proxies
from lab.containers import container as containers
from lab.deployment.modes import AccessMode
from lab.deployment.world import World
from lab.faults.haproxies import haproxy_at, kill_haproxy, wait_until_restartable
from lab.wait import wait_until

SHARD = "0002"
"""The shard whose primary is killed."""
RESTART_SECONDS = 60.0


def kill_proxies(world: World, mode: AccessMode, load: BackgroundLoad) -> None:
    """Kills a proxy, which restarts; where each client uses one of several, one after the other."""
    for address in proxies(mode, world):
        wait_until_restartable(world.run_dir, address)
        before = haproxy_at(world.run_dir, address).pid
        kill_haproxy(world.run_dir, address)
        wait_until(
            partial(_runs_again, world, address, before),
            timeout_seconds=RESTART_SECONDS,
            what=f"the proxy at {address} to run again",
        )
        load.wait_until_recovered()


def _runs_again(world: World, address: str, before: int) -> bool:
    running = containers.running(world.run_dir)
    return any(one.address == address and one.pid != before for one in running)


def fail_over(world: World, load: BackgroundLoad) -> None:
    """Kills a primary, whose replica takes over; restarts it as a replica once all clients have recovered."""
    killed = world.cluster.kill_primary(SHARD)
    world.cluster.wait_for_primary(SHARD, other_than=killed)
    load.wait_until_recovered()
    world.cluster.restart_node(killed)


EVENTS: Mapping[str, Callable[[World, AccessMode, BackgroundLoad], None]] = {
    "proxy_killed": kill_proxies,
    "failover": lambda world, _, load: fail_over(world, load),
    "reshard": lambda world, _, load: reshard(world, load),
}
