"""Updates of stacks in the fake AWS: waves, roll-backs and events as CloudFormation and ECS have them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lab import layout
from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    HAPROXY,
    NETWORK,
    answer_of,
    client,
    container_definition,
    create_stack,
    describe_task,
    service_resources,
    to_pascal_case,
    wait_for_stack,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

NO_IMAGE = f"{layout.ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/no-such-haproxy:2.8"


def without_check(changes: Mapping[str, object]) -> dict[str, Any]:
    """A container whose health nobody asks for, unless the changes say so: it is steady after a second."""
    return {
        k: v
        for k, v in container_definition(**changes).items()
        if k != "healthCheck" or k in changes
    }


def chain(name: str, *proxies: Mapping[str, object]) -> dict[str, Any]:
    """Services of one shard, each of which waits for the one before; each as its container's changes."""
    made: dict[str, Any] = {}
    for number, changes in enumerate(proxies, start=1):
        own = service_resources(
            Family=f"{name}{number}", ContainerDefinitions=[to_pascal_case(without_check(changes))]
        )
        own["Service"]["Properties"] |= {
            "DesiredCount": 1,
            "TaskDefinition": {"Ref": f"Definition{name}{number}"},
            "ServiceName": f"{name}{number}",
        }
        if number > 1:
            own["Service"]["DependsOn"] = [f"Service{name}{number - 1}"]
        made |= {f"{kind}{name}{number}": one for kind, one in own.items()}
    return made


def events(name: str, since: int = 0) -> list[tuple[str, str, str]]:
    """Logical id, status and reason of a stack's events, the oldest first."""
    told = client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
        for e in reversed(told)
    ][since:]


def update(name: str, resources: dict[str, Any]) -> tuple[str, list[tuple[str, str, str]]]:
    """The status that an update ends with, and its events."""
    before = len(events(name))
    body = json.dumps({"Resources": resources})
    client("cloudformation").update_stack(StackName=name, TemplateBody=body)
    state, _ = wait_for_stack(name)
    return state, events(name, before)


def tasks_of(*services: str) -> dict[str, list[str]]:
    """The tasks that ECS means to run, by service."""
    ecs = client("ecs")
    return {
        one: sorted(ecs.list_tasks(cluster=CLUSTER, serviceName=one)["taskArns"])
        for one in services
    }


def definitions_of(*services: str) -> list[str]:
    """The services' task definitions."""
    found = client("ecs").describe_services(cluster=CLUSTER, services=list(services))["services"]
    return [one["taskDefinition"] for one in found]


BIGGER: Mapping[str, object] = {
    "environment": [{"name": "CONFIG", "value": HAPROXY}, {"name": "A", "value": "1"}]
}


def waves() -> dict[str, Any]:
    names = ("A1", "A2", "B1")
    created = create_stack("waves", **chain("A", {}, {}), **chain("B", {}))
    at_first = events("waves")
    before = tasks_of(*names)
    state, told = update("waves", {**chain("A", BIGGER, BIGGER), **chain("B", {})})
    after = tasks_of(*names)
    shrunk, removed = update("waves", {**chain("A", BIGGER), **chain("B", {})})
    client("cloudformation").delete_stack(StackName="waves")
    wait_until(lambda: "waves" not in alive_stacks(), timeout_seconds=60, what="the stack's end")
    return {
        "states": [created[0], state, shrunk],
        "at_first": at_first,
        "told": told,
        "removed": removed,
        "kept": before["B1"] == after["B1"],
        "rolled": [not set(before[one]) & set(after[one]) for one in ("A1", "A2")],
    }


