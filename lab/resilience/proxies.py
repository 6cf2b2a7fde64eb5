"""Faults of HAProxies and their hosts. The nodes stay well in all of them, so what a client sees is ours alone."""

from pathlib import Path

from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.haproxies_tasks import addresses, aged, busiest, gone_from_records, primary_name
from lab.faults.links_lasting import lasting
from lab.faults.silence import silenced
from lab.observe import ecs as fleet
from lab.observe.haproxies import held
from lab.resilience.limits import NEXT_ADDRESS_SECONDS, TTL_SECONDS, felt, hold
from lab.resilience.loads import side_by_side
from lab.resilience.nodes import node_host_silent
from lab.scenarios.basics import haproxy_at, kill_haproxy, lose_task
from lab.scenarios.deploy import OTHER_IMAGE
from lab.scenarios.scenario import Figures, promise

NODES = 6
ECS_NOTICES_SECONDS = 10.0
"""The lab's assumption: how long ECS takes to see that a host is silent. AWS states no such time."""
REPLACED_SECONDS = 120.0
BOTH = 2
TIMED_OUT_SECONDS = 1.0
"""Less than the clients' socket timeout: who was connected to a silent host has waited longer."""


def proxy_killed(world: World) -> Figures:
    """SIGKILL for a primary's only HAProxy: it comes back. Without HAProxies nothing happens at all."""
    product = Product()
    name = primary_name(world, "0002")
    (address,) = addresses(product, name, count=1)
    aged(world, address)
    with side_by_side(world, "proxy-killed", direct_fresh=True) as loads:
        before = haproxy_at(world.run_dir, address)
        kill_haproxy(world.run_dir, address)
        loads.recovered()
        again = haproxy_at(world.run_dir, address)
    seen: Figures = {"another_process": again.pid != before.pid, **loads.figures}
    promise(seen["another_process"], "HAProxy must run again, in its task", seen)
    promise(product.records()[name] == (address,), "at the same address", seen)
    hold(seen, gap=TTL_SECONDS)
    return seen


def proxy_replaced_by_deploy(world: World) -> Figures:
    """A deploy replaces all six HAProxies under load: another image, one after the other in each shard."""
    product = Product()
    before = fleet.services(product)
    with side_by_side(world, "rolling", direct_fresh=True) as loads:
        aws.deploy(directory=aws.app_with(image=OTHER_IMAGE))
        loads.recovered()
    after = fleet.services(product)
    rolled = sum(not one.tasks & before[node].tasks for node, one in after.items())
    seen: Figures = {"rolled": rolled, **loads.figures}
    promise(rolled == NODES, f"all {NODES} services must have another task", seen)
    hold(seen, retried_once=True)
    return seen


def two_proxies_per_node_killed_one(world: World) -> Figures:
    """SIGKILL for one of the two HAProxies of a primary: its clients try the next address."""
    product = Product()
    both = addresses(product, primary_name(world, "0001"), count=BOTH)
    for one in both:
        aged(world, one)
    with side_by_side(world, "killed-one-of-two", direct_fresh=True) as loads:
        address = busiest(world, both)
        sessions = held(world.run_dir, {address}).sessions
        kill_haproxy(world.run_dir, address)
        loads.recovered()
    seen: Figures = {"killed": address, "its_sessions": sessions, **loads.figures}
    promise(sessions, "the killed one must have had sessions", seen)
    hold(seen, gap=NEXT_ADDRESS_SECONDS)
    return seen


def proxy_host_silent(world: World) -> Figures:
    """A HAProxy's host falls silent, no RST: clients time out and go to the other. Beside it: a node's host."""
    product = Product()
    name = primary_name(world, "0001")
    both = addresses(product, name, count=BOTH)
    with side_by_side(world, "silent-host") as loads, silenced(busiest(world, both)):
        loads.recovered()
    seen: Figures = {**loads.figures, "direct": node_host_silent(world, "0001")}
    felt(seen, "pooled", TIMED_OUT_SECONDS)
    seen["without_a_second"] = without_a_second(world, product)
    hold(seen)
    return seen


def without_a_second(world: World, product: Product) -> Figures:
    """What it costs a node with no other: dark until ECS notices, replaces it, and the record has moved."""
    both = addresses(product, primary_name(world, "0002"), count=BOTH)
    with side_by_side(world, "silent-both") as loads, silenced(*both):
        lose_later(world.run_dir, product, both)
        loads.recovered()
    return {"ecs_notices_seconds": ECS_NOTICES_SECONDS, **loads.figures}


def half_of_proxies_gone(world: World) -> Figures:
    """One of each node's two is lost at the same time, silently: nothing is dark, and ECS replaces them."""
    product = Product()
    pairs = [addresses(product, node.hostname, count=BOTH) for node in world.cluster.nodes]
    with side_by_side(world, "half-gone") as loads:
        silent = tuple(busiest(world, both) for both in pairs)
        with silenced(*silent):
            loads.recovered()
            lose_later(world.run_dir, product, silent)
            loads.recovered()
    seen: Figures = {
        "lost_haproxies": len(silent),
        **loads.figures,
        "direct": node_host_silent(world, "0003"),
    }
    felt(seen, "pooled", TIMED_OUT_SECONDS)
    hold(seen)
    return seen


def lose_later(run_dir: Path, product: Product, silent: tuple[str, ...]) -> None:
    """After its time ECS notices that these are lost; the records follow to others."""
    lasting(ECS_NOTICES_SECONDS)
    for address in silent:
        lose_task(run_dir, address)
    gone_from_records(product, *silent, count=BOTH, timeout_seconds=REPLACED_SECONDS)
