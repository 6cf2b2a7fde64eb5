"""ECS' answers become a fleet; which node a task serves is what its own tag says."""

from typing import Any, cast

import pytest

from resync.ecs import DESCRIBE_TASKS_LIMIT, NODE_TAG, Ecs, proxy_of
from resync.errors import ReadFailed
from resync.topology import Fleet, Proxy, address
from tests.adapters.conftest import Stubbed
from tests.fakes import ONE, TWO, named

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


def described(*tasks: dict[str, Any], failures: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    """DescribeTasks' answer."""
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


def test_fleet_takes_node_address_and_zone_from_the_task(stubbed: Stubbed) -> None:
    """Position and order say nothing."""
    found = fleet_of(
        stubbed,
        described(
            task(node=named(TWO).upper() + ".", ip="10.20.2.6", availabilityZone="us-east-1b")
        ),
    )

    assert found.proxies == (
        Proxy(named(TWO), address("10.20.2.6"), "us-east-1b", f"{ARN}/{1:032}", healthy=True),
    )


def test_fleet_says_nothing_of_a_task_that_ended_meanwhile(stubbed: Stubbed) -> None:
    """MISSING between two calls is gone, not unread."""
    found = fleet_of(stubbed, described(failures=({"arn": f"{ARN}/1", "reason": "MISSING"},)))

    assert found == Fleet(())


def test_fleet_names_a_task_that_could_not_be_described(stubbed: Stubbed) -> None:
    """Any other failure makes the read incomplete."""
    found = fleet_of(stubbed, described(failures=({"arn": f"{ARN}/1", "reason": "INTERNAL"},)))

    assert found == Fleet((), (f"task {ARN}/1: INTERNAL",))


@pytest.mark.parametrize("operation", ["list_tasks", "describe_tasks"])
@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ClusterNotFoundException", "AccessDeniedException"]
)
def test_fleet_fails_when_ecs_does_not_answer(stubbed: Stubbed, operation: str, code: str) -> None:
    """An error is not an empty fleet."""
    client, aws = stubbed("ecs")
    if operation == "describe_tasks":
        aws.add_response("list_tasks", {"taskArns": [f"{ARN}/1"]})
    aws.add_client_error(operation, code)

    with pytest.raises(ReadFailed, match=f"ECS did not answer for cluster nodeway: .*{code}"):
        Ecs(client).fleet("nodeway")


def read(told: dict[str, Any]) -> tuple[Proxy | None, list[str]]:
    """The proxy that a task is, and the problems with it."""
    problems: list[str] = []
    return proxy_of(cast("Any", told), problems), problems


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

    assert found is not None
    assert (found.healthy, problems) == (False, [])
    assert found.starting is (changes == {"healthStatus": "UNKNOWN"})


@pytest.mark.parametrize(
    "told",
    [
        task(node=None),
        task(tags=[{"key": "other", "value": "x"}]),
        task(desiredStatus="STOPPED"),
        task(ip=None),
        task(attachments=[]),
        task(
            attachments=[
                {
                    "type": "ServiceConnect",
                    "details": [{"name": "privateIPv4Address", "value": "10.20.1.5"}],
                }
            ]
        ),
    ],
    ids=[
        "no tags",
        "other tags",
        "stopping",
        "no address yet",
        "no interface yet",
        "no network interface",
    ],
)
def test_proxy_is_none_when_the_task_is_not_ours_or_not_there_yet_or_ending(
    told: dict[str, Any],
) -> None:
    """Nothing to say about it, and nothing wrong with it."""
    assert read(told) == (None, [])


def test_proxy_is_a_problem_when_its_tag_is_no_name() -> None:
    """A HAProxy of nobody knows whose makes the read incomplete."""
    found, problems = read(task(node="not a name"))

    assert found is None
    assert problems == [
        f"task {ARN}/{1:032}: its tag {NODE_TAG} is not a host name: got 'not a name'; give a name such as {named(ONE)}"
    ]
