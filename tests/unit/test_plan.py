"""Stage 3: the plan is data."""

from dataclasses import replace

import pytest

from resync.desired import Desired
from resync.plan import Change, Create, Delete, Plan, Update, diff, key, line
from resync.topology import Record
from tests.fakes import ONE, THREE, TWO, ZONE, named, record, soa

X, Y = record(ONE, "10.20.1.5"), record(ONE, "10.20.1.6")


def wanting(*records: Record, why: str = "") -> Desired:
    """A desired state with the same reason for every record."""
    return Desired(records, {one.name: why for one in records}, ())


GONE = "no node or pin of this deployment has this name, or none of its HAProxies is healthy"


@pytest.mark.parametrize(
    ("current", "desired", "changes"),
    [
        ((), (X,), (Create(X, ""),)),
        ((X,), (Y,), (Update(X, Y, ""),)),
        ((X,), (replace(X, ttl=60),), (Update(X, replace(X, ttl=60), ""),)),
        ((X,), (X,), ()),
        ((X,), (), (Delete(X, GONE),)),
        ((), (), ()),
        ((soa(),), (soa(ttl=5),), (Update(soa(), soa(ttl=5), ""),)),
        ((soa(),), (), ()),
    ],
    ids=[
        "create",
        "update",
        "update of the TTL",
        "same",
        "delete",
        "empty",
        "SOA lowered",
        "SOA never deleted",
    ],
)
def test_diff_follows_the_truth_table(
    current: tuple[Record, ...], desired: tuple[Record, ...], changes: tuple[Change, ...]
) -> None:
    """Name by name: missing is created, different is updated, unwanted is deleted, equal is left alone."""
    assert diff(current, wanting(*desired)).changes == changes


def test_diff_puts_deletes_last_and_sorts_by_name() -> None:
    """Creates and updates come first, so that no name is without answer meanwhile."""
    old, new, gone = record(TWO, "10.20.1.6"), record(TWO, "10.20.1.7"), record("aaa", "10.20.1.1")

    plan = diff((gone, old), wanting(record(THREE, "10.20.1.8"), new, X))

    assert [(type(c), key(c)[0]) for c in plan.changes] == [
        (Create, named(ONE)),
        (Update, named(TWO)),
        (Create, named(THREE)),
        (Delete, named("aaa")),
    ]
    assert (len(plan.creates), len(plan.updates), len(plan.deletes)) == (2, 1, 1)


def test_diff_gives_each_change_the_reason_of_its_record() -> None:
    """A person who reads the plan sees why."""
    (change,) = diff((), wanting(X, why="1 healthy HAProxy task")).changes

    assert change.why == "1 healthy HAProxy task"


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
    assert line(change) == text


def test_plan_prints_one_line_a_change() -> None:
    """The text of a plan is its lines; an empty one says so."""
    assert str(Plan((Create(X, "a"), Delete(Y, "b")))).count("\n") == 1
    assert str(Plan()) == "no changes"


def test_checksum_is_the_same_whatever_the_reasons() -> None:
    """What will be done is what is approved, not how it is explained."""
    assert Plan((Create(X, "one"),)).checksum == Plan((Create(X, "another  # reason"),)).checksum


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
    ],
    ids=["empty", "other value", "other action", "other TTL"],
)
def test_checksum_differs_when_the_plan_does(other: Plan) -> None:
    """No two plans that do different things share a checksum."""
    assert other.checksum != Plan((Create(X, ""),)).checksum
