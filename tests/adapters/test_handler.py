"""The Lambda entry, whole, over moto: what an event wakes, what it answers, and what it raises."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from resync.errors import BadSettings, ReadFailed
from resync.handler import handle, trigger_of
from resync.route53 import Route53Zone, record_set
from resync.topology import RecordType
from tests.fakes import ONE, OWNER, ZONE, marked, record, soa
from tests.loopback import Loopback, loopback

SCHEDULE = {"source": "aws.events"}


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells a function about its invocation."""

    milliseconds_left: int = 600_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout."""
        return self.milliseconds_left


def invoke(event: dict[str, Any], *, milliseconds_left: int = 600_000) -> dict[str, Any]:
    """One invocation."""
    return handle(event, cast("LambdaContext", Context(milliseconds_left)))


@pytest.fixture
def zone(fake_aws: pytest.MonkeyPatch) -> Iterator[Route53Zone]:
    """The deployment's zone with one record, and the function's environment."""
    with mock_aws():
        client = boto3.client("route53", region_name="us-east-1")
        made = client.create_hosted_zone(
            Name=ZONE,
            CallerReference="test",
            VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-0000000c"},
        )
        zone_id = made["HostedZone"]["Id"].rpartition("/")[2]
        for one in (*marked(record(ONE, "10.20.1.5")), soa()):  # moto's own SOA is not in Route 53's form
            client.change_resource_record_sets(
                HostedZoneId=zone_id,
                ChangeBatch={
                    "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set(one)}]
                },
            )
        boto3.client("ecs", region_name="us-east-1").create_cluster(clusterName="nodeway")
        boto3.client("elasticache", region_name="us-east-1").create_replication_group(
            ReplicationGroupId="demo",
            ReplicationGroupDescription="d",
            ClusterMode="enabled",
            NumNodeGroups=1,
        )
        environment = {
            "REPLICATION_GROUP_ID": "demo",
            "HOSTED_ZONE_ID": zone_id,
            "ZONE_NAME": ZONE,
            "ECS_CLUSTER": "nodeway",
            "OWNER": OWNER,
        }
        for name, value in environment.items():
            fake_aws.setenv(name, value)
        yield Route53Zone(client, zone_id)


@pytest.fixture
def cloudformation() -> Iterator[Loopback]:
    """Where a custom resource's answer goes."""
    with loopback() as here:
        yield here


def asked(kind: str, here: Loopback) -> dict[str, Any]:
    """CloudFormation's request of that kind."""
    return {
        "RequestType": kind,
        "ResponseURL": f"{here.url}/answer",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/nodeway/1",
        "RequestId": "11111111-2222-3333-4444-555555555555",
        "LogicalResourceId": "Records",
    }


def answer(here: Loopback) -> dict[str, Any]:
    """What CloudFormation heard."""
    (request,) = here.requests
    return cast("dict[str, Any]", json.loads(request.body))


def test_handle_runs_once_for_any_trigger(zone: Route53Zone) -> None:
    """Moto tells no members: the SOA comes down, and no address is touched."""
    first, second = (
        invoke(SCHEDULE),
        invoke({"Records": [{"Sns": {"Message": "ElastiCache:FailoverComplete"}}]}),
    )

    assert (first["outcome"], second["outcome"]) == ("changed", "unchanged")
    assert {(r.type, r.ttl) for r in zone.records()} == {(kind, 5) for kind in ("A", "SOA", "TXT")}
    assert record(ONE, "10.20.1.5") in zone.records()


def test_handle_only_plans_when_it_is_to_observe(
    zone: Route53Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is journalled, nothing is written."""
    monkeypatch.setenv("RESYNC", "observe")
    before = zone.records()

    assert invoke(SCHEDULE)["outcome"] == "unchanged"
    assert zone.records() == before


def test_handle_does_nothing_when_it_is_off(
    zone: Route53Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event of a rule that is about to go is not acted on."""
    monkeypatch.setenv("RESYNC", "off")
    before = zone.records()

    assert invoke(SCHEDULE) == {"outcome": "skipped"}
    assert zone.records() == before


@pytest.mark.usefixtures("zone")
def test_handle_raises_when_the_zone_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed invocation is what the alarm and the queue of failures see."""
    monkeypatch.setenv("HOSTED_ZONE_ID", "Z0GONE")

    with pytest.raises(ReadFailed, match="Z0GONE"):
        invoke(SCHEDULE)


@pytest.mark.usefixtures("fake_aws")
def test_handle_raises_when_its_environment_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read or written with half a configuration."""
    monkeypatch.delenv("HOSTED_ZONE_ID", raising=False)

    with pytest.raises(BadSettings, match="HOSTED_ZONE_ID is missing"):
        invoke(SCHEDULE)


def test_handle_takes_the_records_away_when_the_deployment_goes(
    zone: Route53Zone, cloudformation: Loopback
) -> None:
    """CloudFormation could not delete a zone with records."""
    assert invoke(asked("Delete", cloudformation)) == {"outcome": "deployed"}

    assert [r.type for r in zone.records()] == [RecordType.SOA]
    assert answer(cloudformation)["Status"] == "SUCCESS"


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_handle_fails_the_deployment_when_the_records_do_not_become_true(
    cloudformation: Loopback, kind: str
) -> None:
    """CloudFormation hears why, in time, and rolls back."""
    assert invoke(asked(kind, cloudformation), milliseconds_left=15_000) == {"outcome": "failed"}

    told = answer(cloudformation)
    assert (told["Status"], told["Reason"][:13]) == ("FAILED", "NotConverged:")
    assert told["PhysicalResourceId"].endswith("-records")


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("mode", ["observe", "off"])
def test_handle_lets_a_deployment_pass_when_it_may_not_write(
    cloudformation: Loopback, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """With resync=observe or off nobody promised records."""
    monkeypatch.setenv("RESYNC", mode)

    assert invoke(asked("Create", cloudformation)) == {"outcome": "deployed"}
    assert answer(cloudformation)["Status"] == "SUCCESS"


@pytest.mark.usefixtures("zone")
def test_handle_answers_cloudformation_whatever_goes_wrong(
    cloudformation: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack that hears nothing waits for an hour."""
    monkeypatch.setenv("HOSTED_ZONE_ID", "Z0GONE")

    assert invoke(asked("Delete", cloudformation)) == {"outcome": "failed"}
    assert answer(cloudformation)["Reason"].startswith(
        "ReadFailed: Route 53 did not answer for zone Z0GONE"
    )


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (SCHEDULE, "aws.events"),
        ({"source": "x" * 100}, "x" * 64),
        ({"Records": []}, "sns"),
        ({"RequestType": "Create", "ResponseURL": "https://x"}, "deployment"),
        ({}, "manual"),
    ],
    ids=["schedule", "long name", "SNS", "CloudFormation", "by hand"],
)
def test_trigger_is_named_for_the_log_and_nothing_else(event: dict[str, Any], name: str) -> None:
    """An event only says that it is time to look."""
    assert trigger_of(event) == name
