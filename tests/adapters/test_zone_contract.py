"""One contract, held by the in-memory zone and by Route 53's adapter: whoever passes it may stand for the other.

moto is laxer than Route 53 in two things (it takes a CREATE of what exists, and refuses a stale DELETE with another code), so
those two are held against answers in Route 53's documented form.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from resync.apply import apply
from resync.desired import low_soa
from resync.errors import ApplyFailed, Conflict, ReadFailed, ResyncError
from resync.memory import MemoryZone
from resync.plan import Change, Create, Delete, Plan, Update
from resync.route53 import Route53Zone, entries, record_of, record_set
from resync.source import ZonePort
from resync.topology import Record, RecordType
from tests.adapters.conftest import Stubbed
from tests.fakes import ONE, THREE, TWO, ZONE, record, soa

X, Y = record(ONE, "10.20.1.5", "10.20.2.5"), record(ONE, "10.20.1.6")


@dataclass(frozen=True, slots=True)
class Subject:
    """A zone under the contract, and the hand of somebody else in it."""

    zone: ZonePort
    overwrite: Callable[[Record], None]


def memory() -> Iterator[Subject]:
    """The twin."""
    zone = MemoryZone(ZONE)

    def overwrite(theirs: Record) -> None:
        zone.sets[theirs.key] = theirs

    yield Subject(zone, overwrite)


def moto() -> Iterator[Subject]:
    """The adapter over moto."""
    with mock_aws():
        client, zone_id = moto_zone()

        def overwrite(theirs: Record) -> None:
            upsert(client, zone_id, dict(record_set(theirs)))

        yield Subject(Route53Zone(client, zone_id), overwrite)


def moto_zone() -> tuple[Any, str]:
    """A private zone in moto."""
    client = boto3.client("route53", region_name="us-east-1")
    made = client.create_hosted_zone(
        Name=ZONE, CallerReference="test", VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-0000000c"}
    )
    zone_id = made["HostedZone"]["Id"]
    upsert(client, zone_id, dict(record_set(soa())))  # moto's own is not in Route 53's form
    return client, zone_id


def upsert(client: Any, zone_id: str, *sets: dict[str, Any]) -> None:  # noqa: ANN401 (boto3's client)
    """Writes record sets as somebody else would."""
    changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in sets]
    client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


@pytest.fixture(params=[memory, moto], ids=lambda make: str(make.__name__))
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

    subject.zone.change((Update(old, low_soa(old), ""),), "lower")

    (found,) = subject.zone.records()
    assert found == low_soa(old)
    assert low_soa(found) == found


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
            (Create(replace(X, name=soa().name.replace("demo", "other")), ""),), "elsewhere"
        )  # type: ignore[arg-type]


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


FOREIGN: list[dict[str, Any]] = [
    {"Name": f"text.{ZONE}", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"hello"'}]},
    {
        "Name": f"alias.{ZONE}",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "elsewhere.example"}],
    },
    {
        "Name": f"six.{ZONE}",
        "Type": "AAAA",
        "TTL": 60,
        "ResourceRecords": [{"Value": "2001:db8::1"}],
    },
    {
        "Name": f"weighted.{ZONE}",
        "Type": "A",
        "TTL": 60,
        "SetIdentifier": "a",
        "Weight": 1,
        "ResourceRecords": [{"Value": "10.0.0.1"}],
    },
    {"Name": f"\\052.{ZONE}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]},
]


@pytest.mark.usefixtures("fake_aws")
@mock_aws
def test_route53_reads_over_what_is_not_a_plain_address() -> None:
    """TXT, CNAME, AAAA, weighted and wildcard records are somebody else's: neither read nor touched."""
    client, zone_id = moto_zone()
    upsert(client, zone_id, *FOREIGN)
    zone = Route53Zone(client, zone_id)

    apply(Plan((Create(X, ""),)), zone, "fill")

    assert a_records(zone) == [X]
    kept = {
        one["Name"]
        for one in client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    }
    assert {one["Name"].removesuffix(".") + "." for one in FOREIGN} <= kept


