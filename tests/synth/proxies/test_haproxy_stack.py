"""The fleet's template: one service a node, each as harmless as it can be."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Match

from nodeway.constructs.proxies.haproxy import DRAIN_SECONDS, GRACE_SECONDS
from nodeway.constructs.proxies.task import STOP_TIMEOUT_SECONDS
from nodeway.haproxy.render import START_COMMAND, HaproxySpec, render
from nodeway_runtime.aws.ecs import NODE_TAG
from tests.support.synth.policy import concrete, known
from tests.synth.conftest import CONTEXT, Synthesis

NODES: list[str] = CONTEXT["environments"]["dev"]["clusters"][0]["nodes"]
TASK, SERVICE = "AWS::ECS::TaskDefinition", "AWS::ECS::Service"


def tags(resource: dict[str, Any]) -> dict[str, str]:
    """A resource's tags."""
    return {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}


def variable(task: dict[str, Any], name: str) -> str:
    """What a task's container is told by that variable."""
    told = task["Properties"]["ContainerDefinitions"][0]["Environment"]
    (value,) = [one["Value"] for one in told if one["Name"] == name]
    return str(value)


def own_tasks(dev: Synthesis) -> dict[str, dict[str, Any]]:
    """The task definitions of the nodes' own services."""
    return dev.resources("nodes-0001", TASK)


def containers(dev: Synthesis) -> list[dict[str, Any]]:
    """The only container of each task definition."""
    found = []
    for task in (*own_tasks(dev).values(), *dev.resources("resync", TASK).values()):
        (container,) = concrete(task, dev, known(dev))["Properties"]["ContainerDefinitions"]
        found.append(container)
    return found


def test_each_node_has_its_own_service_and_task_definition(dev: Synthesis) -> None:
    """The node of a task is stated three times the same: tag, environment, and the service that runs it."""
    tasks = own_tasks(dev)
    services = dev.resources("nodes-0001", SERVICE).values()

    stated = {key: tags(task)[NODE_TAG] for key, task in tasks.items()}
    for name in ("NODE_HOSTNAME", "NODE_BACKEND"):
        assert {key: variable(task, name) for key, task in tasks.items()} == stated
    assert sorted(stated.values()) == sorted(NODES)
    run = {one["Properties"]["TaskDefinition"]["Ref"]: tags(one)[NODE_TAG] for one in services}
    assert run == stated


def test_tasks_get_the_tag_of_their_own_definition(dev: Synthesis) -> None:
    """The resync function learns a task's node from it, and a service's from the service's own tag."""
    for service in dev.resources("nodes-0001", SERVICE).values():
        assert service["Properties"]["PropagateTags"] == "TASK_DEFINITION"


def test_stand_ins_are_the_nodes_own_tasks_but_for_the_name(dev: Synthesis) -> None:
    """One definition for both; without RunTask's override it leads to a name that nobody has, and it has no tag."""
    (stand_in,) = dev.resources("resync", TASK).values()
    own = next(iter(own_tasks(dev).values()))
    there = known(dev)

    assert NODE_TAG not in tags(stand_in)
    for name in ("NODE_HOSTNAME", "NODE_BACKEND"):
        assert variable(stand_in, name) == "unnamed.sessions.dev.nodeway.internal"
    assert same_but_for_names(concrete(stand_in, dev, there)) == same_but_for_names(
        concrete(own, dev, there)
    )


def same_but_for_names(task: dict[str, Any]) -> dict[str, Any]:
    """A task definition without what says which one it is."""
    (container,) = task["Properties"]["ContainerDefinitions"]
    told = [one for one in container["Environment"] if one["Name"] == "HAPROXY_CFG"]
    logs = {**container["LogConfiguration"]["Options"], "awslogs-stream-prefix": ""}
    plain = {**container, "Environment": told, "LogConfiguration": logs}
    properties = {**task["Properties"], "ContainerDefinitions": [plain]}
    return {key: value for key, value in properties.items() if key not in {"Family", "Tags"}}


def test_parking_zone_is_for_the_haproxies_only(dev: Synthesis, rich: Synthesis) -> None:
    """Its names say where stand-ins find their nodes: of the proxy VPC's resolver, and of no client's."""
    for one in (dev, rich):
        zone = one.only("resync", "AWS::Route53::HostedZone")
        assert zone["Name"] == "sessions.dev.nodeway.internal."
        assert zone["VPCs"] == [{"VPCId": "vpc-0a1b2c3d4e5f60718", "VPCRegion": "us-east-1"}]


def test_clients_zone_is_never_for_the_haproxies(dev: Synthesis, rich: Synthesis) -> None:
    """There each node's name is its HAProxy: a HAProxy that asked there would find itself."""
    for one in (dev, rich):
        vpcs = one.only("dns", "AWS::Route53::HostedZone")["VPCs"]
        assert "vpc-0a1b2c3d4e5f60718" not in {vpc["VPCId"] for vpc in vpcs}


def test_exports_are_the_same_whatever_is_configured(dev: Synthesis, rich: Synthesis) -> None:
    """CloudFormation never changes a value that another stack imports: nothing in it may have a revision."""
    exports, others = (one.templates["haproxy"]["Outputs"] for one in (dev, rich))
    tasks = dev.resources("resync", TASK) | own_tasks(dev)

    assert exports == others
    assert not [key for key in tasks if key in json.dumps(exports)]


