"""ECS' answers become a fleet; which node a task serves is what its own tag says."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
from botocore.stub import ANY

from nodeway_runtime.aws.ecs import (
    DESCRIBE_TASKS_LIMIT,
    NODE_TAG,
    RETIRED_TAG,
    STAND_IN_TAG,
    Ecs,
    parse_task,
)
from nodeway_runtime.model.errors import ApplyFailed, ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import Fleet, Pending, Proxy, address
from tests.adapters.conftest import Stubbed
from tests.support.fakes import NOW, ONE, STAND_IN, TWO, ZONE, named, settings

ARN = "arn:aws:ecs:us-east-1:123456789012:task/nodeway"


def task(
    number: int = 1,
    *,
    node: str | None = named(ONE),
    ip: str | None = "10.20.1.5",
    **changes: object,
) -> dict[str, Any]:
    """A HAProxy task as DescribeTasks shows it."""
    details = [{"name": "subnetId", "value": "subnet-0000000a"}]
    if ip:
        details.append({"name": "privateIPv4Address", "value": ip})
    return {
        "taskArn": f"{ARN}/{number:032}",
        "availabilityZone": "us-east-1a",
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "attachments": [
            {"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}
        ],
        "tags": [{"key": NODE_TAG, "value": node}] if node else [],
        **changes,
    }


def tagged(label: str = ONE, **more: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in {NODE_TAG: named(label), **more}.items()]


def described(*tasks: dict[str, Any], failures: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    return {"tasks": list(tasks), "failures": list(failures)}


def fleet_of(stubbed: Stubbed, answer: dict[str, Any]) -> Fleet:
    """The fleet from one page of one task and this description."""
    client, aws = stubbed("ecs")
    aws.add_response(
        "list_tasks", {"taskArns": [f"{ARN}/1"]}, {"cluster": "nodeway", "desiredStatus": "RUNNING"}
    )
    aws.add_response(
        "describe_tasks", answer, {"cluster": "nodeway", "tasks": [f"{ARN}/1"], "include": ["TAGS"]}
    )
    return Ecs(client).fleet("nodeway")


def test_fleet_reads_all_pages_and_describes_a_hundred_tasks_a_call(stubbed: Stubbed) -> None:
    """230 tasks in three pages are three descriptions: 100, 100, 30."""
    tasks = [task(n, ip=f"10.20.{n // 250}.{n % 250 + 1}") for n in range(230)]
    arns = [one["taskArn"] for one in tasks]
    client, aws = stubbed("ecs")
    asked = {"cluster": "nodeway", "desiredStatus": "RUNNING"}
    aws.add_response("list_tasks", {"taskArns": arns[:100], "nextToken": "a"}, asked)
    aws.add_response(
        "list_tasks", {"taskArns": arns[100:200], "nextToken": "b"}, asked | {"nextToken": "a"}
    )
    aws.add_response("list_tasks", {"taskArns": arns[200:]}, asked | {"nextToken": "b"})
    for start in (0, 100, 200):
        part = slice(start, start + DESCRIBE_TASKS_LIMIT)
        expected = {"cluster": "nodeway", "tasks": arns[part], "include": ["TAGS"]}
        aws.add_response("describe_tasks", described(*tasks[part]), expected)

    found = Ecs(client).fleet("nodeway")

    assert len(found.proxies) == 230
    assert found.problems == ()
    assert all(one.healthy for one in found.proxies)


def test_fleet_without_tasks_describes_nothing(stubbed: Stubbed) -> None:
    """DescribeTasks takes no empty list."""
    client, aws = stubbed("ecs")
    aws.add_response("list_tasks", {"taskArns": []})

    assert Ecs(client).fleet("nodeway") == Fleet(())


@pytest.mark.parametrize(
    ("reason", "problems"), [("MISSING", ()), ("INTERNAL", (f"task {ARN}/1: INTERNAL",))]
)
def test_fleet_names_a_task_that_could_not_be_described_unless_it_ended_meanwhile(
    stubbed: Stubbed, reason: str, problems: tuple[str, ...]
) -> None:
    """MISSING between two calls is gone, not unread; any other failure makes the read incomplete."""
    found = fleet_of(stubbed, described(failures=({"arn": f"{ARN}/1", "reason": reason},)))

    assert found == Fleet((), problems)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("kind", ["task", "service"])
def test_read_fails_when_ecs_does_not_answer(
    stubbed: Stubbed, kind: str, *, answered: bool
) -> None:
    """An error is not an empty fleet, nor a cluster without services."""
    client, aws = stubbed("ecs")
    if answered:
        aws.add_response(f"list_{kind}s", {f"{kind}Arns": [f"{ARN}/1"]})
    aws.add_client_error(f"{'describe' if answered else 'list'}_{kind}s", "ThrottlingException")
    ecs = Ecs(client)
    call = ecs.fleet if kind == "task" else ecs.nodes_with_service

    with pytest.raises(ReadFailed, match=r"did not answer for .*cluster nodeway: .*Throttling"):
        call("nodeway")


def read(told: dict[str, Any]) -> tuple[Proxy | Pending | None, list[str]]:
    """What a task is, and the problems with it."""
    problems: list[str] = []
    return parse_task(cast("Any", told), problems), problems


@pytest.mark.parametrize(
    "changes",
    [
        {"healthStatus": "UNHEALTHY"},
        {"healthStatus": "UNKNOWN"},
        {"lastStatus": "PENDING"},
        {"lastStatus": "DEACTIVATING"},
    ],
    ids=lambda changes: str(*changes.values()),
)
def test_proxy_is_not_healthy_unless_it_runs_and_its_check_passes(changes: dict[str, Any]) -> None:
    """It is known, but not offered to clients; until its first check it is starting."""
    found, problems = read(task(**changes))

    assert isinstance(found, Proxy)
    assert (found.healthy, problems) == (False, [])
    assert found.starting is (changes != {"healthStatus": "UNHEALTHY"})
    assert found.unhealthy is not found.starting


NO_NAME = (
    f"task {ARN}/{1:032}: its tag {NODE_TAG} is not a host name: got 'not a name';"
    f" give a name such as {named(ONE)}"
)


@pytest.mark.parametrize(
    ("told", "problems"),
    [
        pytest.param(task(node=None), [], id="no tags"),
        pytest.param(task(tags=[{"key": "other", "value": "x"}]), [], id="other tags"),
        pytest.param(task(desiredStatus="STOPPED"), [], id="stopping"),
        pytest.param(task(node="not a name"), [NO_NAME], id="nobody knows whose"),
    ],
)
def test_proxy_is_none_when_the_task_is_not_ours_or_ending(
    told: dict[str, Any], problems: list[str]
) -> None:
    """Nothing is wrong with it but where its tag is no name: then the read is incomplete."""
    assert read(told) == (None, problems)


SERVICE_CONNECT = {
    "type": "ServiceConnect",
    "details": [{"name": "privateIPv4Address", "value": "10.20.1.5"}],
}


@pytest.mark.parametrize(
    "changes",
    [{"ip": None}, {"attachments": []}, {"attachments": [SERVICE_CONNECT]}],
    ids=["no address yet", "no interface yet", "no network interface"],
)
@pytest.mark.parametrize("stand_in", [False, True], ids=["own", "stand-in"])
def test_proxy_is_pending_until_its_task_has_an_address(
    changes: dict[str, Any], *, stand_in: bool
) -> None:
    """It is not to be started once more."""
    tags = tagged(**{STAND_IN_TAG: "true"}) if stand_in else tagged()

    assert read(task(**changes, tags=tags)) == (
        Pending(named(ONE), f"{ARN}/{1:032}", stand_in),
        [],
    )


@pytest.mark.parametrize(
    ("tags", "stand_in", "retired_at"),
    [
        ({}, False, None),
        ({STAND_IN_TAG: "true"}, True, None),
        ({STAND_IN_TAG: "false"}, False, None),
        ({STAND_IN_TAG: "true", RETIRED_TAG: "2026-03-01T03:00:00Z"}, True, NOW),
        ({STAND_IN_TAG: "true", RETIRED_TAG: "2026-03-01T05:00:00+02:00"}, True, NOW),
        ({STAND_IN_TAG: "true", RETIRED_TAG: "yesterday"}, True, None),
        ({STAND_IN_TAG: "true", RETIRED_TAG: "2026-03-01T03:00:00"}, True, None),
        ({STAND_IN_TAG: "true", RETIRED_TAG: ""}, True, None),
    ],
    ids=["own", "stand-in", "other value", "retired", "zone", "no time", "no zone", "empty"],
)
def test_proxy_is_a_stand_in_when_its_tag_says_so(
    tags: dict[str, str], retired_at: datetime | None, *, stand_in: bool
) -> None:
    """A time that we did not write is no time: the stand-in is retired once more."""
    found, problems = read(task(tags=tagged(**tags)))

    assert isinstance(found, Proxy)
    assert (found.stand_in, found.retired_at, problems) == (stand_in, retired_at, [])


def test_fleet_has_what_runs_and_what_will(stubbed: Stubbed) -> None:
    """Node, address and zone are the task's own, position and order say nothing; those without an address wait."""
    runs = task(node=named(ONE).upper() + ".", ip="10.20.2.6", availabilityZone="us-east-1b")
    waits = task(2, node=named(TWO), ip=None, tags=tagged(TWO, **{STAND_IN_TAG: "true"}))

    found = fleet_of(stubbed, described(waits, runs))

    assert found.proxies == (
        Proxy(named(ONE), address("10.20.2.6"), "us-east-1b", f"{ARN}/{1:032}", healthy=True),
    )
    assert found.pending == (Pending(named(TWO), f"{ARN}/{2:032}", stand_in=True),)
    assert found.nodes == {named(ONE), named(TWO)}
    assert found.nodes_with_own_task == {named(ONE)}
    assert found.stand_ins == 1


