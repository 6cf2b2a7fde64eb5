"""Stand-ins, row by row of the table in stand_ins.py: never two for a node, none while its service has a task."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.steps import Retire, Start, Step, Stop
from nodeway_runtime.model.topology import Fleet, Node, Record, Topology, hostname
from nodeway_runtime.planner.stand_ins import StandInPlan, plan_stand_ins
from tests.support.fakes import (
    NOW,
    ONE,
    STAND_IN,
    THREE,
    TWO,
    ZONE,
    creating,
    fleet,
    marked,
    named,
    node,
    parked,
    pending,
    proxy,
    record,
    settings,
    snapshot,
    topology,
)

FIRST, SECOND = (proxy(ONE, ip, stand_in=True) for ip in ("10.20.8.1", "10.20.8.2"))
DEAD = proxy(ONE, "10.20.8.1", stand_in=True, healthy=False)
WAITING = proxy(ONE, "10.20.8.1", stand_in=True, healthy=False, starting=True)
OWN = proxy(ONE, "10.20.1.5")
SICK = proxy(ONE, "10.20.1.5", healthy=False)
START, RETIRE = Start(ONE, named(ONE)), Retire(FIRST.task_arn, named(ONE))
TO_OWN, TO_FIRST = record(ONE, "10.20.1.5"), record(ONE, "10.20.8.1")
TWO_RUNS = proxy(TWO, "10.20.1.6")
"""Another node's own proxy, so that the cluster is not all out of order."""


def planned(
    seen: Topology,
    running: Fleet,
    *records: Record,
    now: datetime = NOW,
    limit: int = 10,
    **more: Any,  # noqa: ANN401 (the observation's other fields)
) -> StandInPlan:
    told = settings(stand_in=STAND_IN, max_stand_ins=limit)
    return plan_stand_ins(snapshot(seen, running, *records, **more), told, now)


def retired(seconds: int, ip: str = "10.20.8.1") -> Fleet:
    """A stand-in that was retired that long ago, and the node's own proxy."""
    since = NOW - timedelta(seconds=seconds)
    return fleet(OWN, proxy(ONE, ip, stand_in=True, retired_at=since))


STOP = Stop(FIRST.task_arn, named(ONE), "out of the records since 02:59:45Z")


TABLE: dict[str, tuple[Topology, Fleet, tuple[Record, ...], list[Step]]] = {
    "no proxy: start": (topology(ONE), fleet(), (), [START]),
    "stand-in: nothing": (topology(ONE), fleet(FIRST), (TO_FIRST,), []),
    "stand-in starts: nothing": (topology(ONE), fleet(WAITING), (), []),
    "stand-in has no address yet: nothing": (topology(ONE), fleet(pending(ONE)), (), []),
    "two: retire the later": (
        topology(ONE),
        fleet(FIRST, SECOND),
        (TO_FIRST,),
        [Retire(SECOND.task_arn, named(ONE))],
    ),
    "a dead one and a healthy one: retire the dead": (
        topology(ONE),
        fleet(DEAD, SECOND),
        (record(ONE, "10.20.8.2"),),
        [RETIRE],
    ),
    "dead, still in the records: start another": (topology(ONE), fleet(DEAD), (TO_FIRST,), [START]),
    "dead: start another, retire it": (topology(ONE), fleet(DEAD), (), [START, RETIRE]),
    "dead, another on its way: retire it": (topology(ONE), fleet(DEAD, pending(ONE)), (), [RETIRE]),
    "own: nothing": (topology(ONE), fleet(OWN), (TO_OWN,), []),
    "own is sick: its service replaces it": (topology(ONE), fleet(SICK), (TO_OWN,), []),
    "own has no address yet: nothing": (topology(ONE), fleet(pending(ONE, stand_in=False)), (), []),
    "own is sick, stand-in serves: nothing": (topology(ONE), fleet(SICK, FIRST), (TO_FIRST,), []),
    "own is healthy, stand-in still in the records: not yet": (
        topology(ONE),
        fleet(OWN, FIRST),
        (TO_FIRST,),
        [],
    ),
    "own is healthy: retire the stand-in": (topology(ONE), fleet(OWN, FIRST), (TO_OWN,), [RETIRE]),
    "own is healthy before its stand-in: retire it": (
        topology(ONE),
        fleet(OWN, WAITING),
        (TO_OWN,),
        [RETIRE],
    ),
    "node absent, record still there: not yet": (
        topology(TWO),
        fleet(TWO_RUNS, FIRST),
        (TO_FIRST,),
        [],
    ),
    "node absent: retire": (topology(TWO), fleet(TWO_RUNS, FIRST), (), [RETIRE]),
    "retired for 14 s: not yet": (topology(ONE), retired(14), (TO_OWN,), []),
    "retired for 15 s: stop": (topology(ONE), retired(15), (TO_OWN,), [STOP]),
    "retired, but in a record again: not yet": (topology(ONE), retired(15), (TO_FIRST,), []),
}


@pytest.mark.parametrize(("seen", "running", "records", "steps"), TABLE.values(), ids=TABLE)
def test_plan_follows_the_table(
    seen: Topology, running: Fleet, records: tuple[Record, ...], steps: list[Step]
) -> None:
    """What a node has, and what is done about it."""
    assert list(planned(seen, running, *records).steps) == steps


def test_plan_waits_three_ttls_before_it_stops() -> None:
    """Resolvers and clients may hold an answer that long, whatever TTL was chosen."""
    seen = snapshot(topology(ONE), retired(60), TO_OWN)

    for ttl, steps in ((20, [Stop]), (21, [])):
        told = settings(stand_in=STAND_IN, ttl=ttl)
        assert [type(one) for one in plan_stand_ins(seen, told, NOW).steps] == steps


