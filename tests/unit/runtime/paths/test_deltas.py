"""What a run adds to the last one: counted, never guessed."""

from dataclasses import replace

import pytest

from nodeway_runtime.paths.cluster_view import Counters, NodeReply
from nodeway_runtime.paths.deltas import Memory, compare_runs, counters_by_node
from nodeway_runtime.paths.diagnose import diagnose
from nodeway_runtime.paths.trace import Failure, NameTrace
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, named
from tests.support.probing import (
    ADDRESSES,
    address_trace,
    counters,
    failed_trace,
    healthy,
    name_trace,
    node_id,
    targets,
    with_endpoint,
)

FIRST, LATER = "2026-03-01T03:00:00+00:00", "2026-03-01T03:01:00+00:00"


def saying(label: str, told: Counters | None) -> NameTrace:
    return name_trace(label, address_trace(label, reply=NodeReply(node_id(label), None, told)))


def runs(*several: list[NameTrace]) -> list[tuple[int | None, int | None, int | None, int | None]]:
    """Moved and asked of the first name, failovers and rejected connections, in each run."""
    memory, found = Memory(), []
    for one in several:
        told = compare_runs(memory, one, diagnose(targets(ONE, TWO), one), FIRST)
        memory = told.memory
        first = told.rows[0]
        found.append((first.moved, first.asked, told.failovers, told.rejected_connections))
    return found


BEFORE = counters(12, asked=4, rejected_connections=1)
UNKNOWN = (None, None, None, None)


@pytest.mark.parametrize(
    ("now", "counted"),
    [
        (counters(19, asked=4, rejected_connections=3), (7, 0, 0, 2)),
        (BEFORE, (0, 0, 0, 0)),
        (counters(15, run_id="r2", rejected_connections=2), (15, 0, 0, 2)),
        (counters(5, asked=4, rejected_connections=1), (5, 0, 0, 0)),
        (None, UNKNOWN),
    ],
    ids=["more", "the same", "started again", "set back, with the same run id", "may not be asked"],
)
def test_run_counts_what_came_since_the_last_one(
    now: Counters | None, counted: tuple[int | None, ...]
) -> None:
    """None is not zero: a first run has seen no second, and has no counters of a node that may not be asked."""
    assert runs([saying(ONE, BEFORE)], [saying(ONE, now)]) == [UNKNOWN, counted]


def test_failover_is_a_replica_that_leads_now() -> None:
    """And the old primary that follows is none of its own; nor is one that came new and leads."""
    before = [saying(ONE, counters()), saying(TWO, counters(primary=False))]
    after = [saying(ONE, counters(primary=False)), saying(TWO, counters())]
    grown = [*after, saying(THREE, counters())]

    assert [one[2] for one in runs(before, after, after, grown)] == [None, 1, 0, 0]


def test_node_that_was_not_reached_is_compared_with_what_it_said_last() -> None:
    """Its redirects of that time are not lost, nor a failover."""
    before, after = counters(10, primary=False), counters(14)

    found = runs([saying(ONE, before)], [failed_trace(ONE, Failure.REFUSED)], [saying(ONE, after)])

    assert [(one[0], one[2]) for one in found] == [(None, None), (None, None), (4, 1)]


def test_endpoint_counts_nothing_as_its_nodes_have_rows_of_their_own() -> None:
    """Else each redirect would be counted twice."""
    map_ = with_endpoint(ONE)
    one_run = [*healthy(ONE), name_trace(ENDPOINT, address_trace(ONE))]

    first = compare_runs(Memory(), one_run, diagnose(map_, one_run), FIRST)
    second = compare_runs(first.memory, one_run, diagnose(map_, one_run), LATER)

    assert [row.moved for row in second.rows] == [0, None]


def test_since_stays_while_a_name_is_as_it_is() -> None:
    """And begins anew with another verdict, also with one that is no worse."""
    times = iter((FIRST, LATER, "third", "fourth"))
    memory, found = Memory(), []
    for trouble in (Failure.NONE, Failure.NONE, Failure.REFUSED, Failure.TLS_CLOSED):
        one_run = [failed_trace(ONE, trouble)]
        told = compare_runs(memory, one_run, diagnose(targets(ONE), one_run), next(times))
        memory = told.memory
        found.append(told.rows[0].since)

    assert found == [FIRST, FIRST, "third", "fourth"]


def test_name_that_is_gone_is_forgotten() -> None:
    """One that comes back begins anew."""
    first = compare_runs(Memory(), healthy(ONE), diagnose(targets(ONE), healthy(ONE)), FIRST)

    assert compare_runs(first.memory, [], [], LATER).memory.states == {}


def test_counters_are_the_node_s_whatever_name_leads_there() -> None:
    nameless = replace(address_trace(THREE).reply, node_id=None)
    several = [
        name_trace(ENDPOINT, address_trace(ONE), address_trace(TWO, ADDRESSES[TWO])),
        name_trace(THREE, address_trace(THREE, reply=nameless)),
        failed_trace(ONE, Failure.REFUSED),
        NameTrace(named(TWO), (), Failure.NO_SUCH_NAME),
    ]

    assert counters_by_node(several) == {node_id(ONE): counters(), node_id(TWO): counters()}