def service(label: str | None, desired: int = 1) -> dict[str, Any]:
    """A service as DescribeServices shows it."""
    tags = [{"key": NODE_TAG, "value": f"{label}.{ZONE}"}] if label else []
    return {"serviceName": str(label), "desiredCount": desired, "tags": tags}


def test_served_reads_all_pages_and_describes_ten_services_a_call(stubbed: Stubbed) -> None:
    """DescribeServices takes ten; 23 services in two pages are three descriptions."""
    arns = [f"arn:aws:ecs:us-east-1:123456789012:service/nodeway/s{n}" for n in range(23)]
    client, aws = stubbed("ecs")
    asked = {"cluster": "nodeway", "maxResults": 100}
    aws.add_response("list_services", {"serviceArns": arns[:15], "nextToken": "a"}, asked)
    aws.add_response("list_services", {"serviceArns": arns[15:]}, asked | {"nextToken": "a"})
    for start in (0, 10, 20):
        part = arns[start : start + 10]
        services = [service(f"n{start + n}") for n in range(len(part))]
        expected = {"cluster": "nodeway", "services": part, "include": ["TAGS"]}
        aws.add_response("describe_services", {"services": services, "failures": []}, expected)

    assert Ecs(client).nodes_with_service("nodeway") == {named(f"n{n}") for n in range(23)}


