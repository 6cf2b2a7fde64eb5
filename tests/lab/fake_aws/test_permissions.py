"""A role of the fake AWS may do what its policy says and nothing else."""

import json
from typing import Any

import pytest

from tests.support.lab.account import (
    CLUSTER,
    NETWORK,
    TRUST,
    answer_of,
    change,
    client,
    container_definition,
    register,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab


def as_role(name: str, *statements: dict[str, Any]) -> dict[str, str]:
    """Credentials of a role that may do just this."""
    iam = client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    given = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def permissions() -> dict[str, str]:
    own = client("route53").create_hosted_zone(Name="iam.test.", CallerReference="iam")[
        "HostedZone"
    ]["Id"]
    identity = own.rsplit("/", 1)[-1]
    keys = "route53:ChangeResourceRecordSets"
    records = {
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": f"arn:aws:route53:::hostedzone/{identity}",
        "Condition": {
            "ForAllValues:StringEquals": {
                f"{keys}RecordTypes": ["A"],
                f"{keys}Actions": ["UPSERT"],
            },
            "ForAllValues:StringLike": {f"{keys}NormalizedRecordNames": ["*.iam.test"]},
        },
    }
    role = "arn:aws:iam::123456789012:role/passed"
    client("iam").create_role(RoleName="passed", AssumeRolePolicyDocument=json.dumps(TRUST))
    cluster = f"arn:aws:ecs:us-east-1:123456789012:cluster/{CLUSTER}"
    definition = register("permitted")
    client("ecs").register_task_definition(
        family="with-role",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn=role,
        containerDefinitions=[container_definition()],
    )
    families = "arn:aws:ecs:us-east-1:123456789012:task-definition/{}:*"
    tasks = {
        "Action": "ecs:RunTask",
        "Resource": [families.format("permitted"), families.format("with-role")],
        "Condition": {"ArnEquals": {"ecs:cluster": cluster}},
    }
    credentials = as_role("limited", records, tasks)
    ecs, route53 = client("ecs", **credentials), client("route53", **credentials)

    def run_task(family: str, **more: object) -> str:
        asked = {"cluster": CLUSTER, "launchType": "FARGATE", "networkConfiguration": NETWORK}
        return answer_of(ecs.run_task, taskDefinition=family, **asked, **more)

    def record(changed: dict[str, Any]) -> str:
        batch = {"Changes": [changed]}
        return answer_of(
            route53.change_resource_record_sets, HostedZoneId=identity, ChangeBatch=batch
        )

    unknown = {"aws_access_key_id": "AKIA0000000000000000", "aws_secret_access_key": "x"}
    return {
        "record": record(change("a.iam.test.", "10.0.0.1")),
        "task": run_task(definition["taskDefinitionArn"]),
        "other type": record(change("a.iam.test.", '"x"', kind="TXT")),
        "other name": record(change("iam.test.", "10.0.0.1")),
        "other action": record(change("a.iam.test.", "10.0.0.1", action="DELETE")),
        "other family": run_task("healthy"),
        "role not passed": run_task("with-role"),
        "tags": run_task("permitted", tags=[{"key": "a", "value": "b"}]),
        "nothing said": answer_of(ecs.list_tasks, cluster=CLUSTER),
        "unknown key": answer_of(client("ecs", **unknown).list_clusters),
    }


def test_a_role_may_do_what_its_policy_says_and_nothing_else(account: Room) -> None:
    seen = account.call(permissions)

    assert [name for name, answer in seen.items() if answer == "accepted"] == ["record", "task"]
    assert all(
        "AccessDenied" in answer for name, answer in seen.items() if name.startswith("other")
    )
    assert "ecs:TagResource" in seen["tags"]
    assert "iam:PassRole" in seen["role not passed"]
