"""Secrets of ECS tasks in the fake AWS: read by the execution role's own permissions, one key each, never shown."""

import json
from typing import Any

import pytest

from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    NETWORK,
    client,
    container_definition,
    read_log,
    wait_for,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def secret_of(name: str) -> str:
    """A secret with two keys; gives its ARN."""
    value = json.dumps({"password": f"of-{name}", "other": "x"})
    made: str = client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
    return made


def role_that_reads(name: str, *arns: str) -> str:
    """An execution role that may read these secrets and nothing else; gives its ARN."""
    iam = client("iam")
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    if arns:
        statement = {
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": list(arns),
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    return role


def started(family: str, role: str, **secrets: str) -> str:
    """A task of a container that only says what it was given; gives its ARN."""
    ecs = client("ecs")
    asked = [{"name": name, "valueFrom": value} for name, value in secrets.items()]
    says = container_definition(
        command=["env | grep -c '^PASSWORD=of-' ; exec sleep 60"], environment=[], secrets=asked
    )
    says.pop("healthCheck")
    ecs.register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[says],
    )
    answer = ecs.run_task(
        cluster=CLUSTER, taskDefinition=family, launchType="FARGATE", networkConfiguration=NETWORK
    )
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def read_by_a_role() -> dict[str, Any]:
    arn = secret_of("allowed")
    task = started("reads", role_that_reads("reads", arn), PASSWORD=f"{arn}:password::")
    wait_for(task, "lastStatus", "RUNNING")
    definition = client("ecs").describe_task_definition(taskDefinition="reads")
    said = wait_until(
        lambda: read_log(task).strip(), timeout_seconds=60, what="the container's word"
    )
    return {"said": said, "shown": "of-allowed" in json.dumps(definition, default=str)}


def test_a_container_gets_one_key_of_its_secret(account: Room) -> None:
    """As a variable of its own; the definition shows the ARN only."""
    seen = account.call(read_by_a_role)

    assert seen == {"said": "1", "shown": False}


def refused() -> dict[str, str]:
    arn, other = secret_of("mine"), secret_of("not-mine")
    role = role_that_reads("narrow", arn)
    gone = arn.replace("mine-", "gone-")
    tasks = {
        "not allowed": started("a", role, PASSWORD=f"{other}:password::"),
        "a role that may nothing": started("b", role_that_reads("b"), PASSWORD=arn),
        "no such key": started("c", role, PASSWORD=f"{arn}:passwort::"),
        "no such secret": started("d", role_that_reads("d", gone), PASSWORD=gone),
    }
    return {
        name: wait_for(task, "lastStatus", "STOPPED")["stoppedReason"]
        for name, task in tasks.items()
    }


def test_a_secret_that_cannot_be_read_starts_nothing(account: Room) -> None:
    """ECS's own words, and no container."""
    seen = account.call(refused)

    assert all(
        one.startswith("ResourceInitializationError: unable to pull secrets")
        for one in seen.values()
    )
    assert "is not authorized to perform: secretsmanager:GetSecretValue" in seen["not allowed"]
    assert "is not authorized" in seen["a role that may nothing"]
    assert "did not contain json key passwort" in seen["no such key"]
    assert "can't find the specified secret" in seen["no such secret"]
