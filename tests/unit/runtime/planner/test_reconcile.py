"""The program, end to end over the in-memory fakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nodeway_runtime.model.errors import ApplyFailed, Conflict, ReadFailed
from nodeway_runtime.model.ownership import marker_name, subject
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import Fleet, RecordType, Topology, address, hostname
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import DRY_RUN, applying_executor, reconcile
from tests.support.fakes import (
    ENDPOINT,
    NOW,
    ONE,
    STAND_IN,
    THREE,
    TWO,
    ZONE,
    MemoryJournal,
    World,
    addresses,
    fleet,
    named,
    node,
    proxy,
    record,
    settings,
    topology,
    world,
)
from tests.support.ports import StubEcs

FOUR = "demo-0002-002"
BOTH = topology(ONE, TWO)
RUNNING = fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.2.6", zone="us-east-1b"))
FILLED = {ONE: ("10.20.1.5",), TWO: ("10.20.2.6",), "clustercfg": ("10.20.1.5", "10.20.2.6")}


@pytest.fixture
def filled() -> World:
    """A world whose records are true."""
    here = world(BOTH, RUNNING)
    here.run()
    return here


def test_reconcile_fills_an_empty_zone_on_the_first_run() -> None:
    """Every node, the configuration endpoint and the low SOA, in one run."""
    here = world(BOTH, RUNNING)

    outcome = here.run()

    assert addresses(here.zone) == FILLED
    assert {r.ttl for r in here.zone.records()} == {5}
    assert not outcome.converged
    assert outcome.waiting_for == "7 changes were just made or are left to make"


def test_reconcile_plans_nothing_on_the_second_run(filled: World) -> None:
    """True records stay as they are: no call to Route 53, and the run has converged."""
    calls = len(filled.zone.batches)

    outcome = filled.run()

    assert outcome.plan.changes == ()
    assert outcome.converged
    assert outcome.waiting_for == "nothing"
    assert len(filled.zone.batches) == calls


def test_reconcile_moves_a_name_when_its_proxy_is_replaced(filled: World) -> None:
    """The new task's address takes the place of the old one's, for the node and the configuration endpoint."""
    filled.ecs.answer = fleet(proxy(ONE, "10.20.1.9"), proxy(TWO, "10.20.2.6", zone="us-east-1b"))

    outcome = filled.run()

    assert addresses(filled.zone) == FILLED | {
        ONE: ("10.20.1.9",),
        "clustercfg": ("10.20.1.9", "10.20.2.6"),
    }
    assert (len(outcome.plan.creates), len(outcome.plan.updates), len(outcome.plan.deletes)) == (
        0,
        2,
        0,
    )


def test_reconcile_adds_a_node_that_came(filled: World) -> None:
    """A scale-out gets its record as soon as its proxy is healthy."""
    filled.elasticache.answer = topology(ONE, TWO, THREE)
    filled.ecs.answer = fleet(*RUNNING.proxies, proxy(THREE, "10.20.3.7", zone="us-east-1c"))

    filled.run()

    assert addresses(filled.zone)[THREE] == ("10.20.3.7",)


def test_reconcile_removes_the_record_of_a_node_that_left(filled: World) -> None:
    """A node that ElastiCache no longer has loses its name, in the third read without it."""
    filled.elasticache.answer = topology(ONE)

    outcomes = [filled.run(now=NOW + timedelta(minutes=n)) for n in (1, 2, 3)]

    assert addresses(filled.zone) == {ONE: ("10.20.1.5",), "clustercfg": ("10.20.1.5",)}
    assert [[subject(c.old.name) for c in one.plan.deletes] for one in outcomes] == [
        [],
        [],
        [named(TWO)] * 2,
    ]
    assert filled.run().plan == Plan()


def test_reconcile_keeps_the_record_of_a_node_that_came_back(filled: World) -> None:
    """Two reads without it and then one with it: the count begins anew."""
    for minute, labels in enumerate([(ONE,), (ONE,), (ONE, TWO), (ONE,), (ONE,)]):
        filled.elasticache.answer = topology(*labels)
        filled.run(now=NOW + timedelta(minutes=minute))

    assert addresses(filled.zone)[TWO] == FILLED[TWO]


@pytest.mark.parametrize(
    "running",
    [
        fleet(proxy(ONE, "10.20.1.5")),
        fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.2.6", healthy=False)),
    ],
    ids=["gone", "unhealthy"],
)
def test_reconcile_keeps_the_record_of_a_live_node_that_lost_all_its_proxies(
    filled: World, running: Fleet
) -> None:
    """A name that MOVED still gives out must not vanish; the run says what it waits for."""
    filled.ecs.answer = running

    outcome = filled.run()

    assert addresses(filled.zone) == FILLED | {"clustercfg": ("10.20.1.5",)}
    assert {r.rule for r in outcome.refusals} == {"last_address_of_a_live_node_stays"}
    assert [r.change.subject for r in outcome.refusals] == [named(TWO)] * 2
    assert outcome.nodes_without_proxy == (named(TWO),)
    assert (
        f"no healthy proxy for {named(TWO)}; last_address_of_a_live_node_stays: "
        in outcome.waiting_for
    )


def test_reconcile_keeps_the_record_of_a_node_whose_endpoint_is_hidden(filled: World) -> None:
    """While ElastiCache modifies a node it may not show its endpoint; the node is still there."""
    filled.elasticache.answer = topology(ONE, node(TWO, status="modifying", endpoint=False))

    filled.run()

    assert addresses(filled.zone)[TWO] == FILLED[TWO]


def test_reconcile_changes_no_address_when_elasticache_cannot_be_read(filled: World) -> None:
    """Unknown is never empty."""
    filled.elasticache.error = "Throttling"

    outcome = filled.run()

    assert addresses(filled.zone) == FILLED
    assert outcome.applied == ()
    assert outcome.snapshot.problems == ("ElastiCache did not answer for demo: Throttling",)
    assert not outcome.converged
    assert (
        "ElastiCache did not answer for demo: Throttling; no node has an endpoint; "
        in outcome.waiting_for
    )


def test_reconcile_changes_no_address_when_ecs_cannot_be_read(filled: World) -> None:
    """Proxies that could not be counted are not gone."""
    filled.ecs.error = "AccessDenied"

    outcome = filled.run()

    assert addresses(filled.zone) == FILLED
    assert outcome.applied == ()
    assert outcome.snapshot.problems == ("ECS did not answer for cluster nodeway: AccessDenied",)


@pytest.mark.parametrize(
    ("seen", "running"), [(topology(), RUNNING), (BOTH, fleet())], ids=["no nodes", "no proxies"]
)
def test_reconcile_changes_no_address_when_a_source_says_there_is_nothing(
    filled: World, seen: Topology, running: Fleet
) -> None:
    """An empty answer is a fault until somebody proves otherwise."""
    filled.elasticache.answer, filled.ecs.answer = seen, running

    filled.run()

    assert addresses(filled.zone) == FILLED


def test_reconcile_raises_when_the_zone_cannot_be_read() -> None:
    """Without the current records there is nothing to compare with: no plan, no write."""
    here = world(BOTH, RUNNING)
    here.zone.error = "ServiceUnavailable"

    with pytest.raises(ReadFailed, match="Route 53 did not answer"):
        here.run()

    assert here.zone.batches == []


def test_reconcile_raises_conflict_and_keeps_a_foreign_write_and_the_next_run_goes_on_around_it() -> (
    None
):
    """Somebody else's write between read and write is not overwritten blindly."""
    theirs = record(ONE, "10.66.0.1")
    here = world(BOTH, RUNNING)
    here.zone.rival = theirs

    with pytest.raises(Conflict, match="the next run reads it again"):
        here.run()
    assert theirs in here.zone.records()

    outcome = here.run()
    assert addresses(here.zone) == FILLED | {ONE: ("10.66.0.1",)}
    assert {r.rule for r in outcome.refusals} == {"foreign_record_stays"}


