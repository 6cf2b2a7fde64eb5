"""What the function may do: exactly what its runs need (test_resync_run.py has the runs)."""

from typing import Any

import pytest

from tests.support.synth.policy import Ask, family, policy, several
from tests.synth.conftest import Synthesis

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"
PREFIX = "route53:ChangeResourceRecordSets"


def test_role_has_exactly_these_statements(dev: Synthesis) -> None:
    """Least privilege: whoever adds an action, a resource or a condition changes this list, and a reviewer sees it."""
    ecs, zone = "arn:aws:ecs:us-east-1:111122223333:", "arn:aws:route53:::hostedzone/Z0CLIENTS"
    cache, parking = "arn:aws:elasticache:us-east-1:111122223333:", "sessions.dev.nodeway.internal"
    in_cluster = {"ArnEquals": {"ecs:cluster": f"{ecs}cluster/fleet"}}

    assert [plain(one) for one in policy(dev).statements] == [
        (None, ["logs:CreateLogStream", "logs:PutLogEvents"], ["<Logs6819BB44.Arn>"], {}),
        (
            None,
            ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
            ["<Failures8A3E1A2F.Arn>"],
            {},
        ),
        (
            "ReadTopology",
            ["elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"],
            [f"{cache}cluster:*", f"{cache}replicationgroup:sessions"],
            {},
        ),
        (
            "ReadTasks",
            ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListServices", "ecs:ListTasks"],
            ["*"],
            in_cluster,
        ),
        ("ReadRecords", ["route53:GetHostedZone", "route53:ListResourceRecordSets"], [zone], {}),
        (
            "WriteAddresses",
            [PREFIX],
            [zone],
            {
                "ForAllValues:StringEquals": {
                    f"{PREFIX}RecordTypes": ["A", "TXT"],
                    f"{PREFIX}Actions": ["CREATE", "DELETE"],
                },
                "ForAllValues:StringLike": {f"{PREFIX}NormalizedRecordNames": [f"*.{ZONE}"]},
            },
        ),
        (
            "LowerNegativeTtl",
            [PREFIX],
            [zone],
            {
                "ForAllValues:StringEquals": {
                    f"{PREFIX}RecordTypes": ["SOA"],
                    f"{PREFIX}Actions": ["UPSERT"],
                },
                "ForAllValues:StringLike": {f"{PREFIX}NormalizedRecordNames": [ZONE]},
            },
        ),
        (
            "RunStandIns",
            ["ecs:RunTask"],
            [f"{ecs}task-definition/{family(dev)}:*"],
            in_cluster,
        ),
        (
            "TagNewStandIns",
            ["ecs:TagResource"],
            [f"{ecs}task/fleet/*"],
            {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
        (
            "RetireStandIns",
            ["ecs:StopTask", "ecs:TagResource"],
            [f"{ecs}task/fleet/*"],
            {"StringEquals": {"aws:ResourceTag/nodeway:stand-in": "true"}},
        ),
        (
            "PassTaskRoles",
            ["iam:PassRole"],
            ["arn:aws:iam::111122223333:role/execution", "arn:aws:iam::111122223333:role/task"],
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        (
            "ReadParking",
            ["route53:ListResourceRecordSets"],
            ["arn:aws:route53:::hostedzone/Z0PARKING"],
            {},
        ),
        (
            "WriteParking",
            [PREFIX],
            ["arn:aws:route53:::hostedzone/Z0PARKING"],
            {
                "ForAllValues:StringEquals": {
                    f"{PREFIX}RecordTypes": ["A", "CNAME"],
                    f"{PREFIX}Actions": ["CREATE", "DELETE"],
                },
                "ForAllValues:StringLike": {f"{PREFIX}NormalizedRecordNames": [f"*.{parking}"]},
            },
        ),
    ]


def plain(statement: dict[str, Any]) -> tuple[str | None, list[str], list[str], dict[str, Any]]:
    """Sid, actions, resources, conditions."""
    assert set(statement) <= {"Sid", "Action", "Resource", "Condition", "Effect"}
    return (
        statement.get("Sid"),
        several(statement["Action"]),
        sorted(several(statement["Resource"])),
        statement.get("Condition", {}),
    )


def test_role_has_no_other_policy(dev: Synthesis) -> None:
    """No managed policy, and only Lambda may be it."""
    role = dev.only("resync", "AWS::IAM::Role")

    assert "ManagedPolicyArns" not in role
    assert "Policies" not in role
    assert [one["Principal"] for one in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]


ECS = "arn:aws:ecs:us-east-1:111122223333:"
IN_FLEET = {"ecs:cluster": f"{ECS}cluster/fleet"}
ELSEWHERE = {"ecs:cluster": f"{ECS}cluster/other"}
STAND_IN = {"aws:ResourceTag/nodeway:stand-in": "true"}
OWN = {"aws:ResourceTag/nodeway:node": f"a.{ZONE}"}
TASK = f"{ECS}task/fleet/1"


def change(kind: str, action: str, name: str, zone: str = "Z0CLIENTS") -> Ask:
    """A change of one record set."""
    return Ask(
        PREFIX,
        f"arn:aws:route53:::hostedzone/{zone}",
        {
            f"{PREFIX}RecordTypes": [kind],
            f"{PREFIX}Actions": [action],
            f"{PREFIX}NormalizedRecordNames": [name],
        },
    )


@pytest.mark.parametrize(
    "ask",
    [
        change("A", "CREATE", ZONE),
        change("A", "UPSERT", f"a.{ZONE}"),
        change("TXT", "UPSERT", f"_nodeway.a.{ZONE}"),
        change("CNAME", "CREATE", f"a.{ZONE}"),
        change("SOA", "DELETE", ZONE),
        change("A", "CREATE", f"a.{ZONE}", "Z0PARKING"),
        change("CNAME", "CREATE", "a.sessions.dev.nodeway.internal"),
        change("SOA", "UPSERT", "sessions.dev.nodeway.internal", "Z0PARKING"),
        Ask("ecs:RunTask", f"{ECS}task-definition/anything:1", IN_FLEET),
        Ask("ecs:StopTask", TASK, IN_FLEET),
        Ask("ecs:StopTask", TASK, IN_FLEET | OWN),
        Ask("ecs:StopTask", TASK, IN_FLEET | {"aws:ResourceTag/nodeway:stand-in": "false"}),
        Ask("ecs:StopTask", f"{ECS}task/other/1", ELSEWHERE | STAND_IN),
        Ask("ecs:TagResource", TASK, OWN),
        Ask("ecs:TagResource", f"{ECS}task/other/1", STAND_IN),
        Ask("ecs:TagResource", f"{ECS}service/fleet/1", {"ecs:CreateAction": "RunTask"}),
        Ask("ecs:ListTasks", "*", ELSEWHERE),
        Ask("ecs:DescribeTasks", f"{ECS}task/other/1", ELSEWHERE),
        Ask(
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/admin",
            {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
        ),
        Ask(
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/task",
            {"iam:PassedToService": "lambda.amazonaws.com"},
        ),
    ],
    ids=lambda ask: f"{ask.action} {ask.resource.rpartition(':')[2]}",
)
def test_role_allows_nothing_else(dev: Synthesis, ask: Ask) -> None:
    """What a condition or a resource keeps out: a service's own task can neither be stopped nor be tagged."""
    assert not policy(dev).allows(ask)


@pytest.mark.parametrize("revision", [1, 27])
def test_role_allows_a_stand_in_of_any_revision_in_the_fleet_only(
    dev: Synthesis, revision: int
) -> None:
    """A deploy makes a new revision, and the function goes on."""
    resource = f"{ECS}task-definition/{family(dev)}:{revision}"

    assert policy(dev).allows(Ask("ecs:RunTask", resource, IN_FLEET))
    assert not policy(dev).allows(Ask("ecs:RunTask", resource, ELSEWHERE))
