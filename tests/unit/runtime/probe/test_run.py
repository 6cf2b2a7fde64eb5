"""A run over all names: many at once, in a time that ends, and with what the last run saw."""

import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from lab.wait import wait_until
from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import NameTrace
from nodeway_runtime.paths.verdicts import Verdict
from nodeway_runtime.probe.run import MAX_CONCURRENT, VIEWS_PER_RUN, Probe
from nodeway_runtime.probe.walker import Login, Walker
from tests.support.fakes import ONE, THREE, TWO, ZONE
from tests.support.probing import (
    PLAIN,
    address_trace,
    counters,
    fake_walker,
    healthy,
    name_trace,
    node_id,
    targets,
)


def many(count: int) -> Targets:
    names = tuple(Hostname(f"demo-{n:04}-001.{ZONE}") for n in range(count))
    return targets(names=names, records=None, proxies=())


@dataclass(slots=True)
class Gate:
    """A resolver that keeps whoever asks for these names until it is opened."""

    held: frozenset[str] | None = None
    opened: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0
    most: int = 0
    asked: int = 0

    def __call__(self, name: str, *_: int) -> list[object]:
        """Never an address."""
        if self.held is None or name in self.held:
            with self.lock:
                self.waiting += 1
                self.asked += 1
                self.most = max(self.most, self.waiting)
            self.opened.wait(60)
            with self.lock:
                self.waiting -= 1
        raise socket.gaierror(socket.EAI_NONAME, "no")


@pytest.fixture
def gate() -> Iterator[Gate]:
    """It is open at the end, whatever happens."""
    one = Gate()
    yield one
    one.opened.set()
    wait_until(lambda: one.waiting == 0, timeout_seconds=30, what="everybody has gone on")


def test_names_are_walked_side_by_side_and_no_more_than_so_many(gate: Gate) -> None:
    """One that hangs keeps no other waiting; 500 that hang do not open 500 connections."""
    reports = []
    map_ = many(MAX_CONCURRENT + 9)
    run = threading.Thread(
        target=lambda: reports.append(Probe("host").run(map_, replace(PLAIN, look_up=gate)))
    )
    run.start()
    wait_until(
        lambda: gate.waiting == MAX_CONCURRENT, timeout_seconds=30, what="as many as may wait"
    )
    gate.opened.set()
    run.join()

    assert gate.most == MAX_CONCURRENT
    assert {row.verdict for row in reports[0].rows} == {Verdict.NAME_NOT_FOUND}
    assert len(reports[0].rows) == MAX_CONCURRENT + 9


def test_run_ends_in_time_and_says_which_names_it_did_not_come_to(gate: Gate) -> None:
    """A report in time, of what was seen, is worth more than a whole one; and the others are not walked later."""
    map_ = many(MAX_CONCURRENT + 9)
    gate.held = frozenset(map_.names[1:])

    report = Probe("host", seconds=1).run(map_, replace(PLAIN, look_up=gate))

    assert report.seconds < 30
    assert [row.verdict for row in report.rows] == [
        Verdict.NAME_NOT_FOUND,
        *[Verdict.NOT_WALKED] * (MAX_CONCURRENT + 8),
    ]
    gate.opened.set()
    wait_until(lambda: gate.waiting == 0, timeout_seconds=30, what="those that had begun are done")
    assert gate.asked == MAX_CONCURRENT


def test_few_nodes_are_all_asked_for_the_whole_cluster_in_each_run() -> None:
    map_, walker, probe = many(3), fake_walker(), Probe("host")

    for _ in range(2):
        probe.run(map_, walker)

    assert sorted(walker.views) == sorted([*map_.names, *map_.names])


def test_of_many_nodes_others_are_asked_in_each_run() -> None:
    """Each in its turn: after as many runs as it takes, all were."""
    map_, probe = many(2 * VIEWS_PER_RUN + 6), Probe("host")
    asked = []
    for _ in range(3):
        walker = fake_walker()
        probe.run(map_, walker)
        asked.append(set(walker.views))

    assert [len(one) for one in asked] == [VIEWS_PER_RUN] * 3
    assert asked[0] == set(map_.names[:VIEWS_PER_RUN])
    assert asked[1] == set(map_.names[VIEWS_PER_RUN : 2 * VIEWS_PER_RUN])
    assert asked[0] | asked[1] | asked[2] == set(map_.names)


def test_map_without_names_is_a_run_that_saw_nothing() -> None:
    report = Probe("host").run(many(0), fake_walker())

    assert (report.rows, report.connections, report.depth) == ((), 0, "answer")


def test_report_says_where_from_how_deep_and_what_the_reader_must_know() -> None:
    map_ = replace(targets(), notes=("half was read",))

    report = Probe("vpc-1").run(
        map_, fake_walker(*healthy(), login=Login("probe", "x")), ("and a note",)
    )

    assert (report.cluster, report.zone) == ("demo", ZONE)
    assert (report.client, report.port) == ("vpc-1", 6379)
    assert (report.depth, report.connections) == ("identity", 3)
    assert report.notes == ("half was read", "and a note")
    assert {row.verdict for row in report.rows} == {Verdict.OK}
    began = datetime.fromisoformat(report.at)
    assert timedelta(0) <= datetime.now(UTC) - began < timedelta(minutes=5)


def test_run_is_compared_with_the_last_one() -> None:
    probe = Probe("host")
    reports = []
    for moved in (3, 8):
        said = replace(address_trace(ONE).reply, counters=counters(moved))
        met = (name_trace(ONE, address_trace(ONE, reply=said)), *healthy(TWO, THREE))
        reports.append(probe.run(targets(), fake_walker(*met)))

    first, second = (report.rows[0] for report in reports)
    assert (first.moved, second.moved, second.node_id) == (None, 5, node_id(ONE))
    assert (reports[0].failovers, reports[1].failovers) == (None, 0)
    assert second.since == first.since


def test_who_waits_is_told_how_many_names_are_done() -> None:
    done: list[int] = []

    Probe("host").run(many(9), fake_walker(), on_progress=done.append)

    assert sorted(done) == list(range(1, 10))


def test_after_an_interruption_no_other_walk_begins() -> None:
    """Else 500 names would be walked to the end, with a person waiting for the prompt."""
    begun: list[str] = []
    go_on = threading.Event()
    main = threading.main_thread().ident or 0

    class Hanging:
        login = None

        def trace(self, name: str, *, view: bool) -> NameTrace:
            del view
            begun.append(name)
            if len(begun) == MAX_CONCURRENT:
                signal.pthread_kill(main, signal.SIGINT)
            go_on.wait(60)
            return NameTrace(name)

    names = tuple(Hostname(f"n{i}.{ZONE}") for i in range(2 * MAX_CONCURRENT))
    with pytest.raises(KeyboardInterrupt):
        Probe("here").run(replace(targets(), names=names), cast("Walker", Hanging()))
    go_on.set()
    ended = [one for one in threading.enumerate() if one.name.startswith("walk")]
    for one in ended:
        one.join(10)

    assert len(begun) == MAX_CONCURRENT
