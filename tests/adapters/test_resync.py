"""The Lambda entry, whole, over moto: what an event wakes, what it answers, and what it raises."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from nodeway_runtime.aws.route53 import Route53Zone, to_record_set
from nodeway_runtime.functions.resync import (
    LAST_RUN,
    handle,
    is_superseded,
    name_trigger,
    remaining_of_second,
)
from nodeway_runtime.model.changes import Create
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.topology import RecordType
from tests.adapters.conftest import lambda_context, moto_zone, set_environment, upsert
from tests.adapters.test_ecs import task
from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.fakes import NOW, ONE, marked, record
from tests.support.programs.loopback import Loopback, Request, loopback

SCHEDULE = {"source": "aws.events"}


def invoke(event: dict[str, Any], *, milliseconds_left: int = 600_000) -> dict[str, Any]:
    return handle(event, lambda_context(milliseconds_left))


@pytest.fixture
def zone(fake_aws: pytest.MonkeyPatch) -> Iterator[Route53Zone]:
    """The deployment's zone with one record, and the function's environment."""
    with mock_aws():
        client, zone_id = moto_zone()
        upsert(
            client, zone_id, *(dict(to_record_set(one)) for one in marked(record(ONE, "10.20.1.5")))
        )
        boto3.client("ecs", region_name="us-east-1").create_cluster(clusterName="nodeway")
        boto3.client("elasticache", region_name="us-east-1").create_replication_group(
            ReplicationGroupId="demo",
            ReplicationGroupDescription="d",
            ClusterMode="enabled",
            NumNodeGroups=1,
        )
        set_environment(fake_aws, zone_id)
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
    sns = {"Records": [{"Sns": {"Message": "ElastiCache:FailoverComplete"}}]}

    assert [invoke(event)["outcome"] for event in (SCHEDULE, sns)] == ["changed", "unchanged"]
    assert {(r.type, r.ttl) for r in zone.records()} == {(kind, 5) for kind in ("A", "SOA", "TXT")}
    assert record(ONE, "10.20.1.5") in zone.records()


def ecs_server(request: Request) -> tuple[int, bytes]:
    """Answers the two calls of a read over HTTP: one healthy HAProxy."""
    if request.headers["X-Amz-Target"].endswith(".ListTasks"):
        return 200, json.dumps({"taskArns": [task()["taskArn"]]}).encode()
    return 200, json.dumps({"tasks": [task()], "failures": []}).encode()


@pytest.fixture
def shrunk(
    zone: Route53Zone, fake_aws: pytest.MonkeyPatch, log_to_stdout: None
) -> Iterator[Route53Zone]:
    """A cluster of which four nodes are gone, and were in two reads before."""
    _ = log_to_stdout
    gone = [record(f"demo-0009-{n:03}", "10.20.9.9") for n in range(4)]
    absent = marked(*gone, since=datetime.now(UTC) - timedelta(minutes=5), reads=2)
    zone.change(tuple(Create(one, "") for one in absent), "before")
    with loopback(ElastiCacheServer()) as elasticache, loopback(ecs_server) as ecs:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", elasticache.url)
        fake_aws.setenv("AWS_ENDPOINT_URL_ECS", ecs.url)
        yield zone


def absent_names(zone: Route53Zone) -> int:
    """How many of the four names are still there."""
    return sum(one.name.startswith("demo-0009-") for one in zone.records())


def test_handle_makes_a_mass_delete_only_with_its_approval(
    shrunk: Route53Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal is in the log with its checksum; the event that carries it lets exactly these through."""
    invoke(SCHEDULE)
    refused = [one for one in logged(capsys) if one.get("rule") == "mass_delete_needs_approval"]
    checksum = refused[0]["reason"].rpartition("approve=")[2]
    assert (len(refused), absent_names(shrunk)) == (8, 4)

    invoke({"approve": "0123456789ab"})
    invoke(SCHEDULE | {"approve": [checksum]})
    assert absent_names(shrunk) == 4

    assert invoke({"approve": checksum})["outcome"] == "changed"
    assert absent_names(shrunk) == 0


