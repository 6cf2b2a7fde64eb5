"""Runs the programs of the clients for all behaviours in one access mode."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import redis

from lab import layout
from lab.cluster.node import ask
from lab.conformance.run import programs
from lab.conformance.run.background_load import BackgroundLoad, start_load
from lab.conformance.run.resharding import reshard
from lab.conformance.suite.behaviours import (
    BEHAVIOURS,
    COMMANDS,
    CONNECT,
    WRONG_CA,
    WRONG_PASSWORD,
)
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import expect_refusal, mark_broken, observe, shorten
from lab.conformance.suite.verdicts import Observation
from lab.containers import container as containers
from lab.deployment.modes import AccessMode
from lab.deployment.product import FLEETS, Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.haproxies import haproxy_at, kill_haproxy, wait_until_restartable
from lab.faults.nodes import primary
from lab.observe.steady_state import control
from lab.wait import wait_until

CONNECT_SECONDS = 45.0
"""The 20 s of the contract, and what a program may need to start."""
COMMANDS_SECONDS = 20.0 * len(COMMANDS) + 40.0
OTHER_PASSWORD = "not-the-password"
SHARD = "0002"
"""The shard whose primary is killed."""
PROXY_SHARD = "0003"
"""The shard whose HAProxy is killed."""
RESTART_SECONDS = 60.0

Observations = dict[str, Observation]
"""By behaviour."""


class Runner:
    """The runs in one mode, which is deployed."""

    def __init__(self, world: World, mode: AccessMode) -> None:
        self._world = world
        self._mode = mode
        self._logs = world.run_dir / "logs" / "conformance" / mode.value
        self._environment = {
            **world.client_environment(mode),
            "LAB_SLOT_KEYS": str(programs.write_slot_keys(world.run_dir)),
        }

    def run_client(self, client: Client) -> Observations:
        """All behaviours but the events; a client that does not connect fails all, with that reason."""
        connected = self._connect(client, {})
        if not connected.passed:
            return dict.fromkeys(BEHAVIOURS, connected)
        clear(self._world)
        other_authority = str(self._world.run_dir / "wrong-ca.pem")
        return {
            CONNECT: connected,
            **self._run(client, "commands", COMMANDS, {}, COMMANDS_SECONDS),
            WRONG_PASSWORD: expect_refusal(self._connect(client, {"LAB_PASSWORD": OTHER_PASSWORD})),
            WRONG_CA: expect_refusal(self._connect(client, {"LAB_CA_FILE": other_authority})),
        }

    def run_event(self, event: str, clients: Sequence[Client]) -> dict[str, Observation]:
        """One event under the load of these clients; by client."""
        if not clients:
            return {}
        clear(self._world)
        with start_load(clients, self._environment, self._logs / event) as load:
            try:
                EVENTS[event](self._world, self._mode, load)
            except (LabError, redis.RedisError) as error:
                failed = mark_broken(shorten(f"the event itself failed: {error}"))
                return {client.name: failed for client in clients}
            load.wait_until_recovered()
            return load.finish()

    def _connect(self, client: Client, more: Mapping[str, str]) -> Observation:
        return self._run(client, CONNECT, (CONNECT,), more, CONNECT_SECONDS)[CONNECT]

    def _run(
        self,
        client: Client,
        action: str,
        behaviours: Sequence[str],
        more: Mapping[str, str],
        limit_seconds: float,
    ) -> Observations:
        log = self._logs / f"{client.name}-{'-'.join([action, *more]).lower()}.log"
        ended = programs.run(client, action, {**self._environment, **more}, log, limit_seconds)
        return observe(behaviours, ended, self._environment["LAB_PASSWORD"])


def clear(world: World) -> None:
    """Removes all keys and scripts, those of the client before. Raises redis.RedisError."""
    primaries = world.cluster.primaries().values()
    for node in world.cluster.nodes:
        with control(world, node) as connection:
            ask(connection, "SCRIPT", "FLUSH")
            if node.name in primaries:
                ask(connection, "FLUSHALL")


def proxies(mode: AccessMode, world: World) -> Sequence[str]:
    """Addresses of proxies: when they are killed one after the other, every client loses one that it uses."""
    envoys, shared = FLEETS
    if mode.by_envoy:
        return Product(envoys).records()[layout.ENVOY_ENDPOINT]
    if mode is AccessMode.SHARED:
        return Product(shared).records()[f"*.{layout.ZONE}"]
    return Product().records()[primary(world, PROXY_SHARD).hostname]


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