def test_reconcile_writes_pins_and_leaves_them(filled: World) -> None:
    """A pinned name stands whatever its proxies do."""
    pinned = settings(pins={named(ONE): (address("10.99.0.1"),)})

    filled.run(pinned)

    assert addresses(filled.zone)[ONE] == ("10.99.0.1",)
    assert filled.run(pinned).converged


def test_reconcile_show_only_plans_and_changes_nothing() -> None:
    """The plan is the result; a dry run is another executor, not another program."""
    here = world(BOTH, RUNNING)

    outcome = reconcile(here.ports, settings(), MemoryJournal(), DRY_RUN, NOW)

    assert len(outcome.plan.changes) == 7
    assert outcome.applied == ()
    assert here.zone.batches == []


def test_reconcile_journals_every_run(filled: World) -> None:
    """A run without a change is told as well."""
    journal = MemoryJournal()

    executor = applying_executor(filled.ports, settings(), "test", NOW)
    outcome = reconcile(filled.ports, settings(), journal, executor, NOW)

    assert journal.outcomes == [outcome]


def test_reconcile_leaves_the_zone_alone_but_for_addresses_markers_and_soa(filled: World) -> None:
    """Nothing else is ever written, and what goes goes whole."""
    filled.elasticache.answer = topology(TWO, THREE)
    filled.ecs.answer = fleet(proxy(TWO, "10.20.2.8"), proxy(THREE, "10.20.3.7"))

    for minute in range(3):
        filled.run(now=NOW + timedelta(minutes=minute))

    names = (named(TWO), named(THREE), ENDPOINT)
    written = {(r.name, r.type) for r in filled.zone.records()}
    assert written == {
        *((name, RecordType.A) for name in names),
        *((marker_name(name), RecordType.TXT) for name in names),
        (ZONE, RecordType.SOA),
    }