def test_containers_can_do_no_harm(dev: Synthesis) -> None:
    """Read-only root, no root user, no capability, no secret, one port."""
    for container in containers(dev):
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "haproxy"
        assert container["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
        assert "Secrets" not in container
        assert "MountPoints" not in container
        assert [port["ContainerPort"] for port in container["PortMappings"]] == [6379]
        assert container.get("Privileged") is not True


def test_containers_have_time_to_drain(dev: Synthesis) -> None:
    """Grace and drain fit in what Fargate waits before it kills."""
    assert GRACE_SECONDS + DRAIN_SECONDS < STOP_TIMEOUT_SECONDS <= 120
    for container in containers(dev):
        assert container["StopTimeout"] == STOP_TIMEOUT_SECONDS


def test_a_haproxy_that_dies_is_started_again_in_its_task(dev: Synthesis) -> None:
    """Whatever its exit code was, and as soon as ECS lets it: the address stays, so the record can."""
    for container in containers(dev):
        assert container["RestartPolicy"] == {"Enabled": True, "RestartAttemptPeriod": 60}


def test_containers_are_checked_for_their_own_life_only(dev: Synthesis) -> None:
    """A dead node must not make ECS replace its HAProxy."""
    for container in containers(dev):
        check = container["HealthCheck"]
        assert check["Command"] == [
            "CMD-SHELL",
            "wget -q -O /dev/null http://127.0.0.1:8405/live || exit 1",
        ]
        assert (check["Interval"], check["Timeout"], check["Retries"], check["StartPeriod"]) == (
            5,
            2,
            3,
            5,
        )


def test_containers_get_the_rendered_configuration_and_the_files_it_needs(dev: Synthesis) -> None:
    """The text is what the template gives for the environment; a shell becomes HAProxy by `exec`."""
    spec = HaproxySpec(("10.40.0.0/16",), 6379, 512, GRACE_SECONDS, DRAIN_SECONDS)
    for container in containers(dev):
        variables = {one["Name"]: one["Value"] for one in container["Environment"]}
        assert variables["HAPROXY_CFG"] == render(spec)
        assert container["Ulimits"] == [
            {"Name": "nofile", "HardLimit": spec.open_files, "SoftLimit": spec.open_files}
        ]
        assert container["EntryPoint"] == ["/bin/sh", "-c"]
        assert container["Command"] == [START_COMMAND]
        assert variables["CLUSTER"] == "sessions"


def test_image_is_pinned(dev: Synthesis) -> None:
    """A version, and never what `latest` may become."""
    for container in containers(dev):
        assert container["Image"].rpartition(":")[2].startswith("2.8.")


def test_tasks_are_on_fargate_of_the_asked_size(dev: Synthesis, rich: Synthesis) -> None:
    """`-c cpu` and `-c memory` reach the task."""
    dev.template("nodes-0001").all_resources_properties(
        TASK,
        Match.object_like(
            {
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
            }
        ),
    )
    rich.template("nodes-0001").all_resources_properties(
        TASK, Match.object_like({"Cpu": "512", "Memory": "2048"})
    )


def test_services_roll_without_a_gap_and_roll_back(dev: Synthesis) -> None:
    """New before old, and a circuit breaker; in private subnets without public address."""
    subnets = [one["subnet_id"] for one in CONTEXT["environments"]["dev"]["proxy_vpc"]["subnets"]]
    for service in dev.resources("nodes-0001", SERVICE).values():
        properties = service["Properties"]
        network = properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        deployment = properties["DeploymentConfiguration"]
        assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
        assert network["AssignPublicIp"] == "DISABLED"
        assert network["Subnets"] == subnets
        assert len(network["SecurityGroups"]) == 1
        assert (properties["LaunchType"], properties["DesiredCount"]) == ("FARGATE", 1)


def test_services_run_as_many_haproxies_as_asked(rich: Synthesis) -> None:
    """`-c haproxies_per_node`."""
    rich.template("nodes-0001").all_resources_properties(
        SERVICE, Match.object_like({"DesiredCount": 2})
    )


def test_services_start_only_when_their_logs_can_be_written(dev: Synthesis) -> None:
    """A task whose role may not write logs yet fails to start, and counts for the circuit breaker."""
    (nodes,) = [s for s in dev.assembly.stacks if s.stack_name.endswith("-nodes-0001")]

    assert dev.resources("haproxy", "AWS::IAM::Policy")
    assert "nodeway-dev-sessions-haproxy" in {one.id for one in nodes.dependencies}


def test_security_group_lets_in_clients_on_the_nodes_port_only(
    dev: Synthesis, rich: Synthesis
) -> None:
    """Each client range, that port, and nothing else."""
    plain = dev.only("haproxy", "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    several = rich.only("haproxy", "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]

    assert [
        (one["CidrIp"], one["IpProtocol"], one["FromPort"], one["ToPort"]) for one in plain
    ] == [("10.40.0.0/16", "tcp", 6379, 6379)]
    assert [one["CidrIp"] for one in several] == ["10.40.0.0/16", "10.41.0.0/16", "10.42.0.0/16"]
    assert {(one["IpProtocol"], one["FromPort"], one["ToPort"]) for one in several} == {
        ("tcp", 6379, 6379)
    }


def test_security_group_lets_out_to_nodes_and_https_only(dev: Synthesis) -> None:
    """The nodes' addresses are not known at synth; image and logs are HTTPS."""
    out = dev.only("haproxy", "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]

    assert [(one["CidrIp"], one["IpProtocol"], one["FromPort"], one["ToPort"]) for one in out] == [
        ("0.0.0.0/0", "tcp", 6379, 6379),
        ("0.0.0.0/0", "tcp", 443, 443),
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


def test_logs_end_and_go_with_the_stack(dev: Synthesis) -> None:
    """A month of logs, and nothing left behind."""
    (log_group,) = dev.resources("haproxy", "AWS::Logs::LogGroup").values()

    assert log_group["Properties"]["RetentionInDays"] == 30
    assert log_group["DeletionPolicy"] == "Delete"
