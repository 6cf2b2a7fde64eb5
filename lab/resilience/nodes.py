"""Faults of the cluster's own nodes: a direct client is hit as well, and sets the limit for those through HAProxies."""

from lab.cluster.membership import by_name
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.network import hanging, silent_node, sustain
from lab.faults.nodes import primary, replica
from lab.observe.steady_state import control
from lab.resilience.limits import assert_noticed, assert_within_limits
from lab.resilience.loads import Loads, side_by_side
from lab.scenarios.scenario import Figures, expect
from lab.wait import wait_until

RESHARDED = 1000
HANG_SECONDS = 8.0
NOTICED_SECONDS = 1.0
"""Far less than the node timeout of 2 s, before which no replica takes over."""
TAKEN_OVER_SECONDS = 30.0


def primary_killed(world: World) -> Figures:
    """A primary dies without a word, and its replica takes over; later it comes back."""
    with side_by_side(world, "primary-killed", direct_fresh=True) as loads:
        with loads.failover(slots_of(world, "0001")):
            killed = world.cluster.kill_primary("0001")
            world.cluster.wait_for_primary("0001", other_than=killed)
        loads.wait_until_recovered()
        world.cluster.restart_node(killed)
    seen = assert_noticed({"node": killed, **loads.figures}, "direct", NOTICED_SECONDS)
    return assert_within_limits(seen)


def failover_graceful(world: World) -> Figures:
    """A replica takes over as an operator asks for it (CLUSTER FAILOVER): nothing may be lost at all."""
    with side_by_side(world, "failover", direct_fresh=True) as loads:
        new = world.cluster.failover("0002")
    return assert_within_limits({"node": new, **loads.figures})


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
    seen: Figures = {"node": killed, **loads.figures}
    assert_noticed(seen, "direct", NOTICED_SECONDS)
    expect(product.records() == records, "no record may move", seen)
    return assert_within_limits(seen)


def node_hangs(world: World) -> Figures:
    """A primary takes connections and never answers: its replica takes over, and it becomes one when it wakes up."""
    with side_by_side(world, "node-hangs", direct_fresh=True) as loads:
        node = _interrupt_primary(world, loads, "0002", silent=False)
    seen = assert_noticed({"node": node, **loads.figures}, "direct", NOTICED_SECONDS)
    return assert_within_limits(seen)


def reshard_1000_slots_under_load(world: World) -> Figures:
    """A thousand slots move to another shard while clients write to them."""
    with side_by_side(world, "reshard", direct_fresh=True) as loads:
        moved = world.cluster.move_slots("0001", RESHARDED)
    seen: Figures = {"slots_moved": moved, **loads.figures}
    expect(moved == RESHARDED, f"{RESHARDED} slots must move", seen)
    return assert_within_limits(seen)


def node_host_silent(world: World, shard: str) -> Figures:
    """What a silent host costs without HAProxies: the direct client's figures, as the host is a node's."""
    with side_by_side(world, "silent-node") as loads:
        _interrupt_primary(world, loads, shard, silent=True)
    assert_noticed(loads.figures, "direct", NOTICED_SECONDS)
    figures: Figures = loads.figures["direct"]
    return figures


def slots_of(world: World, shard: str) -> set[int]:
    """The slots of a shard, as its primary knows them."""
    node = primary(world, shard)
    with control(world, node) as connection:
        return {slot for piece in by_name(connection)[node.name].slots for slot in piece}


def _interrupt_primary(world: World, loads: Loads, shard: str, *, silent: bool) -> str:
    """The primary hangs, or its host is silent, until some time after its replica leads; gives the primary's name."""
    slots, old, successor = slots_of(world, shard), primary(world, shard), replica(world, shard)
    # the primary also loses what it acknowledges after it wakes up, until it knows its successor
    with loads.failover(slots):
        with silent_node(old) if silent else hanging(old):
            # the old primary would not answer
            with control(world, successor) as connection:
                wait_until(
                    lambda: connection.info("replication").get("role") == "master",
                    timeout_seconds=TAKEN_OVER_SECONDS,
                    what=f"{successor.name} to lead",
                )
            sustain(HANG_SECONDS)
        world.cluster.wait_for_primary(shard, other_than=old.name)
    return old.name