class FullEcs(StubEcs):
    """A cluster without room for one more task."""

    def start(self, step: Start, settings: Settings) -> None:
        """Refuses."""
        msg = f"no room for {step.node} in {settings.ecs_cluster}"
        raise ApplyFailed(msg)


def test_reconcile_gives_a_new_node_a_stand_in_and_takes_it_away_after_the_deploy(
    filled: World,
) -> None:
    """A scale-out at night: prepared early, answered by a stand-in, then by its own; the stand-in goes last."""
    told = settings(stand_in=STAND_IN)
    name = hostname(f"{FOUR}.{STAND_IN.zone_name}")

    filled.elasticache.answer = topology(ONE, TWO, node(FOUR, status="creating", endpoint=False))
    started = filled.run(told)
    assert filled.ecs.steps == [Start(FOUR, named(FOUR))]
    assert (filled.stand_in_zone.names, started.plan.changes) == ({name: None}, ())

    stand_in = proxy(FOUR, "10.20.8.1", stand_in=True)
    filled.ecs.answer = fleet(*RUNNING.proxies, stand_in)
    filled.run(told)
    assert addresses(filled.zone)[FOUR] == ("10.20.8.1",)
    assert filled.stand_in_zone.names == {name: None}

    filled.elasticache.answer = topology(ONE, TWO, FOUR)
    found = filled.run(told)
    assert filled.stand_in_zone.names == {name: named(FOUR)}
    assert found.nodes_without_own_proxy == (named(FOUR),)
    assert found.nodes_without_proxy == ()

    own = proxy(FOUR, "10.20.3.7", zone="us-east-1c")
    filled.ecs.answer = fleet(*RUNNING.proxies, own, stand_in)
    filled.run(told)
    assert addresses(filled.zone)[FOUR] == ("10.20.3.7",)
    assert [type(step) for step in filled.ecs.steps] == [Start]

    for second in (1, 10, 16, 30):
        filled.run(told, NOW + timedelta(seconds=second))
    assert [type(step) for step in filled.ecs.steps] == [Start, Retire, Stop]
    assert filled.ecs.answer.proxies == (*RUNNING.proxies, own)


def test_reconcile_show_only_starts_and_stops_nothing(filled: World) -> None:
    """The steps are part of what is shown."""
    filled.elasticache.answer = topology(ONE, TWO, FOUR)

    outcome = reconcile(filled.ports, settings(stand_in=STAND_IN), MemoryJournal(), DRY_RUN, NOW)

    assert outcome.plan.stand_ins.steps == (Start(FOUR, named(FOUR)),)
    assert (filled.ecs.steps, filled.stand_in_zone.names) == ([], {})


def test_reconcile_corrects_the_records_before_it_tends_the_stand_ins(filled: World) -> None:
    """A stand-in that cannot be started, or a stand-in zone that cannot be written, holds no record back."""
    filled.elasticache.answer = topology(ONE, TWO, FOUR)
    filled.ecs.answer = fleet(proxy(ONE, "10.20.1.9"), RUNNING.proxies[1])

    filled.ecs = FullEcs(filled.ecs.answer)

    with pytest.raises(ApplyFailed, match="no room"):
        filled.run(settings(stand_in=STAND_IN))

    assert addresses(filled.zone)[ONE] == ("10.20.1.9",)


def test_reconcile_tells_the_records_it_changed_when_a_stand_in_cannot_be_started() -> None:
    """What was written is in the journal, whatever becomes of the stand-ins; and the run fails, so that it is heard."""
    here = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9")))
    journal = MemoryJournal()
    applying = applying_executor(here.ports, settings(), "test", NOW)

    def refuse(_: object) -> None:
        raise ApplyFailed("no capacity")

    with pytest.raises(ApplyFailed, match="no capacity"):
        reconcile(here.ports, settings(), journal, replace(applying, manage_stand_ins=refuse), NOW)

    assert [outcome.applied != () for outcome in journal.outcomes] == [True]
