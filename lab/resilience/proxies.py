"""Faults of HAProxies and their hosts. The nodes stay in order, so HAProxies cause every effect on a client."""

from pathlib import Path

from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.haproxies import (
    addresses_of,
    busiest,
    haproxy_at,
    kill_haproxy,
    lose_task,
    wait_until_records_left,
    wait_until_restartable,
)
from lab.faults.network import silence, sustain
from lab.faults.nodes import primary
from lab.observe import ecs as fleet
from lab.observe.haproxies import measure_usage
from lab.resilience.limits import (
    NEXT_ADDRESS_SECONDS,
    TTL_SECONDS,
    assert_noticed,
    assert_within_limits,
)
from lab.resilience.loads import side_by_side
from lab.resilience.nodes import node_host_silent
from lab.scenarios.deploy import OTHER_IMAGE
from lab.scenarios.scenario import Figures, expect

NODES = 6
ECS_NOTICES_SECONDS = 10.0
"""The time after which the lab's ECS notices a silent host: an assumption, as AWS documents no such time."""
REPLACED_SECONDS = 120.0
BOTH = 2
TIMED_OUT_SECONDS = 1.0
"""Less than the clients' socket timeout, which a client connected to a silent host has to wait for."""


def proxy_killed(world: World) -> Figures:
    """SIGKILL for a primary's only HAProxy: it comes back. Without HAProxies nothing happens at all."""
    product = Product()
    name = primary(world, "0002").hostname
    (address,) = addresses_of(product, name, count=1)
    wait_until_restartable(world.run_dir, address)
    with side_by_side(world, "proxy-killed", direct_fresh=True) as loads:
        before = haproxy_at(world.run_dir, address)
        kill_haproxy(world.run_dir, address)
        loads.wait_until_recovered()
        again = haproxy_at(world.run_dir, address)
    seen: Figures = {"another_process": again.pid != before.pid, **loads.figures}
    expect(seen["another_process"], "HAProxy must run again, in its task", seen)
    expect(product.records()[name] == (address,), "at the same address", seen)
    return assert_within_limits(seen, gap=TTL_SECONDS)


def proxy_replaced_by_deploy(world: World) -> Figures:
    """A deploy replaces all six HAProxies under load: another image, one after the other in each shard."""
    product = Product()
    before = fleet.services(product)
    with side_by_side(world, "rolling", direct_fresh=True) as loads:
        aws.deploy(directory=aws.app_with(image=OTHER_IMAGE))
    after = fleet.services(product)
    rolled = sum(not one.tasks & before[node].tasks for node, one in after.items())
    seen: Figures = {"rolled": rolled, **loads.figures}
    expect(rolled == NODES, f"all {NODES} services must have another task", seen)
    return assert_within_limits(seen, retried_once=True)


def two_proxies_per_node_killed_one(world: World) -> Figures:
    """SIGKILL for one of the two HAProxies of a primary: its clients try the next address."""
    product = Product()
    both = addresses_of(product, primary(world, "0001").hostname, count=BOTH)
    for one in both:
        wait_until_restartable(world.run_dir, one)
    with side_by_side(world, "killed-one-of-two", direct_fresh=True) as loads:
        address = busiest(world, both)
        sessions = measure_usage(world.run_dir, {address}).sessions
        kill_haproxy(world.run_dir, address)
    seen: Figures = {"killed": address, "its_sessions": sessions, **loads.figures}
    expect(sessions, "the killed one must have had sessions", seen)
    return assert_within_limits(seen, gap=NEXT_ADDRESS_SECONDS)


def proxy_host_silent(world: World) -> Figures:
    """A HAProxy's host falls silent, no RST: clients time out and go to the other. Beside it: a node's host."""
    product = Product()
    name = primary(world, "0001").hostname
    both = addresses_of(product, name, count=BOTH)
    with side_by_side(world, "silent-host") as loads, silence(busiest(world, both)):
        loads.wait_until_recovered()
    seen: Figures = {**loads.figures, "direct": node_host_silent(world, "0001")}
    assert_noticed(seen, "pooled", TIMED_OUT_SECONDS)
    seen["one_haproxy"] = lose_both(world, product)
    return assert_within_limits(seen)


def lose_both(world: World, product: Product) -> Figures:
    """A node loses both HAProxies: unreachable until ECS notices, replaces them, and the record has moved."""
    both = addresses_of(product, primary(world, "0002").hostname, count=BOTH)
    with side_by_side(world, "silent-both") as loads, silence(*both):
        lose_silent_tasks(world.run_dir, product, both)
        loads.wait_until_recovered()
    return {"ecs_notices_seconds": ECS_NOTICES_SECONDS, **loads.figures}


def half_of_proxies_gone(world: World) -> Figures:
    """One of each node's two is lost at the same time, silently: nothing is dark, and ECS replaces them."""
    product = Product()
    pairs = [addresses_of(product, node.hostname, count=BOTH) for node in world.cluster.nodes]
    with side_by_side(world, "half-gone") as loads:
        silent = tuple(busiest(world, both) for both in pairs)
        with silence(*silent):
            loads.wait_until_recovered()
            lose_silent_tasks(world.run_dir, product, silent)
            loads.wait_until_recovered()
    direct = node_host_silent(world, "0003")
    seen: Figures = {"lost_haproxies": len(silent), **loads.figures, "direct": direct}
    assert_noticed(seen, "pooled", TIMED_OUT_SECONDS)
    return assert_within_limits(seen)


def lose_silent_tasks(run_dir: Path, product: Product, silent: tuple[str, ...]) -> None:
    """ECS notices after its time that these tasks are lost; the records follow to their replacements."""
    sustain(ECS_NOTICES_SECONDS)
    for address in silent:
        lose_task(run_dir, address)
    wait_until_records_left(product, *silent, count=BOTH, timeout_seconds=REPLACED_SECONDS)
