"""The program, end to end over the in-memory twins."""

import pytest

from resync.errors import Conflict, ReadFailed
from resync.memory import MemoryZone
from resync.settings import Settings
from resync.source import Ports
from resync.sync import Outcome, apply_to, show_only, sync
from resync.topology import Fleet, RecordType, Topology, address
from tests.fakes import (
    ENDPOINT,
    ONE,
    THREE,
    TWO,
    MemoryJournal,
    RacedZone,
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

BOTH = topology(ONE, TWO)
RUNNING = fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.2.6", zone="us-east-1b"))
FILLED = {ONE: ("10.20.1.5",), TWO: ("10.20.2.6",), "clustercfg": ("10.20.1.5", "10.20.2.6")}


def run(here: World, wanted: Settings | None = None) -> Outcome:
    """One applying run."""
    return sync(here.ports, wanted or settings(), MemoryJournal(), apply_to(here.ports, "test"))


@pytest.fixture
def filled() -> World:
    """A world whose records are true."""
    here = world(BOTH, RUNNING)
    run(here)
    return here


def test_sync_fills_an_empty_zone_on_the_first_run() -> None:
    """Every node, the configuration endpoint and the low SOA, in one run."""
    here = world(BOTH, RUNNING)

    outcome = run(here)

    assert addresses(here.zone) == FILLED
    assert [r.ttl for r in here.zone.records()] == [5, 5, 5, 5]
    assert not outcome.converged
    assert outcome.waiting_for == "4 changes were just made or are left to make"


def test_sync_plans_nothing_on_the_second_run(filled: World) -> None:
    """True records stay as they are: no call to Route 53, and the run has converged."""
    calls = len(filled.zone.batches)

    outcome = run(filled)

    assert outcome.plan.changes == ()
    assert outcome.converged
    assert outcome.waiting_for == "nothing"
    assert len(filled.zone.batches) == calls


def test_sync_moves_a_name_when_its_proxy_is_replaced(filled: World) -> None:
    """The new task's address takes the place of the old one's, for the node and the configuration endpoint."""
    filled.ecs.answer = fleet(proxy(ONE, "10.20.1.9"), proxy(TWO, "10.20.2.6", zone="us-east-1b"))

    outcome = run(filled)

    assert addresses(filled.zone) == FILLED | {
        ONE: ("10.20.1.9",),
        "clustercfg": ("10.20.1.9", "10.20.2.6"),
    }
    assert (len(outcome.plan.creates), len(outcome.plan.updates), len(outcome.plan.deletes)) == (
        0,
        2,
        0,
    )


def test_sync_adds_a_node_that_came(filled: World) -> None:
    """A scale-out gets its record as soon as its proxy is healthy."""
    filled.elasticache.answer = topology(ONE, TWO, THREE)
    filled.ecs.answer = fleet(*RUNNING.proxies, proxy(THREE, "10.20.3.7", zone="us-east-1c"))

    run(filled)

    assert addresses(filled.zone)[THREE] == ("10.20.3.7",)


def test_sync_removes_the_record_of_a_node_that_left(filled: World) -> None:
    """A node that ElastiCache no longer has loses its name."""
    filled.elasticache.answer = topology(ONE)

    outcome = run(filled)

    assert addresses(filled.zone) == {ONE: ("10.20.1.5",), "clustercfg": ("10.20.1.5",)}
    assert [change.old.name for change in outcome.plan.deletes] == [named(TWO)]


@pytest.mark.parametrize(
    "running",
    [
        fleet(proxy(ONE, "10.20.1.5")),
        fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.2.6", healthy=False)),
    ],
    ids=["gone", "unhealthy"],
)
def test_sync_keeps_the_record_of_a_live_node_that_lost_all_its_proxies(
    filled: World, running: Fleet
) -> None:
    """A name that MOVED still gives out must not vanish; the run says what it waits for."""
    filled.ecs.answer = running

    outcome = run(filled)

    assert addresses(filled.zone) == FILLED | {"clustercfg": ("10.20.1.5",)}
    assert [r.rule for r in outcome.refusals] == ["last_address_of_a_live_node_stays"]
    assert outcome.nodes_without_proxy == (named(TWO),)
    assert (
        f"no healthy HAProxy for {named(TWO)}; last_address_of_a_live_node_stays: "
        in outcome.waiting_for
    )


def test_sync_keeps_the_record_of_a_node_whose_endpoint_is_hidden(filled: World) -> None:
    """While ElastiCache modifies a node it may not show its endpoint; the node is still there."""
    filled.elasticache.answer = topology(ONE, node(TWO, status="modifying", endpoint=False))

    run(filled)

    assert addresses(filled.zone)[TWO] == FILLED[TWO]


def test_sync_changes_no_address_when_elasticache_cannot_be_read(filled: World) -> None:
    """Unknown is never empty."""
    filled.elasticache.error = "Throttling"

    outcome = run(filled)

    assert addresses(filled.zone) == FILLED
    assert outcome.applied == ()
    assert outcome.observation.problems == ("ElastiCache did not answer for demo: Throttling",)
    assert not outcome.converged
    assert (
        "ElastiCache did not answer for demo: Throttling; no node has an endpoint; "
        in outcome.waiting_for
    )


def test_sync_changes_no_address_when_ecs_cannot_be_read(filled: World) -> None:
    """Proxies that could not be counted are not gone."""
    filled.ecs.error = "AccessDenied"

    outcome = run(filled)

    assert addresses(filled.zone) == FILLED
    assert outcome.applied == ()
    assert outcome.observation.problems == ("ECS did not answer for cluster nodeway: AccessDenied",)


@pytest.mark.parametrize(
    ("seen", "running"), [(topology(), RUNNING), (BOTH, fleet())], ids=["no nodes", "no proxies"]
)
def test_sync_changes_no_address_when_a_source_says_there_is_nothing(
    filled: World, seen: Topology, running: Fleet
) -> None:
    """An empty answer is a fault until somebody proves otherwise."""
    filled.elasticache.answer, filled.ecs.answer = seen, running

    run(filled)

    assert addresses(filled.zone) == FILLED


def test_sync_raises_when_the_zone_cannot_be_read() -> None:
    """Without the current records there is nothing to compare with: no plan, no write."""
    here = world(BOTH, RUNNING)
    here.zone.error = "ServiceUnavailable"

    with pytest.raises(ReadFailed, match="Route 53 did not answer"):
        run(here)

    assert here.zone.batches == []


def test_sync_raises_conflict_and_keeps_a_foreign_write_and_the_next_run_settles_it() -> None:
    """Somebody else's write between read and write is not overwritten blindly."""
    theirs = record(ONE, "10.66.0.1")
    raced = RacedZone(theirs)
    twins = world(BOTH, RUNNING)
    ports = Ports(twins.elasticache, twins.ecs, raced)

    with pytest.raises(Conflict, match="the next run reads it again"):
        sync(ports, settings(), MemoryJournal(), apply_to(ports, "test"))
    assert theirs in raced.records()

    sync(ports, settings(), MemoryJournal(), apply_to(ports, "test"))
    assert addresses(raced) == FILLED


def test_sync_writes_pins_and_leaves_them(filled: World) -> None:
    """A pinned name stands whatever its proxies do."""
    pinned = settings(pins={named(ONE): (address("10.99.0.1"),)})

    run(filled, pinned)

    assert addresses(filled.zone)[ONE] == ("10.99.0.1",)
    assert run(filled, pinned).converged


def test_sync_show_only_plans_and_changes_nothing() -> None:
    """The plan is the result; a dry run is another executor, not another program."""
    here = world(BOTH, RUNNING)

    outcome = sync(here.ports, settings(), MemoryJournal(), show_only)

    assert len(outcome.plan.changes) == 4
    assert outcome.applied == ()
    assert here.zone.batches == []


def test_sync_journals_every_run(filled: World) -> None:
    """A run without a change is told as well."""
    journal = MemoryJournal()

    outcome = sync(filled.ports, settings(), journal, apply_to(filled.ports, "test"))

    assert journal.outcomes == [outcome]


def test_sync_leaves_the_zone_alone_but_for_addresses_and_soa(filled: World) -> None:
    """Only A and SOA are ever written."""
    filled.elasticache.answer = topology(TWO, THREE)
    filled.ecs.answer = fleet(proxy(TWO, "10.20.2.8"), proxy(THREE, "10.20.3.7"))

    run(filled)

    written = {(r.name, r.type) for r in filled.zone.records()}
    assert written == {(named(n), RecordType.A) for n in (TWO, THREE)} | {
        (ENDPOINT, RecordType.A),
        (filled.zone.name, RecordType.SOA),
    }


def test_memory_zone_has_one_soa_like_route53() -> None:
    """A new zone comes with an SOA of 900 seconds, which is why it has to be lowered."""
    zone = MemoryZone(named(ONE))

    assert [(r.type, r.ttl) for r in zone.records()] == [(RecordType.SOA, 900)]