def services(stubbed: Stubbed, *told: dict[str, Any], failure: str = "MISSING") -> Ecs:
    """ECS with one page of these services, and one more that it does not tell of."""
    client, aws = stubbed("ecs")
    aws.add_response("list_services", {"serviceArns": ["a"]})
    failures = [{"arn": "a", "reason": failure}]
    aws.add_response("describe_services", {"services": list(told), "failures": failures})
    return Ecs(client)


def test_served_are_the_nodes_whose_services_want_tasks(stubbed: Stubbed) -> None:
    """A service scaled to nothing serves nobody, one without our tag is somebody's; MISSING is gone, not unread."""
    ecs = services(stubbed, service(ONE), service(TWO, desired=0), service(None))

    assert ecs.nodes_with_service("nodeway") == {named(ONE)}


@pytest.mark.parametrize(
    ("label", "failure", "why"),
    [(ONE, "INTERNAL", "INTERNAL"), ("not a name", "MISSING", "not a host name")],
)
def test_served_fails_when_a_service_could_not_be_understood(
    stubbed: Stubbed, label: str, failure: str, why: str
) -> None:
    """Its node could be any: not known is not without service. A tag edited by hand is no error of ours."""
    ecs = services(stubbed, service(label), failure=failure)

    with pytest.raises(ReadFailed, match=rf"the services of cluster nodeway: .*{why}"):
        ecs.nodes_with_service("nodeway")


def request() -> dict[str, Any]:
    """The whole RunTask request for a stand-in of ONE, but for its token."""
    return {
        "cluster": "nodeway",
        "taskDefinition": STAND_IN.task_definition,
        "launchType": "FARGATE",
        "count": 1,
        "clientToken": ANY,
        "startedBy": "nodeway-resync",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0000000a", "subnet-0000000b"],
                "securityGroups": ["sg-0000000a"],
                "assignPublicIp": "DISABLED",
            }
        },
        "overrides": {
            "containerOverrides": [
                {
                    "name": "haproxy",
                    "environment": [
                        {"name": "NODE_HOSTNAME", "value": named(ONE)},
                        {"name": "NODE_BACKEND", "value": f"{ONE}.demo.dev.nodeway.internal"},
                    ],
                }
            ]
        },
        "tags": [
            {"key": "nodeway:node", "value": named(ONE)},
            {"key": "nodeway:stand-in", "value": "true"},
        ],
    }