def alive_stacks() -> list[str]:
    """Stacks that there are."""
    found = client("cloudformation").list_stacks()["StackSummaries"]
    return [one["StackName"] for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


def test_services_change_in_waves_and_what_does_not_change_is_left_alone(account: Room) -> None:
    seen = account.call(waves)

    assert seen["states"] == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE"]
    for told, verb in ((seen["at_first"], "CREATE"), (seen["told"], "UPDATE")):
        steps = [(one, status) for one, status, _ in told]
        assert steps.index(("ServiceA1", f"{verb}_COMPLETE")) < steps.index(
            ("ServiceA2", f"{verb}_IN_PROGRESS")
        )
    assert seen["kept"]
    assert seen["rolled"] == [True, True]
    assert not [one for one, _, _ in seen["told"] if one.endswith("B1")]
    assert {one for one, _, _ in seen["removed"]} == {"waves", "ServiceA2", "DefinitionA2"}
    assert {status for one, status, _ in seen["removed"] if one == "ServiceA2"} == {
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    }


BROKEN: dict[str, Mapping[str, object]] = {
    "image": {"image": NO_IMAGE},
    "health": {"healthCheck": {"command": ["CMD", "false"], "interval": 5, "retries": 1}},
}


def bad_update(why: str) -> dict[str, Any]:
    names = ("A1", "A2", "B1")
    create_stack("bad", **chain("A", {}, {}), **chain("B", {}))
    before, defined = tasks_of(*names), definitions_of(*names)
    bad = BROKEN[why]
    state, told = update("bad", {**chain("A", bad, bad), **chain("B", bad)})
    after, now = tasks_of(*names), definitions_of(*names)
    running = [describe_task(arn)["lastStatus"] for arns in after.values() for arn in arns]
    again, _ = update("bad", {**chain("A", BIGGER, BIGGER), **chain("B", BIGGER)})
    client("cloudformation").delete_stack(StackName="bad")
    wait_until(lambda: "bad" not in alive_stacks(), timeout_seconds=60, what="the stack's end")
    return {
        "state": state,
        "told": told,
        "kept": [before == after, defined == now],
        "running": running,
        "again": again,
    }


@pytest.mark.parametrize(("why", "reason"), [("image", "CannotPull"), ("health", "health checks")])
def test_an_update_that_never_runs_goes_back_and_touches_no_other_wave(
    account: Room, why: str, reason: str
) -> None:
    seen = account.call(bad_update, why)

    failed = {one: text for one, status, text in seen["told"] if status == "UPDATE_FAILED"}
    assert seen["state"] == "UPDATE_ROLLBACK_COMPLETE"
    assert failed.keys() == {"ServiceA1", "ServiceB1"}
    assert all("Circuit Breaker" in text and reason in text for text in failed.values())
    assert not [one for one, _, _ in seen["told"] if one == "ServiceA2"]
    assert seen["kept"] == [True, True]
    assert seen["running"] == ["RUNNING"] * 3
    assert seen["again"] == "UPDATE_COMPLETE"


def bad_second_wave() -> dict[str, Any]:
    create_stack("second", **chain("A", {}, {}))
    before = definitions_of("A1", "A2")
    state, told = update("second", chain("A", BIGGER, {"image": NO_IMAGE}))
    after = definitions_of("A1", "A2")
    running = [
        describe_task(arn)["lastStatus"] for arns in tasks_of("A1", "A2").values() for arn in arns
    ]
    client("cloudformation").delete_stack(StackName="second")
    wait_until(lambda: "second" not in alive_stacks(), timeout_seconds=60, what="the stack's end")
    return {"state": state, "told": told, "kept": before == after, "running": running}


def test_a_wave_that_was_done_goes_back_with_the_one_that_failed(account: Room) -> None:
    seen = account.call(bad_second_wave)

    steps = [(one, status) for one, status, _ in seen["told"] if one == "ServiceA1"]
    assert seen["state"] == "UPDATE_ROLLBACK_COMPLETE"
    assert steps == [("ServiceA1", f"UPDATE_{s}") for s in ("IN_PROGRESS", "COMPLETE") * 2]
    assert seen["kept"]
    assert seen["running"] == ["RUNNING", "RUNNING"]


def bad_first_deploy() -> dict[str, Any]:
    bad = {"image": NO_IMAGE}
    state, why = create_stack("first", **chain("A", {}, bad), **chain("B", bad))
    ecs = client("ecs")
    active = ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    return {
        "state": state,
        "why": why,
        "services": ecs.list_services(cluster=CLUSTER)["serviceArns"],
        "tasks": ecs.list_tasks(cluster=CLUSTER)["taskArns"],
        "definitions": [one for one in active if "/healthy:" not in one],
        "second_wave": [e for e in events("first") if e[0] == "ServiceA2"],
    }


def test_a_first_deploy_that_never_runs_leaves_nothing(account: Room) -> None:
    seen = account.call(bad_first_deploy)

    assert seen["state"] == "ROLLBACK_COMPLETE"
    assert "CannotPullContainerError" in seen["why"]
    assert (seen["services"], seen["tasks"], seen["definitions"]) == ([], [], [])
    assert seen["second_wave"] == []


def cluster_in_use() -> list[str]:
    ecs = client("ecs")
    ecs.create_cluster(clusterName="in-use")
    (arn,) = ecs.run_task(
        cluster="in-use",
        taskDefinition="healthy",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )["tasks"]
    at_first = answer_of(ecs.delete_cluster, cluster="in-use")
    ecs.stop_task(cluster="in-use", task=arn["taskArn"])
    return [at_first, answer_of(ecs.delete_cluster, cluster="in-use")]


def test_a_cluster_with_tasks_is_not_deleted(account: Room) -> None:
    in_use, empty = account.call(cluster_in_use)

    assert in_use.startswith("ClusterContainsTasksException")
    assert empty == "accepted"
