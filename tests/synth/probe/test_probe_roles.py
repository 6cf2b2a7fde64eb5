"""What the probe's functions may do: what their runs need, to the letter."""

from collections.abc import Callable

import pytest

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

USER = [f"{CACHE}replicationgroup:sessions", f"{CACHE}user:probe"]


@pytest.mark.parametrize(
    ("synthesis", "vpc", "stack", "login"),
    [
        (plain, FIRST, "probe", []),
        (with_secret, FIRST, "probe", [(["secretsmanager:GetSecretValue"], [SECRET])]),
        (with_secret, SECOND, "probe", [(["secretsmanager:GetSecretValue"], [SECRET])]),
        (with_iam, FIRST, "shared-probe", [(["elasticache:Connect"], USER)]),
    ],
    ids=["no login", "secret", "secret of the second VPC", "IAM"],
)
def test_walker_may_log_be_in_a_vpc_and_read_its_own_login(
    synthesis: Callable[[], Synthesis],
    vpc: str,
    stack: str,
    login: list[tuple[list[str], list[str]]],
) -> None:
    assert [told(one) for one in role(synthesis(), vpc, stack)] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], own_log(synthesis(), vpc, stack)),
        (NETWORK, ["*"]),
        *login,
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
    logs = functions(made)["coordinator"]["Environment"]["Variables"]["PROXY_LOGS"]

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
