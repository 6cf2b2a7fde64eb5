"""Stage 3: the plan is data."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.steps import Start
from nodeway_runtime.model.topology import Record, RecordType, Topology
from nodeway_runtime.planner.apply import apply
from nodeway_runtime.planner.desired import Desired
from nodeway_runtime.planner.plan import Plan, diff
from nodeway_runtime.planner.stand_ins import StandInPlan
from tests.support.fakes import (
    NOW,
    ONE,
    OWNER,
    THREE,
    TWO,
    ZONE,
    marked,
    named,
    record,
    soa,
    topology,
)
from tests.support.ports import FakeZone

ELSEWHERE = topology(TWO)
X, Y = record(ONE, "10.20.1.5"), record(ONE, "10.20.1.6")


GONE = marked(X, since=NOW - timedelta(seconds=40), reads=2)
"""A name of ours whose node was absent in two reads before this one."""


def plan(
    current: tuple[Record, ...],
    desired: tuple[Record, ...] = (),
    seen: Topology = ELSEWHERE,
    now: datetime = NOW,
) -> Plan:
    """What would have to change; no node of the topology has the name X unless a test says so."""
    return diff(current, Desired(desired, {}, ()), seen, owner=OWNER, now=now)


@pytest.mark.parametrize(
    ("current", "desired", "changes"),
    [
        pytest.param((), (X,), (Create(X, ""),), id="create"),
        pytest.param((X,), (Y,), (Update(X, Y, ""),), id="update"),
        pytest.param(
            (X,),
            (replace(X, ttl=60),),
            (Update(X, replace(X, ttl=60), ""),),
            id="update of the TTL",
        ),
        pytest.param((X,), (X,), (), id="same"),
        pytest.param(
            (), marked(X), (Create(X, ""), Create(marked(X)[1], "")), id="create with its marker"
        ),
        pytest.param(marked(X), marked(X), (), id="same with its marker"),
        pytest.param((X,), (), (), id="unwanted without marker"),
        pytest.param(marked(X, owner="another"), (), (), id="unwanted of another"),
        pytest.param((), (), (), id="empty"),
        pytest.param((soa(),), (soa(ttl=5),), (Update(soa(), soa(ttl=5), ""),), id="SOA lowered"),
        pytest.param((soa(),), (), (), id="SOA never deleted"),
    ],
)
def test_diff_follows_the_truth_table(
    current: tuple[Record, ...], desired: tuple[Record, ...], changes: tuple[Change, ...]
) -> None:
    """Name by name: missing is created, different is updated, equal and foreign are left alone."""
    assert plan(current, desired).changes == changes


def test_diff_counts_an_absent_node_in_its_marker_before_its_name_goes() -> None:
    """Three reads, twenty seconds apart, are three plans: count, count, delete both."""
    zone = FakeZone(ZONE, marked(X))
    told: list[list[str]] = []
    for second in (0, 5, 20, 39, 40):
        changes = plan(zone.records(), now=NOW + timedelta(seconds=second))
        told.append([str(change).partition("  # ")[2] for change in changes.changes])
        apply(changes, zone, "test")

    since = "its node is absent since 2026-03-01T03:00:00Z"
    assert told == [
        ["its node is absent, read 1"],
        [],
        ["its node is absent, read 2"],
        [],
        [since, since],
    ]
    assert [one.type for one in zone.records()] == [RecordType.SOA]


@pytest.mark.parametrize(
    ("current", "seen", "why"),
    [
        (GONE, ELSEWHERE, "its node is absent since 2026-03-01T02:59:20Z"),
        (GONE[1:], ELSEWHERE, "its node is absent since 2026-03-01T02:59:20Z"),
        (marked(X), topology(ONE), "none of its node's HAProxies is healthy"),
    ],
    ids=["with its marker", "its marker alone", "no healthy proxy: for the guard to refuse"],
)
def test_diff_deletes_exactly_what_was_read(
    current: tuple[Record, ...], seen: Topology, why: str
) -> None:
    """A name together with its marker, or what somebody's hand has left of them."""
    assert plan(current, seen=seen).changes == tuple(Delete(one, why) for one in current)


def test_diff_forgets_the_count_when_the_node_is_back() -> None:
    """The next absence is counted from one again."""
    (change,) = plan(GONE, marked(X), seen=topology(ONE)).changes

    assert change == Update(GONE[1], marked(X)[1], "")