START = Start(ONE, named(ONE))


def test_start_asks_for_exactly_this_task(stubbed: Stubbed) -> None:
    """One task, without public address, tagged from its first moment, its backend a name of ours."""
    client, aws = stubbed("ecs")
    aws.add_response("run_task", {"tasks": [task()], "failures": []}, request())

    Ecs(client).start(START, settings(stand_in=STAND_IN))


def tokens(stubbed: Stubbed, *calls: tuple[Start, Settings, float]) -> list[str]:
    """The tokens that these calls sent, each at its second."""
    client, aws = stubbed("ecs")
    sent: list[str] = []
    client.meta.events.register(
        "provide-client-params.ecs.RunTask",
        lambda params, **_: sent.append(params["clientToken"]),
    )
    for step, told, second in calls:
        aws.add_response("run_task", {"tasks": [task()], "failures": []})
        Ecs(client, clock=lambda at=second: at).start(step, told)  # type: ignore[misc]
    return sent


def test_start_is_the_same_request_when_it_is_tried_again(stubbed: Stubbed) -> None:
    """Two runs at once, or one that crashed, start one task; another node, deployment or minute is another request."""
    told = settings(stand_in=STAND_IN)

    sent = tokens(
        stubbed,
        (START, told, 60),
        (START, told, 119.9),
        (START, told, 120),
        (Start(TWO, named(TWO)), told, 60),
        (START, replace(told, owner="another"), 60),
    )

    assert sent[0] == sent[1]
    assert len(set(sent)) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}", token) for token in sent)


def test_start_fails_without_a_task_definition(stubbed: Stubbed) -> None:
    """It is told before anybody is asked."""
    client, _ = stubbed("ecs")

    with pytest.raises(ApplyFailed, match=f"no stand-in can be started for {named(ONE)}"):
        Ecs(client).start(START, settings())


@pytest.mark.parametrize("code", ["AccessDeniedException", ""])
def test_start_fails_when_ecs_refuses_or_has_no_room(stubbed: Stubbed, code: str) -> None:
    """With its own word for it; RunTask answers 200 and a failure when it has no capacity."""
    client, aws = stubbed("ecs")
    if code:
        aws.add_client_error("run_task", code)
    else:
        aws.add_response("run_task", {"tasks": [], "failures": [{"reason": "No capacity"}]})

    why = code or "No capacity"
    with pytest.raises(ApplyFailed, match=rf"did not start a stand-in for {named(ONE)}: .*{why}"):
        Ecs(client).start(START, settings(stand_in=STAND_IN))


def test_retire_notes_the_time_on_the_task_and_stop_says_why(stubbed: Stubbed) -> None:
    """In the form that the next run reads, and for whoever looks at the stopped task."""
    client, aws = stubbed("ecs")
    tags = [{"key": "nodeway:retired-at", "value": "2026-03-01T03:00:00Z"}]
    aws.add_response("tag_resource", {}, {"resourceArn": f"{ARN}/1", "tags": tags})
    expected = {"cluster": "nodeway", "task": f"{ARN}/1", "reason": "nodeway: done"}
    aws.add_response("stop_task", {"task": task()}, expected)

    Ecs(client).retire(Retire(f"{ARN}/1", named(ONE)), NOW)
    Ecs(client).stop(Stop(f"{ARN}/1", named(ONE), "done"), "nodeway")


def test_retire_and_stop_fail_when_ecs_refuses(stubbed: Stubbed) -> None:
    """Each with the task that it was about."""
    client, aws = stubbed("ecs")
    aws.add_client_error("tag_resource", "AccessDeniedException")
    aws.add_client_error("stop_task", "AccessDeniedException")

    with pytest.raises(ApplyFailed, match=rf"did not tag {ARN}/1: .*AccessDenied"):
        Ecs(client).retire(Retire(f"{ARN}/1", named(ONE)), NOW)
    with pytest.raises(ApplyFailed, match=rf"did not stop {ARN}/1: .*AccessDenied"):
        Ecs(client).stop(Stop(f"{ARN}/1", named(ONE), "done"), "nodeway")
