"""What the probe's functions may do: what their runs need, to the letter."""

from collections.abc import Callable

import pytest

from tests.support.synth.policy import Ask, holds
from tests.support.synth.probed import (
    CACHE,
    FIRST,
    FUNCTION,
    NETWORK,
    SECOND,
    SECRET,
    functions,
    own_log,
    plain,
    role,
    told,
    with_iam,
    with_secret,
)
from tests.support.synth.shapes import properties, statements
from tests.synth.conftest import Synthesis


def test_walker_without_login_may_log_and_be_in_a_vpc_and_nothing_else() -> None:
    assert [told(one) for one in role(plain(), FIRST)] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], own_log(plain(), FIRST)),
        (NETWORK, ["*"]),
    ]


def test_walker_s_code_may_not_make_the_interfaces_that_lambda_makes_for_it() -> None:
    """As AWS advises: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html."""
    policies = plain().resources("probe", "AWS::IAM::Policy").values()
    denied = [
        one
        for policy in policies
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if one["Effect"] == "Deny"
    ]

    assert [(one["Action"], one["Resource"]) for one in denied] == [(NETWORK, "*")]
    assert all("lambda:SourceFunctionArn" in one["Condition"]["ArnEquals"] for one in denied)


@pytest.mark.parametrize("vpc", [FIRST, SECOND])
def test_walker_with_a_secret_may_read_this_one(vpc: str) -> None:
    assert [told(one) for one in role(with_secret(), vpc)] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], own_log(with_secret(), vpc)),
        (NETWORK, ["*"]),
        (["secretsmanager:GetSecretValue"], [SECRET]),
    ]


def test_walker_with_iam_may_log_in_to_this_group_as_this_user() -> None:
    stack = "shared-probe"
    assert [told(one) for one in role(with_iam(), FIRST, stack)] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], own_log(with_iam(), FIRST, stack)),
        (NETWORK, ["*"]),
        (["elasticache:Connect"], [f"{CACHE}replicationgroup:sessions", f"{CACHE}user:probe"]),
    ]


def test_watch_reads_this_cluster_and_has_the_walkers_walk_and_nothing_else() -> None:
    """Whoever adds an action, a resource or a condition changes this list."""
    made = with_secret()
    walkers = [
        key
        for key, one in made.resources("probe", FUNCTION).items()
        if "VpcConfig" in one["Properties"]
    ]
    (cluster,) = made.resources("haproxy", "AWS::ECS::Cluster")
    (zone,) = made.resources("dns", "AWS::Route53::HostedZone")
    (logs,) = {
        one["Environment"]["Variables"]["PROXY_LOGS"] for one in [functions(made)["coordinator"]]
    }

    found = role(made, "coordinator")

    assert [told(one) for one in found] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], own_log(made, "coordinator")),
        (
            ["lambda:InvokeFunction"],
            [f"<{one}.Arn>{end}" for end in ("", ":*") for one in walkers],
        ),
        (
            ["elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"],
            [f"{CACHE}cluster:*", f"{CACHE}replicationgroup:sessions"],
        ),
        (["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListServices", "ecs:ListTasks"], ["*"]),
        (
            ["route53:GetHostedZone", "route53:ListResourceRecordSets"],
            [f"arn:aws:route53:::hostedzone/<{zone}>"],
        ),
        (
            ["logs:FilterLogEvents"],
            [
                logs.replace(">", ".Arn>"),
                f"arn:aws:logs:us-east-1:111122223333:log-group:{logs}",
            ],
        ),
    ]
    assert [one["Condition"] for one in found if "Condition" in one] == [
        {"ArnEquals": {"ecs:cluster": f"<{cluster}.Arn>"}}
    ]


ACTIONS = [
    *("route53:ChangeResourceRecordSets", "ecs:RunTask", "ecs:StopTask", "iam:PassRole"),
    *("secretsmanager:GetSecretValue", "elasticache:Connect", "logs:GetLogEvents", "s3:GetObject"),
]


@pytest.mark.parametrize("action", ACTIONS)
def test_watch_changes_nothing_and_sees_no_secret(action: str) -> None:
    """It reads what the resync reads."""
    context = {"ecs:cluster": "<Cluster.Arn>"}

    assert not any(
        holds(one, Ask(action, "*", context)) for one in role(with_secret(), "coordinator")
    )


@pytest.mark.parametrize(
    ("synthesis", "stack"), [(plain, "probe"), (with_secret, "probe"), (with_iam, "shared-probe")]
)
def test_roles_are_lambda_s_and_have_no_other_policy(
    synthesis: Callable[[], Synthesis], stack: str
) -> None:
    for one in properties(synthesis(), stack, "AWS::IAM::Role"):
        assert one.keys() == {"AssumeRolePolicyDocument"}
        (trust,) = one["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert {key for one in statements(synthesis(), stack) for key in one} <= {
        *("Sid", "Effect", "Action", "Resource", "Condition")
    }
