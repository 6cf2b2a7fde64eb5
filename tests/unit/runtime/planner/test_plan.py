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


def wanting(*records: Record, why: str = "") -> Desired:
    """A desired state with the same reason for every record."""
    return Desired(records, {one.name: why for one in records}, ())


GONE = marked(X, since=NOW - timedelta(seconds=40), reads=2)
"""A name of ours whose node was absent in two reads before this one."""


def plan(
    current: tuple[Record, ...],
    desired: tuple[Record, ...] = (),
    seen: Topology = ELSEWHERE,
    now: datetime = NOW,
    why: str = "",
) -> Plan:
    """What would have to change; no node of the topology has the name X unless a test says so."""
    return diff(current, wanting(*desired, why=why), seen, owner=OWNER, now=now)


@pytest.mark.parametrize(
    ("current", "desired", "changes"),
    [
        ((), (X,), (Create(X, ""),)),
        ((X,), (Y,), (Update(X, Y, ""),)),
        ((X,), (replace(X, ttl=60),), (Update(X, replace(X, ttl=60), ""),)),
        ((X,), (X,), ()),
        ((), marked(X), (Create(X, ""), Create(marked(X)[1], ""))),
        (marked(X), marked(X), ()),
        ((X,), (), ()),
        (marked(X, owner="another"), (), ()),
        ((), (), ()),
        ((soa(),), (soa(ttl=5),), (Update(soa(), soa(ttl=5), ""),)),
        ((soa(),), (), ()),
    ],
    ids=[
        "create",
        "update",
        "update of the TTL",
        "same",
        "create with its marker",
        "same with its marker",
        "unwanted without marker",
        "unwanted of another",
        "empty",
        "SOA lowered",
        "SOA never deleted",
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


def test_diff_deletes_a_name_together_with_its_marker() -> None:
    """Both, exactly as they were read."""
    assert [(type(c), c.record) for c in plan(GONE).changes] == [(Delete, one) for one in GONE]


def test_diff_deletes_a_marker_that_has_no_address_any_more() -> None:
    """Somebody deleted the address by hand: what is left of it goes as well."""
    assert [change.record for change in plan(GONE[1:]).changes] == [GONE[1]]


def test_diff_proposes_to_delete_the_name_of_a_node_without_healthy_proxies() -> None:
    """The plan says what was read; that it must not be done is the guard's word."""
    changes = plan(marked(X), seen=topology(ONE)).changes

    assert [(type(c), c.record) for c in changes] == [(Delete, one) for one in marked(X)]
    assert {change.why for change in changes} == {"none of its node's HAProxies is healthy"}


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


def test_diff_gives_each_change_the_reason_of_its_record() -> None:
    """A person who reads the plan sees why."""
    changes = plan((), marked(X), why="1 healthy proxy task").changes

    assert {change.why for change in changes} == {"1 healthy proxy task"}


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


def test_checksum_is_the_same_whatever_the_reasons() -> None:
    """What will be done is what is approved, not how it is explained."""
    assert Plan((Create(X, "one"),)).checksum == Plan((Create(X, "another  # reason"),)).checksum


def test_checksum_is_the_same_whatever_the_markers() -> None:
    """They follow from the rest, and hold times: what was reviewed a minute ago is still the same plan."""
    with_marker = Plan(tuple(Delete(one, "") for one in GONE))
    later = Plan(tuple(Delete(one, "") for one in marked(X, since=NOW, reads=3)))

    assert with_marker.checksum == later.checksum == Plan((Delete(X, ""),)).checksum


def test_checksum_is_the_same_whatever_absence_is_counted() -> None:
    """The count holds the time, and takes nothing from anybody."""
    marker, counted = marked(X)[1], marked(X, since=NOW, reads=1)[1]

    assert Plan((Update(marker, counted, ""),)).checksum == Plan().checksum
    assert Plan((Update(counted, marker, ""),)).checksum != Plan().checksum


def test_checksum_is_stable_between_versions() -> None:
    """Twelve hex digits that a person can paste; the same today and tomorrow."""
    assert Plan((Create(X, ""),)).checksum == "4e9518204ce5"


@pytest.mark.parametrize(
    "other",
    [
        Plan(),
        Plan((Create(Y, ""),)),
        Plan((Delete(X, ""),)),
        Plan((Create(replace(X, ttl=6), ""),)),
        Plan((Create(X, ""),), StandInPlan((Start(TWO, named(TWO)),))),
        Plan((Create(X, ""), Create(marked(record(TWO))[1], ""))),
    ],
    ids=["empty", "other value", "other action", "other TTL", "stand-in", "marker alone"],
)
def test_checksum_differs_when_the_plan_does(other: Plan) -> None:
    """No two plans that do different things share a checksum."""
    assert other.checksum != Plan((Create(X, ""),)).checksum