@pytest.mark.parametrize(
    "current",
    [(X,), marked(X, owner="another"), marked(X, owner="another", since=NOW, reads=3)],
    ids=["no marker", "another's", "another's, long absent"],
)
@pytest.mark.parametrize("seen", [topology(ONE), topology(TWO)], ids=["known", "absent"])
def test_diff_never_plans_anything_about_an_unwanted_foreign_name(
    current: tuple[Record, ...], seen: Topology
) -> None:
    """Neither deleted nor counted, whoever's node it is."""
    assert plan(current, seen=seen).changes == ()


def test_diff_puts_deletes_last_and_sorts_by_name_with_its_marker() -> None:
    """Creates and updates come first, so that no name is without answer meanwhile."""
    old, new = marked(record(TWO, "10.20.1.6")), marked(record(TWO, "10.20.1.7"))
    gone = marked(record("aaa", "10.20.1.1"), since=NOW - timedelta(seconds=60), reads=2)

    found = plan(
        (*gone, *old, soa()), (*marked(record(THREE, "10.20.1.8")), *new, *marked(X), soa(ttl=5))
    )

    assert [(type(c), *c.key) for c in found.changes] == [
        (Update, ZONE, "SOA"),
        (Create, named(ONE), "A"),
        (Create, f"_nodeway.{named(ONE)}", "TXT"),
        (Update, named(TWO), "A"),
        (Create, named(THREE), "A"),
        (Create, f"_nodeway.{named(THREE)}", "TXT"),
        (Delete, named("aaa"), "A"),
        (Delete, f"_nodeway.{named('aaa')}", "TXT"),
    ]
    assert (len(found.creates), len(found.updates), len(found.deletes)) == (4, 2, 2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Create(X, "new"), f"+ {ONE}.{ZONE} A 10.20.1.5 ttl=5  # new"),
        (Update(X, Y, "moved"), f"~ {ONE}.{ZONE} A 10.20.1.5 ttl=5 -> 10.20.1.6 ttl=5  # moved"),
        (Delete(X, "gone"), f"- {ONE}.{ZONE} A 10.20.1.5 ttl=5  # gone"),
    ],
    ids=["create", "update", "delete"],
)
def test_line_shows_a_change_as_people_read_it(change: Change, text: str) -> None:
    """`+ ~ -`, name, type, old and new values, reason."""
    assert str(change) == text


def test_plan_prints_one_line_a_change() -> None:
    """The text of a plan is its lines; an empty one says so."""
    assert str(Plan((Create(X, "a"), Delete(Y, "b")))).count("\n") == 1
    assert str(Plan()) == "no changes"


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ([Create(X, "one")], [Create(X, "another  # reason")]),
        ([Delete(one, "") for one in GONE], [Delete(X, "")]),
        ([Update(marked(X)[1], marked(X, since=NOW, reads=1)[1], "")], []),
    ],
    ids=["reasons", "markers", "counts of absence"],
)
def test_checksum_is_the_same_whatever_takes_nothing_from_anybody(
    one: list[Change], same: list[Change]
) -> None:
    """Markers follow from the rest, and hold times: what was reviewed a minute ago is still the same plan."""
    assert Plan(tuple(one)).checksum == Plan(tuple(same)).checksum


def test_checksum_differs_when_an_absence_ends() -> None:
    ends = Update(marked(X, since=NOW, reads=1)[1], marked(X)[1], "")

    assert Plan((ends,)).checksum != Plan().checksum


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Plan(), id="empty"),
        pytest.param(Plan((Create(Y, ""),)), id="other value"),
        pytest.param(Plan((Delete(X, ""),)), id="other action"),
        pytest.param(Plan((Create(replace(X, ttl=6), ""),)), id="other TTL"),
        pytest.param(Plan((Create(X, ""),), StandInPlan((Start(TWO, named(TWO)),))), id="stand-in"),
        pytest.param(Plan((Create(X, ""), Create(marked(record(TWO))[1], ""))), id="marker alone"),
    ],
)
def test_checksum_differs_when_the_plan_does(other: Plan) -> None:
    """Twelve hex digits that a person can paste, the same today and tomorrow."""
    assert other.checksum != Plan((Create(X, ""),)).checksum == "4e9518204ce5"
