"""Route 53's adapter: what it reads over, what it sends, and what it calls each refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from nodeway_runtime.aws.route53 import Route53Zone, to_changes, to_record_set
from nodeway_runtime.model.changes import Create, Delete, Update
from nodeway_runtime.model.errors import ApplyFailed, Conflict, ReadFailed
from nodeway_runtime.model.ownership import Marker, markers_by_name
from nodeway_runtime.model.topology import Record, RecordType, address, hostname, record_name
from nodeway_runtime.planner.apply import apply
from nodeway_runtime.planner.plan import Plan
from tests.adapters.conftest import Stubbed
from tests.support.fakes import NOW, ONE, OWNER, THREE, TWO, ZONE, marked, record, soa
from tests.support.ports import FakeZone

X, Y = record(ONE, "10.20.1.5", "10.20.2.5"), record(ONE, "10.20.1.6")


def shown(name: str, kind: str, value: str = "x", **more: Any) -> dict[str, Any]:  # noqa: ANN401 (any member of the shape)
    """A record set as Route 53 shows it."""
    values = [{"Value": value}]
    return {"Name": f"{name}.", "Type": kind, "TTL": 60, "ResourceRecords": values, **more}


ALIAS = {"DNSName": "x.elb.amazonaws.com", "HostedZoneId": "Z", "EvaluateTargetHealth": False}
MARKER = f"_nodeway.{X.name}"
WEIGHTED = shown(X.name, "A", "10.0.0.1", SetIdentifier="a", Weight=1)
KINDS = ("NS", "SRV", "CAA", "HTTPS", "MX", "PTR", "NAPTR", "SPF", "DS", "SVCB", "AAAA")


def records_of(stubbed: Stubbed, *sets: dict[str, Any]) -> tuple[Record, ...]:
    """What a zone with these record sets comes to."""
    client, aws = stubbed("route53")
    page = {"ResourceRecordSets": list(sets), "IsTruncated": False, "MaxItems": "300"}
    aws.add_response("list_resource_record_sets", page)
    return Route53Zone(client, "Z0DEMO").records()


def test_route53_reads_a_wildcard_as_its_name(stubbed: Stubbed) -> None:
    """Which Route 53 writes in another way."""
    wildcard = Record.a(record_name(f"*.{ZONE}"), [address("10.0.0.1")], 60)

    assert records_of(stubbed, shown(f"\\052.{ZONE}", "A", "10.0.0.1")) == (wildcard,)


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (shown(X.name, "CNAME"), "CNAME"),
        (shown(MARKER, "CNAME"), "CNAME"),
        (WEIGHTED, "A"),
        ({"Name": f"{X.name}.", "Type": "A", "AliasTarget": ALIAS}, "A"),
        (shown(MARKER, "TXT", '"hello"'), "TXT"),
    ],
    ids=["CNAME", "CNAME at the marker", "weighted", "alias", "text at the marker"],
)
def test_route53_sees_what_is_in_the_way(stubbed: Stubbed, one: dict[str, Any], kind: str) -> None:
    """Beside it Route 53 takes nothing of ours, and would refuse the whole batch: it is known, and never touched."""
    (found,) = records_of(stubbed, one)

    assert found == Record(hostname(one["Name"]), RecordType.OTHER, (kind,), 0)


def test_route53_does_not_see_what_can_stand_beside_ours(stubbed: Stubbed) -> None:
    """It is somebody else's, and in nobody's way: what this program does not see it cannot harm."""
    beside = (shown(X.name, kind) for kind in KINDS)

    assert records_of(stubbed, shown(X.name, "TXT", '"hello"'), *beside) == ()


def test_route53_writes_and_reads_markers() -> None:
    """With the quotes that a TXT must have; counted, taken back, and deleted as they were read."""
    zone = FakeZone(ZONE)
    pair, counted = marked(X), marked(X, since=NOW, reads=2)

    apply(Plan(tuple(Create(one, "") for one in pair)), zone, "fill")
    assert set(pair) <= set(zone.records())
    assert markers_by_name(zone.records()) == {X.name: Marker(OWNER)}

    apply(Plan((Update(pair[1], counted[1], ""),)), zone, "count")
    assert markers_by_name(zone.records()) == {X.name: Marker(OWNER, NOW, 2)}

    apply(Plan(tuple(Delete(one, "") for one in counted)), zone, "drop")
    assert [one.type for one in zone.records()] == [RecordType.SOA]


def test_route53_says_which_vpcs_see_the_zone(stubbed: Stubbed) -> None:
    """As somebody may have changed it by hand after the deploy."""
    client, aws = stubbed("route53")
    zone = {"Id": "/hostedzone/Z0DEMO", "Name": f"{ZONE}.", "CallerReference": "x"}
    vpcs = [{"VPCId": "vpc-0000000c", "VPCRegion": "us-east-1"}, {"VPCId": "vpc-0000000d"}]
    aws.add_response("get_hosted_zone", {"HostedZone": zone, "VPCs": vpcs}, {"Id": "Z0DEMO"})

    assert Route53Zone(client, "Z0DEMO").vpcs() == {"vpc-0000000c", "vpc-0000000d"}


@pytest.mark.parametrize("code", ["Throttling", "AccessDenied", "NoSuchHostedZone"])
def test_route53_fails_when_a_page_or_the_vpcs_are_not_told(stubbed: Stubbed, code: str) -> None:
    """Half a zone would look like records to create, and not known is not nobody."""
    client, aws = stubbed("route53")
    page = {"ResourceRecordSets": [to_record_set(X)], "IsTruncated": True, "MaxItems": "300"}
    page |= {"NextRecordName": "b", "NextRecordType": "A"}
    aws.add_response("list_resource_record_sets", page)
    aws.add_client_error("list_resource_record_sets", code)
    aws.add_client_error("get_hosted_zone", code)
    zone = Route53Zone(client, "Z0DEMO")

    with pytest.raises(ReadFailed, match=f"Route 53 did not answer for zone Z0DEMO: .*{code}"):
        zone.records()
    with pytest.raises(ReadFailed, match=f"for the VPCs of zone Z0DEMO: .*{code}"):
        zone.vpcs()


CREATED = "[Tried to create resource record set [name='a', type='A'] but it already exists]"
DELETED = "[Tried to delete resource record set [name='a', type='A'] but it was not found]"
STALE = (
    "[Tried to delete [name='a', type='A'] but the values provided do not match the current values]"
)
PRIOR = "The request was rejected because Route 53 was still processing a prior request."


@pytest.mark.parametrize(
    ("code", "text"),
    [
        *(("InvalidChangeBatch", text) for text in (CREATED, DELETED, STALE)),
        ("PriorRequestNotComplete", PRIOR),
    ],
)
def test_route53_calls_a_lost_race_a_conflict(stubbed: Stubbed, code: str, text: str) -> None:
    """Route 53 refuses the batch when a record is no longer what was read; the next run reads it again."""
    client, aws = stubbed("route53")
    aws.add_client_error("change_resource_record_sets", code, text)

    with pytest.raises(
        Conflict, match=r"zone Z0DEMO was changed by somebody else: .* the next run reads it again"
    ):
        Route53Zone(client, "Z0DEMO").change((Update(X, Y, ""),), "raced")


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
    """Compare and set: DELETE of what was read, CREATE of what is wanted, in one request."""
    client, aws = stubbed("route53")
    lower = Update(soa(), soa(ttl=5), "")
    batch = (
        Create(record(THREE, "10.20.3.7"), ""),
        Update(X, Y, ""),
        Delete(record(TWO, "10.20.1.9"), ""),
    )
    actions = [entry["Action"] for change in (*batch, lower) for entry in to_changes(change)]
    expected = {
        "HostedZoneId": "Z0DEMO",
        "ChangeBatch": {
            "Comment": "c" * 256,
            "Changes": [entry for change in batch for entry in to_changes(change)],
        },
    }
    info = {"Id": "/change/C123", "Status": "PENDING", "SubmittedAt": "2026-01-01T00:00:00Z"}
    aws.add_response("change_resource_record_sets", {"ChangeInfo": info}, expected)

    assert Route53Zone(client, "Z0DEMO").change(batch, "c" * 300) == "C123"
    assert actions == ["CREATE", "DELETE", "CREATE", "DELETE", "UPSERT"]
    assert to_changes(Update(X, Y, ""))[0]["ResourceRecordSet"] == {
        "Name": X.name,
        "Type": "A",
        "TTL": 5,
        "ResourceRecords": [{"Value": "10.20.1.5"}, {"Value": "10.20.2.5"}],
    }


def test_route53_fails_when_the_connection_does(unplugged: Callable[[str], Any]) -> None:
    """It is told as what it is: of a read, or of a write whose end is not known."""
    zone = Route53Zone(unplugged("route53"), "Z0DEMO")

    with pytest.raises(ReadFailed, match="did not answer for zone Z0DEMO: Could not connect"):
        zone.records()
    with pytest.raises(ApplyFailed, match="answer the change of zone Z0DEMO: Could not connect"):
        zone.change((Create(X, ""),), "x")
