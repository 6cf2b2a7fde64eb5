"""The program, end to end over the in-memory fakes."""

from datetime import timedelta

import pytest

from nodeway_runtime.model.errors import ApplyFailed, Conflict, ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import hostname
from nodeway_runtime.planner.reconcile import DRY_RUN, applying_executor, reconcile
from tests.support.fakes import (
    NOW,
    ONE,
    STAND_IN,
    TWO,
    MemoryJournal,
    World,
    addresses,
    creating,
    fleet,
    named,
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


def test_reconcile_fills_an_empty_zone_and_plans_nothing_on_the_second_run() -> None:
    """Every node, the configuration endpoint and the low SOA, in one run; true records cost no call."""
    here = world(BOTH, RUNNING)

    outcome = here.run()

    assert addresses(here.zone) == FILLED
    assert {r.ttl for r in here.zone.records()} == {5}
    assert not outcome.converged
    assert outcome.waiting_for == "7 changes were just made or are left to make"

    calls = len(here.zone.batches)
    again = here.run()
    assert (again.plan.changes, again.converged, again.waiting_for) == ((), True, "nothing")
    assert len(here.zone.batches) == calls


def test_reconcile_keeps_the_record_of_a_live_node_that_lost_all_its_proxies(filled: World) -> None:
    """A name that MOVED still gives out must not vanish; the run says what it waits for."""
    filled.ecs.answer = fleet(proxy(ONE, "10.20.1.5"))

    outcome = filled.run()

    assert addresses(filled.zone) == FILLED | {"clustercfg": ("10.20.1.5",)}
    assert [r.change.subject for r in outcome.refusals] == [named(TWO)] * 2
    assert outcome.nodes_without_proxy == (named(TWO),)
    assert (
        f"no healthy proxy for {named(TWO)}; last_address_of_a_live_node_stays: "
        in outcome.waiting_for
    )


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

    filled.elasticache.answer = topology(ONE, TWO, creating(FOUR))
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


def test_reconcile_show_only_plans_and_changes_nothing() -> None:
    """The plan with its steps is the result; a dry run is another executor, not another program."""
    here = world(topology(ONE, TWO, FOUR), RUNNING)

    outcome = reconcile(here.ports, settings(stand_in=STAND_IN), MemoryJournal(), DRY_RUN, NOW)

    assert (len(outcome.plan.changes), outcome.applied) == (7, ())
    assert outcome.plan.stand_ins.steps == (Start(FOUR, named(FOUR)),)
    assert (here.zone.batches, here.ecs.steps, here.stand_in_zone.names) == ([], [], {})


def test_reconcile_corrects_and_tells_the_records_before_it_tends_the_stand_ins(
    filled: World,
) -> None:
    """A stand-in that cannot be started holds no record back; and the run fails, so that it is heard."""
    filled.elasticache.answer = topology(ONE, TWO, FOUR)
    filled.ecs = FullEcs(fleet(proxy(ONE, "10.20.1.9"), RUNNING.proxies[1]))
    told, journal = settings(stand_in=STAND_IN), MemoryJournal()
    executor = applying_executor(filled.ports, told, "test", NOW)

    with pytest.raises(ApplyFailed, match="no room"):
        reconcile(filled.ports, told, journal, executor, NOW)

    assert addresses(filled.zone)[ONE] == ("10.20.1.9",)
    assert [outcome.applied != () for outcome in journal.outcomes] == [True]
