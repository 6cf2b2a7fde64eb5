"""The stand-in zone's adapter: names of ours that say where stand-ins find their nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from nodeway_runtime.aws.stand_in_zone import TTL_SECONDS, NoStandInZone, Route53StandInZone
from nodeway_runtime.model.errors import ApplyFailed
from nodeway_runtime.model.steps import PLACEHOLDER, StandInRecord
from nodeway_runtime.model.topology import Hostname, hostname
from tests.adapters.conftest import Stubbed, upsert
from tests.support.fakes import ONE, STAND_IN, TWO, named

ZONE = STAND_IN.zone_name


def parked(label: str, target: Hostname | None = None) -> StandInRecord:
    """What the backend's name of a stand-in should lead to."""
    return StandInRecord(hostname(f"{label}.{ZONE}"), target)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone in moto, and what is in it."""

    client: Any
    zone_id: str

    @property
    def port(self) -> Route53StandInZone:
        """The adapter, as a new process has it."""
        return Route53StandInZone(self.client, self.zone_id)

    @property
    def names(self) -> dict[str, tuple[str, str, int]]:
        """First label to type, value and TTL."""
        sets = self.client.list_resource_record_sets(HostedZoneId=self.zone_id)
        return {
            one["Name"].partition(".")[0]: (
                one["Type"],
                one["ResourceRecords"][0]["Value"],
                one["TTL"],
            )
            for one in sets["ResourceRecordSets"]
            if one["Type"] in {"A", "CNAME"}
        }


@pytest.fixture
def zone(fake_aws: pytest.MonkeyPatch) -> Iterator[Zone]:
    """An empty stand-in zone."""
    _ = fake_aws
    with mock_aws():
        client: Any = boto3.client("route53", region_name="us-east-1")
        made = client.create_hosted_zone(Name=ZONE, CallerReference="test")
        yield Zone(client, made["HostedZone"]["Id"].rpartition("/")[2])


def test_park_writes_an_address_that_nobody_has_and_then_the_nodes_own_name(zone: Zone) -> None:
    """The name answers from the first moment; what it answers changes in one batch."""
    port = zone.port

    port.write((parked(ONE),))
    assert zone.names == {ONE: ("A", PLACEHOLDER, TTL_SECONDS)}

    port.write((parked(ONE, named(ONE)),))
    assert zone.names == {ONE: ("CNAME", named(ONE), TTL_SECONDS)}


def test_park_is_seen_at_once() -> None:
    """A node that just became available must not wait for a cached answer."""
    assert TTL_SECONDS <= 5
    assert PLACEHOLDER.startswith("192.0.2.")


def test_park_leaves_the_other_names(zone: Zone) -> None:
    """A HAProxy may still live on a name that this read did not show."""
    zone.port.write((parked(ONE, named(ONE)),))

    zone.port.write((parked(TWO, named(TWO)),))
    zone.port.write(())

    assert set(zone.names) == {ONE, TWO}


def test_clear_takes_every_name_away(zone: Zone) -> None:
    """Else CloudFormation could not delete the zone; twice is as good as once."""
    zone.port.write((parked(ONE, named(ONE)), parked(TWO)))

    zone.port.clear()
    zone.port.clear()

    assert zone.names == {}


def test_park_says_the_same_again_after_a_clear(zone: Zone) -> None:
    """What was said before does not count any more."""
    port = zone.port
    port.write((parked(ONE),))
    port.clear()

    port.write((parked(ONE),))

    assert set(zone.names) == {ONE}


def test_park_corrects_what_somebody_wrote(zone: Zone) -> None:
    """The zone is all ours: its names say what is wanted, whoever wrote them."""
    theirs: dict[str, Any] = {
        "Name": f"{ONE}.{ZONE}",
        "Type": "A",
        "TTL": TTL_SECONDS,
        "ResourceRecords": [{"Value": "10.66.0.1"}],
    }
    upsert(zone.client, zone.zone_id, theirs)

    zone.port.write((parked(ONE, named(ONE)),))

    assert zone.names == {ONE: ("CNAME", named(ONE), TTL_SECONDS)}


def test_park_asks_nobody_when_there_is_nothing_new_to_say(stubbed: Stubbed) -> None:
    """A run without stand-ins costs no call, and neither does one that wants what it wanted before."""
    client, aws = stubbed("route53")
    port = Route53StandInZone(client, "Z0PARKING")
    port.write(())

    page = {"ResourceRecordSets": [], "IsTruncated": False, "MaxItems": "300"}
    info = {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "2026-01-01T00:00:00Z"}
    aws.add_response("list_resource_record_sets", page, {"HostedZoneId": "Z0PARKING"})
    aws.add_response("change_resource_record_sets", {"ChangeInfo": info})
    for _ in range(3):
        port.write((parked(ONE),))


def test_park_writes_nothing_when_the_zone_already_says_so(zone: Zone, stubbed: Stubbed) -> None:
    """A new process reads, and leaves it at that."""
    zone.port.write((parked(ONE, named(ONE)),))
    told = zone.client.list_resource_record_sets(HostedZoneId=zone.zone_id)
    client, aws = stubbed("route53")
    sets = told["ResourceRecordSets"]
    aws.add_response(
        "list_resource_record_sets",
        {"ResourceRecordSets": sets, "IsTruncated": False, "MaxItems": "300"},
    )

    Route53StandInZone(client, "Z0PARKING").write((parked(ONE, named(ONE)),))


@pytest.mark.parametrize("operation", ["list_resource_record_sets", "change_resource_record_sets"])
def test_park_fails_when_route53_does_and_says_it_again_later(
    stubbed: Stubbed, operation: str
) -> None:
    """What was not written was not said."""
    client, aws = stubbed("route53")
    port = Route53StandInZone(client, "Z0PARKING")
    page = {"ResourceRecordSets": [], "IsTruncated": False, "MaxItems": "300"}
    for _ in range(2):
        if operation.startswith("change"):
            aws.add_response("list_resource_record_sets", page)
        aws.add_client_error(operation, "Throttling")

    for _ in range(2):
        with pytest.raises(ApplyFailed, match=r"the stand-in zone Z0PARKING: .*Throttling"):
            port.write((parked(ONE),))


def test_no_parking_is_for_deployments_without_stand_ins() -> None:
    """Nothing is ever wanted of it."""
    NoStandInZone().write(())
    NoStandInZone().clear()

    with pytest.raises(ApplyFailed, match="has no stand-in zone"):
        NoStandInZone().write((parked(ONE),))
