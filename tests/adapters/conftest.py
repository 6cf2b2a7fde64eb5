"""Clients whose answers a test sets, and checks against the API's own shapes."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.stub import Stubber

from nodeway_runtime.aws.route53 import to_record_set
from tests.support.fakes import OWNER, ZONE, soa

Stubbed = Callable[[str], tuple[Any, Stubber]]

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def stubbed(fake_aws: pytest.MonkeyPatch) -> Iterator[Stubbed]:
    """Makes a client that answers only what is queued; all of it must be asked for."""
    _ = fake_aws
    stubbers: list[Stubber] = []

    def make(service: str) -> tuple[Any, Stubber]:
        client: Any = boto3.session.Session().client(service, region_name="us-east-1", config=ONCE)
        stubber = Stubber(client)
        stubber.activate()
        stubbers.append(stubber)
        return client, stubber

    yield make
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


@pytest.fixture
def unplugged(fake_aws: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes a client of a service that nobody answers for: a port on which nothing listens."""
    _ = fake_aws

    def make(service: str) -> Any:  # noqa: ANN401 (boto3's client)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        return boto3.session.Session().client(
            service, region_name="us-east-1", config=ONCE, endpoint_url=url
        )

    return make


def moto_zone() -> tuple[Any, str]:
    client = boto3.client("route53", region_name="us-east-1")
    made = client.create_hosted_zone(
        Name=ZONE, CallerReference="test", VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-0000000c"}
    )
    zone_id = made["HostedZone"]["Id"]
    upsert(client, zone_id, dict(to_record_set(soa())))  # moto's own is not in Route 53's form
    return client, zone_id


def upsert(client: Any, zone_id: str, *sets: dict[str, Any]) -> None:  # noqa: ANN401 (boto3's client)
    """Writes record sets as somebody else would."""
    changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in sets]
    client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


def set_environment(monkeypatch: pytest.MonkeyPatch, zone_id: str) -> None:
    """What every function that knows AWS is told of the demo cluster."""
    environment = {
        "REPLICATION_GROUP_ID": "demo",
        "HOSTED_ZONE_ID": zone_id.rpartition("/")[2],
        "ZONE_NAME": ZONE,
        "ECS_CLUSTER": "nodeway",
        "OWNER": OWNER,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells a function about its invocation."""

    milliseconds_left: int = 600_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout."""
        return self.milliseconds_left


def lambda_context(milliseconds_left: int = 600_000) -> LambdaContext:
    """As a handler takes it."""
    return cast("LambdaContext", Context(milliseconds_left))
