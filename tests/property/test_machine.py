"""The program against strict fakes, in any order of what can happen, and what that has found, each the shortest way.

`make soak` runs the same machine for longer.
"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings

from nodeway_runtime.model.ownership import marker_name, markers_by_name
from nodeway_runtime.model.steps import PLACEHOLDER, StandInRecord
from nodeway_runtime.model.topology import Hostname, Node, Record, RecordType, hostname
from nodeway_runtime.planner.guard import foreign_record_stays, other_zones_name_stays_out
from nodeway_runtime.planner.stand_ins import plan_stand_ins
from tests.property.machine import events
from tests.property.machine.convergence import converges
from tests.property.machine.foreign import somebody_writes
from tests.property.machine.invariants import check
from tests.property.machine.machine import Machine
from tests.property.machine.watched import PARKING, SETTINGS
from tests.property.machine.world import World
from tests.support.fake_aws.elasticache import View
from tests.support.fakes import (
    ENDPOINT,
    NOW,
    ONE,
    TWO,
    addresses,
    fleet,
    marked,
    named,
    node,
    proxy,
    record,
    snapshot,
    topology,
    world,
)

TestResync = Machine.TestCase
TestResync.settings = settings(
    max_examples=100, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)

LATER = NOW + timedelta(minutes=1)
NODE_ONE = f"{ONE}.{PARKING}."


def serving(*, nodes: int = 1, deployed: bool = False) -> World:
    """A cluster whose nodes all have a HAProxy and a record."""
    here = World()
    for number in range(nodes):
        events.scales_out(here, number)
    if deployed:
        events.is_deployed(here, 1)
    for _ in range(3):
        events.time_passes(here, 20)
        here.run()
    check(here)
    return here


def parked(here: World) -> dict[str, str]:
    """What the stand-in zone says: name to value."""
    sets = here.route53.zones["Z0PARK"].sets
    return {at[0]: one["ResourceRecords"][0]["Value"] for at, one in sets.items() if at[1] != "SOA"}


def test_an_empty_answer_leaves_the_stand_ins_their_backends() -> None:
    """begins(nodes=1, deployed=False); aws_is_odd(EMPTY); runs(warm=True)."""
    here = serving()
    before = parked(here)
    assert before == {NODE_ONE: named(ONE)}

    for view in (View.EMPTY, View.THROTTLED, View.NO_GROUP, View.NO_CLUSTERS):
        here.elasticache.view = view
        here.run(warm=True)

    assert parked(here) == before


def test_a_hidden_node_keeps_its_stand_ins_backend() -> None:
    """begins(nodes=2, deployed=False); hide_node; runs: the other's stand-in is parked, this one's must stay."""
    here = serving(nodes=2)
    before = parked(here)

    events.node_is_hidden(here, 0)
    here.run()

    assert len(before) == 2
    assert parked(here) == before


def test_a_stand_in_that_drains_keeps_its_backend() -> None:
    """begins(nodes=1, deployed=False); deploy; runs: clients still come for as long as they remember its address."""
    here = serving()

    events.is_deployed(here, 1)
    events.time_passes(here, 20)
    here.run()

    (stand_in,) = [task for task in here.ecs.running if task.stand_in]
    assert stand_in.address not in here.values(named(ONE))
    assert parked(here) == {NODE_ONE: named(ONE)}


def test_a_retired_stand_in_follows_its_node_too() -> None:
    """Its name turns from parked to the node's own name when the node is there."""
    seen = snapshot(
        topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5", stand_in=True, retired_at=NOW))
    )

    plan = plan_stand_ins(seen, SETTINGS, NOW)

    assert StandInRecord(Hostname(f"{ONE}.{PARKING}"), named(ONE)) in plan.zone_records


def test_a_foreign_text_where_a_marker_would_be_stops_only_that_name() -> None:
    """delete_by_hand; foreign_create(TXT at a marker's name): Route 53 refused the batch of all names, for ever."""
    text = Record(marker_name(named(ONE)), RecordType.TXT, ('"not a marker"',), 60)
    here = world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.1.6")), text)

    outcome = here.run()

    assert addresses(here.zone) == {
        TWO: ("10.20.1.6",),
        "clustercfg": ("10.20.1.5", "10.20.1.6"),
    }
    assert {r.rule for r in outcome.refusals} == {foreign_record_stays.__name__}


