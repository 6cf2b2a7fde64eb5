"""When the faults stop: five runs until every node is reached, five more until nothing of the past is left."""

import re
from dataclasses import replace

from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.planner.guard import mass_delete_needs_approval
from nodeway_runtime.planner.reconcile import Outcome
from tests.property.machine.events import is_deployed, node_is_available, time_passes
from tests.property.machine.invariants import check
from tests.property.machine.world import World
from tests.support.fake_aws.elasticache import View
from tests.support.fakes import ENDPOINT, ZONE

RUNS = 5
SECONDS = 20
ENOUGH_STAND_INS = 30


def converges(world: World, *, deployed: bool) -> None:
    """Raises AssertionError with what did not become well."""
    world.calls.armed.clear()
    world.elasticache.view, world.ecs.unsure = View.TRUE, False
    while any(not member.shown for member in world.members):
        node_is_available(world, 0)
    world.settings = replace(world.settings, max_stand_ins=ENOUGH_STAND_INS, pins={})
    if deployed:
        is_deployed(world, 1)
    for _ in range(RUNS):
        one(world)
    every_node_is_reached(world)
    for _ in range(RUNS):
        one(world)
    every_node_is_reached(world)
    nothing_is_left_over(world)
    before = len(world.calls.writes)
    one(world)
    assert world.calls.writes[before:] == [], f"not quiet: {world.calls.writes[before:]}"
    world.stats["converged"] += 1


def one(world: World) -> None:
    """A scheduled run; a person approves what it would not do by itself."""
    time_passes(world, SECONDS)
    outcome = world.run().outcome
    assert outcome is not None, f"a run failed although nothing is wrong: {world.errors[-1:]}"
    world.settings = replace(world.settings, approve=approval(outcome))
    check(world)


def approval(outcome: Outcome) -> str:
    """The checksum that the refusal of a mass delete names, if there is one."""
    for refusal in outcome.refusals:
        if refusal.rule == mass_delete_needs_approval.__name__:
            found = re.search(r"approve=(\w+)", refusal.reason)
            assert found, refusal.reason
            return found[1]
    return ""


def reachable(world: World) -> list[Hostname]:
    """The nodes that nobody else's record, and no other zone, keeps from us."""
    names = (member.hostname for member in world.members)
    return [name for name in names if name.endswith(f".{ZONE}") and not world.spoiled(name)]


def every_node_is_reached(world: World) -> None:
    """Each by its own HAProxies if they are healthy, else by one stand-in."""
    now = world.clock.timestamp()
    for name in reachable(world):
        healthy = [t for t in world.ecs.running if t.node == name and t.healthy(now)]
        own = {t.address for t in healthy if not t.stand_in}
        found = set(world.values(name))
        assert found, f"{name} has no answer"
        if own:
            assert found == own, f"{name} leads to {found}, not to its own {own}"
        else:
            stand_ins = {t.address for t in healthy}
            assert len(found) == 1, f"{name} leads to more than a stand-in: {found}"
            assert found <= stand_ins, f"{name} leads to {found}, not to {stand_ins}"
    if world.members and not world.spoiled(ENDPOINT):
        healthy_now = {t.address for t in world.ecs.running if t.healthy(now)}
        assert world.values(ENDPOINT), "the configuration endpoint has no answer"
        assert set(world.values(ENDPOINT)) <= healthy_now


def nothing_is_left_over(world: World) -> None:
    """No name of a node that is gone, no stand-in too many. An empty cluster is never believed."""
    if not world.members:
        return
    names: set[str] = {ENDPOINT, *(member.hostname for member in world.members)}
    ids = {member.cache_cluster_id for member in world.members}
    # a member's former name is kept: nothing tells it from one whose endpoint is not shown
    former = {name for name in world.ours() if name.partition(".")[0] in ids} - names
    names = {*names, *former}
    assert world.ours().keys() <= names, f"left over: {sorted(world.ours().keys() - names)}"
    theirs = {
        value["Value"] for one in world.foreign.values() for value in one.get("ResourceRecords", ())
    }
    for name in sorted({t.node for t in world.ecs.running if t.stand_in} - former):
        # an address that lost its marker by hand is somebody's: who answers there is not stopped
        there = [t for t in world.ecs.running if t.node == name and t.address not in theirs]
        if any(t.stand_in for t in there):
            assert len(there) == 1, f"a stand-in too many for {name}: {there}"
            assert name in names, f"a stand-in for {name}, which is gone"
