"""Faults of the cluster's own nodes: the direct client has them as well, and the one through HAProxies may not have
much more.
"""

import json

import redis

from lab.cluster import node as valkey
from lab.cluster.membership import by_name
from lab.cluster.node import Node
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.network import hanging, silent_node, sustain
from lab.faults.nodes import primary
from lab.resilience.limits import felt, hold
from lab.resilience.loads import Loads, side_by_side
from lab.scenarios.scenario import Figures, expect
from lab.wait import wait_until

RESHARDED = 1000
HANG_SECONDS = 8.0
FELT_SECONDS = 1.0
"""Far less than the node timeout of 2 s, before which no replica takes over."""
TAKEN_OVER_SECONDS = 30.0


def primary_killed(world: World) -> Figures:
    """A primary dies without a word, and its replica takes over; later it comes back."""
    with side_by_side(world, "primary-killed", direct_fresh=True) as loads:
        with loads.failover(slots_of(world, "0001")):
            killed = world.cluster.kill_primary("0001")
            world.cluster.wait_for_primary("0001", other_than=killed)
        loads.recovered()
        world.cluster.restart_node(killed)
    seen: Figures = {"node": killed, **loads.figures}
    felt(seen, "direct", FELT_SECONDS)
    hold(seen)
    return seen


def failover_graceful(world: World) -> Figures:
    """A replica takes over as an operator asks for it (CLUSTER FAILOVER): nothing may be lost at all."""
    with side_by_side(world, "failover", direct_fresh=True) as loads:
        new = world.cluster.failover("0002")
        loads.recovered()
    seen: Figures = {"node": new, **loads.figures}
    hold(seen)
    return seen


def node_ip_changes_under_same_name(world: World) -> Figures:
    """A primary dies and comes back at another address under its name, and leads again."""
    product = Product()
    records = product.records()
    with side_by_side(world, "ip-changes", direct_fresh=True) as loads:
        with loads.failover(slots_of(world, "0003")):
            killed = world.cluster.kill_primary("0003")
            world.cluster.wait_for_primary("0003", other_than=killed)
        world.cluster.restart_node(killed, new_address=True)
        world.cluster.failover("0003")
        loads.recovered()
    seen: Figures = {"node": killed, **loads.figures}
    felt(seen, "direct", FELT_SECONDS)
    expect(product.records() == records, "no record may move", seen)
    hold(seen)
    return seen


def node_hangs(world: World) -> Figures:
    """A primary takes connections and never answers: its replica takes over, and it becomes one when it wakes up."""
    with side_by_side(world, "node-hangs", direct_fresh=True) as loads:
        node = _gone_for_a_while(world, loads, "0002", silent=False)
    seen: Figures = {"node": node, **loads.figures}
    felt(seen, "direct", FELT_SECONDS)
    hold(seen)
    return seen


def reshard_1000_slots_under_load(world: World) -> Figures:
    """A thousand slots move to another shard while clients write to them."""
    with side_by_side(world, "reshard", direct_fresh=True) as loads:
        moved = world.cluster.move_slots("0001", RESHARDED)
        loads.recovered()
    seen: Figures = {"slots_moved": moved, **loads.figures}
    expect(moved == RESHARDED, f"{RESHARDED} slots must move", seen)
    hold(seen)
    return seen


def node_host_silent(world: World, shard: str) -> Figures:
    """What a silent host costs without HAProxies: the direct client's figures, as the host is a node's."""
    with side_by_side(world, "silent-node") as loads:
        _gone_for_a_while(world, loads, shard, silent=True)
    felt(loads.figures, "direct", FELT_SECONDS)
    figures: Figures = loads.figures["direct"]
    return figures


def slots_of(world: World, shard: str) -> set[int]:
    """The slots of a shard, as its primary knows them."""
    node = primary(world, shard)
    member = by_name(_ask(world, node))[node.name]
    return {slot for piece in member.slots for slot in piece}


def _gone_for_a_while(world: World, loads: Loads, shard: str, *, silent: bool) -> str:
    slots = slots_of(world, shard)
    old = primary(world, shard)
    (replica,) = [n for n in world.cluster.state.shard(shard) if n.name != old.name]
    # until the old one knows its successor: what it acknowledges when it wakes up is lost, too
    with loads.failover(slots):
        with silent_node(old) if silent else hanging(old):
            _wait_until_it_leads(world, replica)
            sustain(HANG_SECONDS)
        world.cluster.wait_for_primary(shard, other_than=old.name)
    loads.recovered()
    return old.name


def _wait_until_it_leads(world: World, replica: Node) -> None:
    """Asks the replica alone: the old primary would not answer."""
    connection = _ask(world, replica)

    def leads() -> bool:
        return bool(connection.info("replication").get("role") == "master")

    wait_until(leads, timeout_seconds=TAKEN_OVER_SECONDS, what=f"{replica.name} to lead")


def _ask(world: World, node: Node) -> redis.Redis:
    password = json.loads((world.run_dir / "credentials.json").read_text())["password"]
    return valkey.connect(node, world.run_dir, password)
