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
from nodeway_runtime.model.topology import Record, RecordType
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
    with mock_aws():
        client, zone_id = moto_zone()

        def overwrite(theirs: Record) -> None:
            upsert(client, zone_id, dict(to_record_set(theirs)))

        yield Subject(Route53Zone(client, zone_id), overwrite)


def fake() -> Iterator[Subject]:
    zone = FakeZone(ZONE)
    yield Subject(zone, zone.put)


@pytest.fixture(params=[fake, moto], ids=lambda make: str(make.__name__))
def subject(request: pytest.FixtureRequest, fake_aws: pytest.MonkeyPatch) -> Iterator[Subject]:
    _ = fake_aws
    yield from request.param()


def a_records(zone: ZonePort) -> list[Record]:
    return [one for one in zone.records() if one.type is RecordType.A]


def test_zone_reads_back_what_was_written(subject: Subject) -> None:
    """Names, values, TTL: as created, sorted; an update changes values and TTL together, a delete leaves the others."""
    other = record(TWO, "10.20.1.9", ttl=60)
    assert subject.zone.change((Create(other, ""), Create(X, "")), "comment")
    assert a_records(subject.zone) == [X, other]

    subject.zone.change((Update(X, replace(Y, ttl=60), ""),), "move")
    assert a_records(subject.zone) == [replace(Y, ttl=60), other]

    subject.zone.change((Delete(other, ""),), "drop")
    assert a_records(subject.zone) == [replace(Y, ttl=60)]


def test_zone_lowers_its_soa_and_then_leaves_it(subject: Subject) -> None:
    """A new zone begins with one; it is updated in place, and lowering it again is the same SOA."""
    (old,) = subject.zone.records()
    assert (old.name, old.type, len(old.values)) == (ZONE, RecordType.SOA, 1)

    subject.zone.change((Update(old, lower_soa(old), ""),), "lower")

    (found,) = subject.zone.records()
    assert found == lower_soa(old)
    assert lower_soa(found) == found


@pytest.mark.parametrize("theirs", [[record(ONE, "10.66.0.1")], []], ids=["changed", "gone"])
@pytest.mark.parametrize("change", [Update(X, Y, ""), Delete(X, "")], ids=["update", "delete"])
def test_zone_refuses_to_change_what_is_not_what_was_read(
    subject: Subject, change: Change, theirs: list[Record]
) -> None:
    """Somebody else's value stays, and nothing is made of nothing."""
    for one in theirs:
        subject.overwrite(one)

    with pytest.raises(ResyncError):
        subject.zone.change((change,), "raced")

    assert a_records(subject.zone) == theirs


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ([Delete(record(TWO, "10.20.1.9"), "")], ResyncError),
        ([Create(record(f"n{n}", "10.20.1.1"), "") for n in range(1000)], ApplyFailed),
    ],
    ids=["gone", "more than a thousand elements"],
)
def test_zone_refuses_a_batch_whole(
    subject: Subject, refused: list[Change], error: type[ResyncError]
) -> None:
    """A good change beside a refused one is not made."""
    with pytest.raises(error):
        subject.zone.change((Create(Y, ""), *refused), "raced")

    assert a_records(subject.zone) == []


def test_zone_reads_more_records_than_one_page_has(subject: Subject) -> None:
    """Route 53 lists 300 record sets a page; all are read."""
    plan = Plan(
        tuple(Create(record(f"n{n:04}", f"10.20.{n // 200}.{n % 200 + 1}"), "") for n in range(650))
    )

    apply(plan, subject.zone, "fill")

    assert a_records(subject.zone) == [one.new for one in plan.creates]


def test_fake_calls_a_second_create_a_conflict() -> None:
    """As Route 53 does, and moto does not."""
    zone = FakeZone(ZONE, (X,))

    with pytest.raises(Conflict, match="already exists"):
        zone.change((Create(Y, ""),), "raced")