@pytest.mark.parametrize("since", [datetime.min, datetime.max])  # noqa: DTZ901 (made aware below)
def test_plan_takes_any_time_that_a_tag_can_hold(since: datetime) -> None:
    """A tag that was edited by hand ends no run with an error."""
    old = proxy(ONE, "10.20.8.1", stand_in=True, retired_at=since.replace(tzinfo=NOW.tzinfo))

    assert len(planned(topology(ONE), fleet(OWN, old), TO_OWN).steps) <= 1


def test_plan_starts_at_most_as_many_as_allowed_and_names_the_others() -> None:
    """Those that run or start count, retired ones too; a limit that was lowered below them stops none."""
    labels = [f"demo-{n:04}-001" for n in range(1, 7)]
    running = fleet(
        proxy(labels[0], "10.20.8.1", stand_in=True),
        pending(labels[1]),
        proxy("demo-0009-001", "10.20.8.9", stand_in=True, retired_at=NOW),
    )

    found = planned(topology(*labels), running, limit=5)

    assert [step.node for step in found.steps] == [named(labels[2]), named(labels[3])]
    assert found.over_limit == (named(labels[4]), named(labels[5]))
    assert planned(topology(*labels), running, limit=2).steps == ()


@pytest.mark.parametrize(
    "incomplete",
    [
        {"seen": topology(ONE, THREE, problems=("a page is missing",))},
        {"other_problems": ("the VPCs were not told",)},
    ],
    ids=["topology", "zone"],
)
def test_plan_of_an_incomplete_read_starts_but_neither_retires_nor_stops(
    incomplete: dict[str, Any],
) -> None:
    """Unknown is never empty: who knows whether the node is gone, or what the records say."""
    running = fleet(*retired(60).proxies, SECOND, proxy(TWO, "10.20.8.5", stand_in=True))

    found = planned(**{"seen": topology(ONE, THREE), "running": running, **incomplete})

    assert found.steps == (Start(THREE, named(THREE)),)


UNREAD = fleet(*retired(60).proxies, problems=("a task was not described",))
"""A task that could not be described may be the very one that is missed."""


@pytest.mark.parametrize(
    "seen",
    [
        snapshot(topology(), retired(60)),
        snapshot(topology(problems=("throttled",)), retired(60)),
        snapshot(topology(ONE, TWO), UNREAD, TO_OWN),
        snapshot(topology(ONE), fleet(TWO_RUNS), nodes_with_service=frozenset({named(ONE)})),
    ],
    ids=["no nodes", "nodes unread", "fleet unread", "a service is about to start its own"],
)
def test_plan_takes_no_step_on_what_is_not_known(seen: Snapshot) -> None:
    """A source that says "no nodes" is believed about nothing."""
    assert plan_stand_ins(seen, settings(stand_in=STAND_IN), NOW).steps == ()
    assert plan_stand_ins(seen, settings(), NOW) == StandInPlan()


def test_plan_prepares_a_node_that_is_being_created_without_asking_for_its_name() -> None:
    """Its stand-in runs early, and looks for its node at a name of ours that leads nowhere yet."""
    found = planned(topology(ONE, creating(TWO)), fleet(OWN))

    assert found.steps == (Start(TWO, named(TWO)),)
    assert found.zone_records == (parked(TWO, None),)


@pytest.mark.parametrize(
    "seen",
    [
        topology(Node(ONE, hostname(f"other.{ZONE}"), "a", "available"), creating(TWO)),
        topology(
            ONE, Node(THREE, hostname("demo-0002-001.x.example"), "a", "available"), creating(TWO)
        ),
        topology(ONE, creating(TWO), endpoint=False),
        topology(ONE, node(TWO, status="modifying", endpoint=False)),
        topology(ONE, node(TWO, status="deleting", endpoint=False)),
    ],
    ids=["other label", "one of other zone", "no zone", "modifying", "deleting"],
)
def test_plan_guesses_no_name_unless_every_live_node_confirms_the_pattern(seen: Topology) -> None:
    """No name is made up against the evidence, nor for a node that is not being created."""
    served = seen.names - {named(TWO)}
    steps = planned(seen, fleet(OWN), nodes_with_service=served).steps

    assert named(TWO) not in {step.node for step in steps}
    assert seen.pending_names == {}


def test_plan_lets_a_stand_in_find_its_node_once_that_has_an_endpoint() -> None:
    """The name of ours becomes an alias of the node's own; before that nobody asked for it."""
    running = fleet(OWN, proxy(TWO, "10.20.8.2", stand_in=True))

    before = planned(topology(ONE, creating(TWO)), running).zone_records
    after = planned(topology(ONE, TWO), running).zone_records

    assert (before, after) == ((parked(TWO, None),), (parked(TWO, named(TWO)),))


@pytest.mark.parametrize(
    ("running", "names"),
    [
        pytest.param(fleet(), [ONE, TWO], id="started now"),
        pytest.param(fleet(FIRST, pending(TWO)), [ONE, TWO], id="there, or on its way"),
        pytest.param(fleet(OWN, FIRST, TWO_RUNS), [ONE], id="superfluous"),
        pytest.param(fleet(DEAD, TWO_RUNS), [ONE], id="dead"),
        pytest.param(retired(60), [ONE, TWO], id="retired"),
        pytest.param(fleet(OWN, TWO_RUNS), [], id="none"),
    ],
)
def test_plan_keeps_a_backends_name_as_long_as_its_stand_in_runs(
    running: Fleet, names: list[str]
) -> None:
    """A HAProxy that serves its last clients still has to find its node."""
    found = planned(topology(ONE, TWO), running, *marked(TO_OWN))

    assert found.zone_records == tuple(parked(label, named(label)) for label in names)
