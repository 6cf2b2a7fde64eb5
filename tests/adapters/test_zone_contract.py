"""The zone port's contract, over our fake of Route 53 and over moto.

moto is laxer than Route 53 in two things: it takes a CREATE of what exists, and refuses a stale
DELETE with another code. test_route53.py holds those two against Route 53's documented answers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from moto import mock_aws

from nodeway_runtime.aws.route53 import Route53Zone, to_record_set
from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.errors import ApplyFailed, Conflict, ResyncError
from nodeway_runtime.model.ports import ZonePort
from nodeway_runtime.model.topology import Record, RecordType, hostname
from nodeway_runtime.planner.apply import apply
from nodeway_runtime.planner.desired import lower_soa
from nodeway_runtime.planner.plan import Plan
from tests.adapters.conftest import moto_zone, upsert
from tests.support.fakes import ONE, TWO, ZONE, record
from tests.support.ports import FakeZone

X, Y = record(ONE, "10.20.1.5", "10.20.2.5"), record(ONE, "10.20.1.6")


@dataclass(frozen=True, slots=True)
class Subject:
    """A zone under the contract, and the hand of somebody else in it."""

    zone: ZonePort
    overwrite: Callable[[Record], None]


def moto() -> Iterator[Subject]:
    """The adapter over moto."""
    with mock_aws():
        client, zone_id = moto_zone()

        def overwrite(theirs: Record) -> None:
            upsert(client, zone_id, dict(to_record_set(theirs)))

        yield Subject(Route53Zone(client, zone_id), overwrite)


def fake() -> Iterator[Subject]:
    """The adapter over our fake."""
    zone = FakeZone(ZONE)
    yield Subject(zone, zone.put)


@pytest.fixture(params=[fake, moto], ids=lambda make: str(make.__name__))
def subject(request: pytest.FixtureRequest, fake_aws: pytest.MonkeyPatch) -> Iterator[Subject]:
    """Each zone in turn."""
    _ = fake_aws
    yield from request.param()


def a_records(zone: ZonePort) -> list[Record]:
    """The address records."""
    return [one for one in zone.records() if one.type is RecordType.A]


def test_zone_reads_back_what_was_written(subject: Subject) -> None:
    """Names, values, TTL: as created, sorted."""
    change_id = subject.zone.change(
        (Create(record(TWO, "10.20.1.9", ttl=60), ""), Create(X, "")), "comment"
    )

    assert change_id
    assert a_records(subject.zone) == [X, record(TWO, "10.20.1.9", ttl=60)]


def test_zone_has_one_soa(subject: Subject) -> None:
    """A new zone begins with it."""
    (found,) = subject.zone.records()

    assert (found.name, found.type, len(found.values)) == (ZONE, RecordType.SOA, 1)


def test_zone_updates_what_is_still_what_was_read(subject: Subject) -> None:
    """Values and TTL change together."""
    subject.zone.change((Create(X, ""),), "fill")

    subject.zone.change((Update(X, replace(Y, ttl=60), ""),), "move")

    assert a_records(subject.zone) == [replace(Y, ttl=60)]


def test_zone_deletes_what_is_still_what_was_read(subject: Subject) -> None:
    """And leaves the others."""
    subject.zone.change((Create(X, ""), Create(record(TWO, "10.20.1.9"), "")), "fill")

    subject.zone.change((Delete(X, ""),), "drop")

    assert a_records(subject.zone) == [record(TWO, "10.20.1.9")]


def test_zone_lowers_its_soa_and_then_leaves_it(subject: Subject) -> None:
    """The SOA is updated in place; lowering it again is the same SOA."""
    old = subject.zone.records()[0]

    subject.zone.change((Update(old, lower_soa(old), ""),), "lower")

    (found,) = subject.zone.records()
    assert found == lower_soa(old)
    assert lower_soa(found) == found


@pytest.mark.parametrize("change", [Update(X, Y, ""), Delete(X, "")], ids=["update", "delete"])
def test_zone_refuses_to_change_what_somebody_else_changed(
    subject: Subject, change: Change
) -> None:
    """Their value stays."""
    theirs = record(ONE, "10.66.0.1")
    subject.overwrite(theirs)

    with pytest.raises(ResyncError):
        subject.zone.change((change,), "raced")

    assert a_records(subject.zone) == [theirs]


@pytest.mark.parametrize("change", [Update(X, Y, ""), Delete(X, "")], ids=["update", "delete"])
def test_zone_refuses_to_change_what_is_gone(subject: Subject, change: Change) -> None:
    """Nothing is made of nothing."""
    with pytest.raises(ResyncError):
        subject.zone.change((change,), "raced")

    assert a_records(subject.zone) == []


def test_zone_refuses_a_batch_whole(subject: Subject) -> None:
    """A good change beside a refused one is not made."""
    with pytest.raises(ResyncError):
        subject.zone.change((Create(Y, ""), Delete(record(TWO, "10.20.1.9"), "")), "raced")

    assert a_records(subject.zone) == []


def test_zone_refuses_a_batch_that_is_over_the_limit(subject: Subject) -> None:
    """A thousand elements a request, as Route 53 counts."""
    batch = tuple(Create(record(f"n{n}", "10.20.1.1"), "") for n in range(1001))

    with pytest.raises(ApplyFailed):
        subject.zone.change(batch, "too many")

    assert a_records(subject.zone) == []


def test_zone_refuses_a_name_that_is_not_its_own(subject: Subject) -> None:
    """A record elsewhere is not this zone's to write."""
    with pytest.raises(ApplyFailed):
        subject.zone.change(
            (
                Create(
                    replace(
                        X, name=hostname("demo-0001-001.other.abc123.use1.cache.amazonaws.com")
                    ),
                    "",
                ),
            ),
            "elsewhere",
        )


def test_zone_reads_more_records_than_one_page_has(subject: Subject) -> None:
    """Route 53 lists 300 record sets a page; all are read."""
    plan = Plan(
        tuple(Create(record(f"n{n:04}", f"10.20.{n // 200}.{n % 200 + 1}"), "") for n in range(650))
    )

    apply(plan, subject.zone, "fill")

    assert a_records(subject.zone) == [one.new for one in plan.creates]


def test_zone_takes_a_full_batch_of_the_appliers(subject: Subject) -> None:
    """What the applier cuts is what the zone takes."""
    fill = Plan(
        tuple(Create(record(f"n{n:04}", f"10.20.{n // 200}.{n % 200 + 1}"), "") for n in range(950))
    )
    apply(fill, subject.zone, "fill")

    move = Plan(tuple(Update(one.new, replace(one.new, ttl=9), "") for one in fill.creates))
    apply(move, subject.zone, "move")

    assert {one.ttl for one in a_records(subject.zone)} == {9}


def test_fake_calls_a_second_create_a_conflict() -> None:
    """As Route 53 does, and moto does not."""
    zone = FakeZone(ZONE, (X,))

    with pytest.raises(Conflict, match="already exists"):
        zone.change((Create(Y, ""),), "raced")
