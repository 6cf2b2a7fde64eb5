"""The program against strict fakes, in any order of what can happen, and what that has found, each the shortest way.

`make soak` runs the same machine for longer.
"""

from datetime import timedelta

from hypothesis import HealthCheck, settings

from nodeway_runtime.model.ownership import markers_by_name
from nodeway_runtime.model.steps import PLACEHOLDER
from tests.property.machine import events
from tests.property.machine.convergence import converges
from tests.property.machine.foreign import somebody_writes
from tests.property.machine.invariants import check
from tests.property.machine.machine import Machine
from tests.property.machine.watched import PARKING
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
    topology,
    world,
)

TestResync = Machine.TestCase
TestResync.settings = settings(
    max_examples=100, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)

LATER = NOW + timedelta(minutes=1)


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


def test_a_node_that_is_not_told_keeps_its_stand_ins_backend() -> None:
    """aws_is_odd(EMPTY); runs(warm=True). hide_node; runs: the other's stand-in is parked, this one's must stay."""
    here = serving(nodes=2)
    before = parked(here)
    assert before == {f"{one}.{PARKING}.": named(one) for one in (ONE, TWO)}

    for view in (View.EMPTY, View.THROTTLED, View.NO_GROUP, View.NO_CLUSTERS):
        here.elasticache.view = view
        here.run(warm=True)
    assert parked(here) == before

    here.elasticache.view = View.TRUE
    events.node_is_hidden(here, 0)
    here.run()
    assert parked(here) == before


def test_what_is_in_the_way_of_a_name_stops_only_that_name() -> None:
    """foreign_create(CNAME, an alias, a text at the marker...): the others are answered, and it stays as it is."""
    for number in (2, 4, 6, 7):
        here = World()
        somebody_writes(here, number * 11)  # 11 names, 8 kinds of record sets
        somebody_writes(here, number)
        assert here.foreign

        for label in range(8):
            events.scales_out(here, label)
        converges(here, deployed=True)

        assert sum(name != ENDPOINT for name in here.ours()) >= 6


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