def test_what_is_in_the_way_of_a_name_stops_only_that_name() -> None:
    """foreign_create(CNAME, an alias, a weighted address): the others are answered, and it stays as it is."""
    for number in (2, 6, 7):
        here = World()
        somebody_writes(here, number * 11)  # 11 names, 8 kinds of record sets
        somebody_writes(here, number)
        assert here.foreign

        for label in range(8):
            events.scales_out(here, label)
        converges(here, deployed=True)

        assert sum(name != ENDPOINT for name in here.ours()) >= 6


def test_a_node_with_a_name_of_another_zone_stops_only_itself() -> None:
    """rename_node(another zone): Route 53 refused the batch of all names, for ever."""
    stranger = Node("demo-0003-001", hostname("demo-0003-001.elsewhere.example"), "a", "available")
    theirs = replace(proxy("x", "10.20.1.7"), node=hostname("demo-0003-001.elsewhere.example"))
    here = world(topology(ONE, stranger), fleet(proxy(ONE, "10.20.1.5"), theirs))

    outcome = here.run()

    assert addresses(here.zone)[ONE] == ("10.20.1.5",)
    assert {r.rule for r in outcome.refusals} == {other_zones_name_stays_out.__name__}


def test_a_name_that_follows_no_id_is_kept_while_a_member_shows_none() -> None:
    """rename_node; hide_node; schedule(3): the record of a live node was deleted after three reads."""
    odd, kept = record("odd-name", "10.20.1.7"), record(ONE, "10.20.1.5")
    for status, known in (("modifying", True), ("creating", False)):
        seen = topology(ONE, node(TWO, status=status, endpoint=False))
        assert seen.has_member(odd.name) is known
        assert seen.has_member(kept.name)
        assert not seen.has_member(named("demo-0009-001"))


def test_reads_without_a_node_count_only_one_after_the_other() -> None:
    """remove_node; run; rename_node; add_node; schedule(2); remove_node; burst: deleted in the first read."""
    old = marked(record(ONE, "10.20.1.5"), since=NOW, reads=2)
    here = world(
        topology(node(ONE, status="modifying", endpoint=False), TWO),
        fleet(proxy(TWO, "10.20.1.6")),
        *old,
    )

    here.run(now=LATER)
    here.elasticache.answer = topology(TWO)
    here.run(now=LATER + timedelta(minutes=1))

    assert addresses(here.zone)[ONE] == ("10.20.1.5",)
    assert markers_by_name(here.zone.records())[named(ONE)].absent_reads == 1


def test_an_absence_ends_in_a_run_whose_change_of_the_record_is_refused() -> None:
    """node_blinks(0) twice; ecs_is_odd(1); approve(wait=1); node_blinks(0): deleted in the first read."""
    old = marked(record(ONE, "10.20.1.5"), since=NOW, reads=2)
    moved = fleet(proxy(ONE, "10.20.1.9"), proxy(TWO, "10.20.1.6"), problems=("a task is unread",))
    here = world(topology(ONE, TWO), moved, *old)

    outcome = here.run(now=LATER)
    here.ecs.answer = replace(moved, problems=())
    here.elasticache.answer = topology(TWO)
    here.run(now=LATER + timedelta(minutes=1))

    assert {one.rule for one in outcome.refusals} == {"incomplete_forbids_deletes"}
    assert addresses(here.zone)[ONE] == ("10.20.1.5",)
    assert markers_by_name(here.zone.records())[named(ONE)].absent_reads == 1


def test_two_stand_ins_become_one() -> None:
    """two_runs(a minute's end between them): both answered, and so neither left the records, ever."""
    assert 2 in {stand_ins_of_a_race(at) for at in range(1, 14)}


def stand_ins_of_a_race(at: int) -> int:
    """How many a node gets when another run begins and ends just before the call `at`; later it has one."""
    here = serving()
    events.task_dies(here, 0)

    def other() -> None:
        events.time_passes(here, 61)
        here.run()

    here.calls.armed[at] = here.between(other)
    here.run()
    count = sum(task.stand_in for task in here.ecs.running)
    converges(here, deployed=False)
    assert sum(task.stand_in for task in here.ecs.running) == 1
    return count


def test_the_endpoint_waits_for_a_node_that_is_being_created() -> None:
    """add_node; schedule(2): a client's first connection was led to a HAProxy whose backend is parked."""
    here = serving(nodes=1, deployed=True)

    events.node_is_added(here, 1)
    for _ in range(3):
        events.time_passes(here, 20)
        here.run()

    assert here.values(named(TWO)) != []
    assert parked(here) == {f"{TWO}.{PARKING}.": PLACEHOLDER}
    assert here.values(ENDPOINT) == here.values(named(ONE))
