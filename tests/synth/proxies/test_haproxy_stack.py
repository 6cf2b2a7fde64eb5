"""The fleet's template: one service a node, each as harmless as it can be."""

import json

import pytest

from nodeway.constructs.proxies.haproxy import DRAIN_SECONDS, GRACE_SECONDS
from nodeway.constructs.proxies.task import STOP_TIMEOUT_SECONDS
from tests.support.synth.shapes import properties, waits_for
from tests.synth.conftest import Synthesis

TASK, SERVICE = "AWS::ECS::TaskDefinition", "AWS::ECS::Service"


def test_parking_zone_is_for_the_haproxies_only(dev: Synthesis, rich: Synthesis) -> None:
    """Its names say where stand-ins find their nodes: of the proxy VPC's resolver, and of no client's."""
    for one in (dev, rich):
        zone = one.only("resync", "AWS::Route53::HostedZone")
        assert zone["Name"] == "sessions.dev.nodeway.internal."
        assert zone["VPCs"] == [{"VPCId": "vpc-0a1b2c3d4e5f60718", "VPCRegion": "us-east-1"}]


def test_exports_are_the_same_whatever_is_configured(dev: Synthesis, rich: Synthesis) -> None:
    """CloudFormation never changes a value that another stack imports: nothing in it may have a revision."""
    exports, others = (one.templates["haproxy"]["Outputs"] for one in (dev, rich))
    tasks = dev.resources("resync", TASK) | dev.resources("nodes-0001", TASK)

    assert exports == others
    assert not [key for key in tasks if key in json.dumps(exports)]


def test_containers_have_time_to_drain() -> None:
    """Grace and drain fit in what Fargate waits before it kills."""
    assert GRACE_SECONDS + DRAIN_SECONDS < STOP_TIMEOUT_SECONDS <= 120


def test_variables_of_the_command_line_reach_tasks_and_services(rich: Synthesis) -> None:
    """`-c cpu`, `-c memory` and `-c haproxies_per_node`."""
    tasks = properties(rich, "nodes-0001", TASK)
    services = properties(rich, "nodes-0001", SERVICE)

    assert {(one["Cpu"], one["Memory"]) for one in tasks} == {("512", "2048")}
    assert {one["DesiredCount"] for one in services} == {2}


def test_services_start_only_when_their_logs_can_be_written(dev: Synthesis) -> None:
    """A task whose role may not write logs yet fails to start, and counts for the circuit breaker."""
    assert "haproxy" in waits_for(dev, "-nodes-0001")


def test_security_group_lets_in_every_range_of_clients(rich: Synthesis) -> None:
    rules = rich.only("haproxy", "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]

    assert [(one["CidrIp"], one["FromPort"], one["ToPort"]) for one in rules] == [
        (f"10.{number}.0.0/16", 6379, 6379) for number in (40, 41, 42)
    ]


def test_cache_lets_the_haproxies_in_only_when_its_group_is_given(
    dev: Synthesis, rich: Synthesis
) -> None:
    """One rule in the cache's own security group, from the HAProxies' group and not from a range."""
    assert dev.resources("haproxy", "AWS::EC2::SecurityGroupIngress") == {}

    rule = rich.only("haproxy", "AWS::EC2::SecurityGroupIngress")
    assert (rule["GroupId"], rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (
        "sg-0e1f2031425364758",
        6379,
        6379,
        "tcp",
    )
    assert "Fn::GetAtt" in rule["SourceSecurityGroupId"]
    assert "CidrIp" not in rule


def test_tasks_may_do_nothing_and_their_agent_only_writes_logs(dev: Synthesis) -> None:
    """The task role has no statement; the execution role has exactly one."""
    policy = dev.only("haproxy", "AWS::IAM::Policy")

    (log_group,) = dev.resources("haproxy", "AWS::Logs::LogGroup")
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [log_group, "Arn"]},
        }
    ]
    assert [one["Ref"].startswith("ExecutionRole") for one in policy["Roles"]] == [True]


@pytest.mark.parametrize("role", ["TaskRole", "ExecutionRole"])
def test_roles_are_for_ecs_tasks_of_this_account_only(dev: Synthesis, role: str) -> None:
    """No confused deputy, and no managed policy."""
    (found,) = [
        one
        for key, one in dev.resources("haproxy", "AWS::IAM::Role").items()
        if key.startswith(role)
    ]

    assert found["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        }
    ]
    assert "ManagedPolicyArns" not in found["Properties"]
