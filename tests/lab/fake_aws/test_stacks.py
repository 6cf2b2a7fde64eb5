"""Stacks of the fake AWS: services and zones come, fail and go as with CloudFormation."""

import json
import os
import signal
from typing import Any

import pytest

from lab import layout
from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    answer_of,
    change,
    client,
    container_definition,
    create_stack,
    describe_task,
    process_of,
    service_resources,
    to_pascal_case,
    wait_for,
    wait_for_stack,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab


def deployed_service() -> dict[str, Any]:
    state, why = create_stack("service", **service_resources())
    ecs = client("ecs")
    (arn,) = ecs.list_services(cluster=CLUSTER)["serviceArns"]
    at_first = ecs.describe_services(cluster=CLUSTER, services=[arn])["services"][0]
    tasks = [
        describe_task(t)
        for t in ecs.list_tasks(cluster=CLUSTER, serviceName=at_first["serviceName"])["taskArns"]
    ]
    definition = ecs.describe_task_definition(taskDefinition="from-template")["taskDefinition"]
    os.kill(process_of(tasks[0]["taskArn"]), signal.SIGSTOP)
    stopped = wait_for(tasks[0]["taskArn"], "desiredStatus", "STOPPED")
    replaced = wait_until(
        lambda: (
            len(ecs.list_tasks(cluster=CLUSTER, serviceName=at_first["serviceName"])["taskArns"])
            == 2
        ),
        timeout_seconds=60,
        what="the replacement",
    )
    client("cloudformation").delete_stack(StackName="service")
    group = f"service:{at_first['serviceName']}"

    def gone() -> bool:
        return all(
            describe_task(t)["group"] != group for t in ecs.list_tasks(cluster=CLUSTER)["taskArns"]
        )

    wait_until(gone, timeout_seconds=60, what="the deleted service's tasks to be asked to stop")
    return {
        "state": state,
        "why": why,
        "running": at_first["runningCount"],
        "health": [t["healthStatus"] for t in tasks],
        "tags": [t["tags"] for t in tasks],
        "container": definition["containerDefinitions"][0],
        "unhealthy": stopped["stoppedReason"],
        "replaced": replaced,
    }


def test_a_deployed_service_is_healthy_and_stays_so(account: Room) -> None:
    seen = account.call(deployed_service)

    assert (seen["state"], seen["why"]) == ("CREATE_COMPLETE", "")
    assert seen["running"] == 2
    assert seen["health"] == ["HEALTHY", "HEALTHY"]
    assert seen["tags"] == [[{"key": "node", "value": "demo-0001-001"}]] * 2
    assert seen["container"]["ulimits"] == [
        {"name": "nofile", "softLimit": 2048, "hardLimit": 2048}
    ]
    assert seen["container"]["healthCheck"]["interval"] == 5
    assert seen["unhealthy"] == "Task failed container health checks"
    assert seen["replaced"]


def failed_stacks() -> dict[str, Any]:
    broken = to_pascal_case(container_definition(command=["exit 3"]))
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "KmsKeyId": "k"}}
    cloudformation = client("cloudformation")
    body = json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}}}})
    typo = to_pascal_case(container_definition()) | {"Ulimit": []}
    return {
        "type": answer_of(cloudformation.create_stack, StackName="type", TemplateBody=body),
        "property": create_stack("property", Group=group),
        "typo": create_stack("typo", **service_resources(ContainerDefinitions=[typo])),
        "service": create_stack("broken", **service_resources(ContainerDefinitions=[broken])),
        "left": client("ecs").list_services(cluster=CLUSTER)["serviceArns"],
    }


def test_a_stack_fails_loudly_and_leaves_nothing(account: Room) -> None:
    seen = account.call(failed_stacks)

    assert "AWS::DynamoDB::Table" in seen["type"]
    for name, reason in {
        "property": "KmsKeyId",
        "typo": "ulimit",
        "service": "Circuit Breaker",
    }.items():
        assert seen[name][0] == "ROLLBACK_COMPLETE"
        assert reason in seen[name][1]
    assert seen["left"] == []


def broken_update() -> dict[str, Any]:
    ecs, cloudformation = client("ecs"), client("cloudformation")
    create_stack("rolled", **service_resources(Family="rolled"))
    (arn,) = [a for a in ecs.list_services(cluster=CLUSTER)["serviceArns"] if "/rolled-" in a]

    def now() -> dict[str, Any]:
        found = ecs.describe_services(cluster=CLUSTER, services=[arn])["services"][0]
        tasks = ecs.list_tasks(cluster=CLUSTER, serviceName=found["serviceName"])["taskArns"]
        return {"definition": found["taskDefinition"], "tasks": sorted(tasks)}

    before = now()
    broken = to_pascal_case(container_definition(command=["exit 3"]))
    body = json.dumps(
        {"Resources": service_resources(Family="rolled", ContainerDefinitions=[broken])}
    )
    cloudformation.update_stack(StackName="rolled", TemplateBody=body)
    state, why = wait_for_stack("rolled")
    ended = [arn for arn in before["tasks"] if describe_task(arn)["desiredStatus"] != "RUNNING"]
    wait_until(lambda: now() == before, timeout_seconds=60, what="what ran before, and only that")
    cloudformation.delete_stack(StackName="rolled")
    return {"state": state, "why": why, "tasks": len(before["tasks"]), "ended": ended}


def test_a_broken_update_is_rolled_back_and_no_old_task_ends(account: Room) -> None:
    seen = account.call(broken_update)

    assert seen["state"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Circuit Breaker" in seen["why"]
    assert seen["tasks"] == 2
    assert seen["ended"] == []


def zone_stack() -> dict[str, Any]:
    route53, cloudformation = client("route53"), client("cloudformation")

    def template(*vpcs: layout.Vpc) -> dict[str, Any]:
        places = [{"VPCId": vpc.vpc_id, "VPCRegion": layout.REGION} for vpc in vpcs]
        return {
            "Zone": {
                "Type": "AWS::Route53::HostedZone",
                "Properties": {"Name": "own.test", "VPCs": places},
            }
        }

    made = create_stack("zone", **template(layout.CLIENT_VPC))[0]
    resources = cloudformation.describe_stack_resources(StackName="zone")["StackResources"]
    identity = resources[0]["PhysicalResourceId"]
    body = json.dumps({"Resources": template(layout.CLIENT_VPC, layout.CACHE_VPC)})
    cloudformation.update_stack(StackName="zone", TemplateBody=body)
    updated = wait_for_stack("zone")[0]
    vpcs = [vpc["VPCId"] for vpc in route53.get_hosted_zone(Id=identity)["VPCs"]]
    batch = {"Changes": [change("a.own.test.", "10.0.0.1")]}
    route53.change_resource_record_sets(HostedZoneId=identity, ChangeBatch=batch)
    cloudformation.delete_stack(StackName="zone")
    full = wait_for_stack("zone")
    return {"made": made, "updated": updated, "vpcs": vpcs, "full": full}


def test_a_zone_of_a_template_is_private_and_not_deleted_with_records(account: Room) -> None:
    seen = account.call(zone_stack)

    assert (seen["made"], seen["updated"]) == ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert seen["vpcs"] == [layout.CLIENT_VPC.vpc_id, layout.CACHE_VPC.vpc_id]
    assert seen["full"][0] == "DELETE_FAILED"
    assert "HostedZoneNotEmpty" in seen["full"][1]