@pytest.mark.parametrize(
    "one",
    [
        *FOREIGN,
        {
            "Name": f"a.{ZONE}",
            "Type": "A",
            "AliasTarget": {
                "DNSName": "x.elb.amazonaws.com",
                "HostedZoneId": "Z",
                "EvaluateTargetHealth": False,
            },
        },
        *(
            {"Name": f"{kind}.{ZONE}", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": "x"}]}
            for kind in ("NS", "SRV", "CAA", "HTTPS", "MX", "PTR", "NAPTR", "SPF", "DS", "SVCB")
        ),
    ],
    ids=lambda one: f"{one['Name'].partition('.')[0]} {one['Type']}",
)
def test_record_of_is_none_for_every_other_kind(one: Any) -> None:
    """What this program does not write it does not see, so it cannot harm it."""
    assert record_of(one) is None


@pytest.mark.parametrize(
    ("code", "text", "change"),
    [
        (
            "InvalidChangeBatch",
            "[Tried to create resource record set [name='a', type='A'] but it already exists]",
            Create(X, ""),
        ),
        (
            "InvalidChangeBatch",
            "[Tried to delete resource record set [name='a', type='A'] but it was not found]",
            Delete(X, ""),
        ),
        (
            "InvalidChangeBatch",
            "[Tried to delete resource record set [name='a', type='A'] but the values provided do not match the current values]",
            Update(X, Y, ""),
        ),
        (
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
            Create(X, ""),
        ),
    ],
    ids=["exists", "gone", "other values", "prior request"],
)
def test_route53_calls_a_lost_race_a_conflict(
    stubbed: Stubbed, code: str, text: str, change: Change
) -> None:
    """Route 53 refuses the batch when a record is no longer what was read; the next run reads it again."""
    client, aws = stubbed("route53")
    aws.add_client_error("change_resource_record_sets", code, text)

    with pytest.raises(
        Conflict, match="zone Z0DEMO was changed by somebody else: .* the next run reads it again"
    ):
        Route53Zone(client, "Z0DEMO").change((change,), "raced")


def test_memory_calls_a_lost_race_a_conflict_too() -> None:
    """The twin refuses a second create as Route 53 does."""
    zone = MemoryZone(ZONE, (X,))

    with pytest.raises(Conflict, match="already exists"):
        zone.change((Create(Y, ""),), "raced")


@pytest.mark.parametrize(
    "code", ["Throttling", "AccessDenied", "NoSuchHostedZone", "InvalidInput", "InvalidChangeBatch"]
)
def test_route53_calls_any_other_refusal_a_failure(stubbed: Stubbed, code: str) -> None:
    """Trying again at once would not help."""
    client, aws = stubbed("route53")
    aws.add_client_error("change_resource_record_sets", code)

    with pytest.raises(ApplyFailed, match=f"Route 53 refused the change of zone Z0DEMO: .*{code}"):
        Route53Zone(client, "Z0DEMO").change((Create(X, ""),), "x")


def test_route53_sends_exactly_the_old_values_and_then_the_new(stubbed: Stubbed) -> None:
    """Compare and set: DELETE of what was read and CREATE of what is wanted, in one request, with a comment that fits."""
    client, aws = stubbed("route53")
    lower = Update(soa(), soa(ttl=5), "")
    batch = (
        Create(record(THREE, "10.20.3.7"), ""),
        Update(X, Y, ""),
        Delete(record(TWO, "10.20.1.9"), ""),
    )
    actions = [entry["Action"] for change in (*batch, lower) for entry in entries(change)]
    expected = {
        "HostedZoneId": "Z0DEMO",
        "ChangeBatch": {
            "Comment": "c" * 256,
            "Changes": [entry for change in batch for entry in entries(change)],
        },
    }
    info = {"Id": "/change/C123", "Status": "PENDING", "SubmittedAt": "2026-01-01T00:00:00Z"}
    aws.add_response("change_resource_record_sets", {"ChangeInfo": info}, expected)

    assert Route53Zone(client, "Z0DEMO").change(batch, "c" * 300) == "C123"
    assert actions == ["CREATE", "DELETE", "CREATE", "DELETE", "UPSERT"]
    assert entries(Update(X, Y, ""))[0]["ResourceRecordSet"] == {
        "Name": X.name,
        "Type": "A",
        "TTL": 5,
        "ResourceRecords": [{"Value": "10.20.1.5"}, {"Value": "10.20.2.5"}],
    }


@pytest.mark.parametrize("code", ["Throttling", "NoSuchHostedZone"])
def test_route53_fails_the_read_when_a_page_is_not_told(stubbed: Stubbed, code: str) -> None:
    """Half a zone would look like records to create."""
    client, aws = stubbed("route53")
    page = {
        "ResourceRecordSets": [record_set(X)],
        "IsTruncated": True,
        "MaxItems": "300",
        "NextRecordName": "b",
        "NextRecordType": "A",
    }
    aws.add_response("list_resource_record_sets", page)
    aws.add_client_error("list_resource_record_sets", code)

    with pytest.raises(ReadFailed, match=f"Route 53 did not answer for zone Z0DEMO: .*{code}"):
        Route53Zone(client, "Z0DEMO").records()


@pytest.mark.parametrize("call", ["records", "change"])
def test_route53_fails_when_the_connection_does(unplugged: Callable[[str], Any], call: str) -> None:
    """It is told as what it is: of a read, or of a write whose end is not known."""
    zone = Route53Zone(unplugged("route53"), "Z0DEMO")

    if call == "records":
        with pytest.raises(ReadFailed, match="did not answer for zone Z0DEMO: Could not connect"):
            zone.records()
    else:
        with pytest.raises(
            ApplyFailed, match="did not answer the change of zone Z0DEMO: Could not connect"
        ):
            zone.change((Create(X, ""),), "x")