@pytest.mark.parametrize(("mode", "outcome"), [("observe", "unchanged"), ("off", "skipped")])
def test_handle_writes_nothing_when_it_may_not(
    shrunk: Route53Zone, monkeypatch: pytest.MonkeyPatch, mode: str, outcome: str
) -> None:
    """However often it looks, not even a marker; nor for an event of a rule that is about to go."""
    monkeypatch.setenv("RESYNC", mode)
    before = shrunk.records()

    for _ in range(3):
        assert invoke(SCHEDULE)["outcome"] == outcome

    assert shrunk.records() == before


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(one) for one in capsys.readouterr().out.splitlines()]


def event(at: datetime, kind: str = "ECS Task State Change") -> dict[str, Any]:
    return {"source": "aws.ecs", "detail-type": kind, "time": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_handle_runs_once_for_a_burst_of_events(shrunk: Route53Zone) -> None:
    """Those that a whole run has seen already are let go; the schedule never is."""
    before = datetime.now(UTC) - timedelta(seconds=5)
    LAST_RUN.started = None

    first = invoke(event(before))
    others = [invoke(event(before)) for _ in range(5)]

    assert first["outcome"] == "changed"
    assert others == [{"outcome": "coalesced"}] * 5
    assert invoke(SCHEDULE)["outcome"] == "unchanged"
    assert absent_names(shrunk) == 4


@pytest.mark.usefixtures("shrunk")
def test_handle_lets_no_event_go_after_a_run_that_was_not_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that could not read ElastiCache has not seen what the event tells."""
    before = datetime.now(UTC) - timedelta(seconds=5)
    LAST_RUN.started = None
    refusal = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    with loopback(lambda _: (403, refusal)) as down:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTICACHE", down.url)
        invoke(event(before))

    assert LAST_RUN.started is None


@pytest.mark.parametrize(
    ("told", "last", "is_covered"),
    [
        pytest.param(event(NOW), NOW + timedelta(seconds=1), True, id="read later"),
        pytest.param(
            event(NOW), NOW + timedelta(milliseconds=999), False, id="read in the same second"
        ),
        pytest.param(event(NOW), None, False, id="first"),
        pytest.param(event(NOW, "Scheduled Event"), NOW + timedelta(days=1), False, id="schedule"),
        pytest.param(SCHEDULE, NOW, False, id="without type"),
        pytest.param({"Records": []}, NOW, False, id="SNS"),
        pytest.param({"approve": "0123456789ab"}, NOW, False, id="by hand"),
        pytest.param(event(NOW) | {"time": "soon"}, NOW, False, id="no time"),
        pytest.param(
            event(NOW) | {"time": "2026-03-01T03:00:00"},
            NOW + timedelta(days=1),
            False,
            id="no zone",
        ),
        pytest.param(event(NOW) | {"time": "9999-12-31T23:59:59Z"}, NOW, False, id="the last time"),
        pytest.param(event(NOW) | {"time": 5}, NOW, False, id="a number"),
    ],
)
def test_event_is_covered_by_a_run_that_began_after_it(
    told: dict[str, Any], last: datetime | None, *, is_covered: bool
) -> None:
    """An event's time has whole seconds: what happened in the run's own second may have been missed."""
    assert is_superseded(told, last) is is_covered


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        pytest.param(event(NOW), 0.75, id="this second"),
        pytest.param(event(NOW - timedelta(seconds=1)), 0, id="the last"),
        pytest.param(event(NOW + timedelta(seconds=5)), 0, id="to come"),
        pytest.param(event(NOW) | {"time": "9999-12-31T23:59:59Z"}, 0, id="far to come"),
        pytest.param(SCHEDULE, 0, id="schedule"),
    ],
)
def test_run_waits_for_the_end_of_its_events_second_and_no_longer(
    told: dict[str, Any], seconds: float
) -> None:
    """So that it covers all events of that second; a wrong clock delays nothing."""
    assert remaining_of_second(told, NOW + timedelta(milliseconds=250)) == seconds


@pytest.mark.usefixtures("zone")
def test_handle_raises_when_the_zone_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed invocation is what the alarm and the queue of failures see."""
    monkeypatch.setenv("HOSTED_ZONE_ID", "Z0GONE")

    with pytest.raises(ReadFailed, match="Z0GONE"):
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
    assert name_trigger(event) == name
