"""A proxy's task, and the HAProxy's: one definition, whether a service runs it for its node or resync as a stand-in.

Level 1 constructs and plain values, as a cluster may have 500 of them: level 2 ones make a synth take twice as long.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.constructs.nag import acknowledge
from nodeway.haproxy.render import ProxySpec
from nodeway_runtime.aws.ecs import CONTAINER

if TYPE_CHECKING:
    from nodeway.constructs.proxies.fleet import FleetStack
    from nodeway.constructs.proxies.haproxy import HaproxyStack

STOP_TIMEOUT_SECONDS = 120
"""Before SIGKILL; Fargate takes 2 to 120: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
HEALTH_CHECK = {
    "command": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8405/live || exit 1"],
    "interval": 5,
    "timeout": 2,
    "retries": 3,
    "startPeriod": 5,
}
"""Says that HAProxy lives, never that the node does: ECS must not replace proxies because a node is down. Seconds."""
RESTART_POLICY = {"enabled": True, "restartAttemptPeriod": 60}
"""A proxy that dies is started again in its task, at the same address, so that no record has to change; ECS would
else replace the task. One that ran for less than the period (seconds, the least that ECS takes) is not: its task stops,
and the service replaces it (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html).
No exit code is ignored: ECS never restarts what it stops itself, and any other end, with 0 too, is an outage."""
PLAIN_VARIABLES = (
    "the variables are the public configuration text and the node's name; nothing is secret"
)

Definition = ecs.CfnTaskDefinition


@dataclass(frozen=True, slots=True)
class Program:
    """What a HAProxy runs: the shell's command, and the configuration. Texts, or where a template has them."""

    start: str
    configuration: str


def haproxy_task(
    scope: Construct,
    construct_id: str,
    *,
    fleet: "HaproxyStack",
    node: str,
    stream_prefix: str,
    program: Program,
    tags: dict[str, str],
) -> Definition:
    """The task definition of a HAProxy for the node of this name; its health is HAProxy's, never the node's."""
    variables = {"CLUSTER": fleet.label, "NODE_HOSTNAME": node, "NODE_BACKEND": node}
    task = proxy_task(
        scope,
        construct_id,
        fleet=fleet,
        container=haproxy_container(fleet.config.image, fleet.spec, program, variables),
        stream_prefix=stream_prefix,
        tags=tags,
    )
    acknowledge(task, "ECS2", PLAIN_VARIABLES)
    return task


def haproxy_container(
    image: str, spec: ProxySpec, program: Program, variables: dict[str, str]
) -> dict[str, Any]:
    """The container of any HAProxy; `variables` say whose it is."""
    variables = {"HAPROXY_CFG": program.configuration, **variables}
    return {
        "name": CONTAINER,
        "image": image,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [program.start],
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "user": "haproxy",
        "portMappings": [{"containerPort": spec.port, "protocol": "tcp"}],
        "ulimits": open_files(spec.open_files),
        "healthCheck": HEALTH_CHECK,
    }


def open_files(files: int) -> list[dict[str, Any]]:
    """The limit of a container's file descriptors."""
    return [{"name": "nofile", "softLimit": files, "hardLimit": files}]


def proxy_task(
    scope: Construct,
    construct_id: str,
    *,
    fleet: "FleetStack",
    container: dict[str, Any],
    stream_prefix: str,
    tags: dict[str, str],
) -> Definition:
    """The task definition of a fleet's proxy, whichever it is: `container` as ECS' API has it, but for what all share.

    Read-only, without a capability, started again when it dies, with its output in the fleet's log group.
    """
    shared = {
        "essential": True,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "stopTimeout": STOP_TIMEOUT_SECONDS,
        "restartPolicy": RESTART_POLICY,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": fleet.log_group_name,
                "awslogs-region": fleet.config.region,
                "awslogs-stream-prefix": stream_prefix,
            },
        },
    }
    return Definition(
        scope,
        construct_id,
        family=f"{cdk.Stack.of(scope).stack_name}-{stream_prefix}",
        cpu=str(fleet.config.cpu),
        memory=str(fleet.config.memory),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform=Definition.RuntimePlatformProperty(
            cpu_architecture="X86_64", operating_system_family="LINUX"
        ),
        execution_role_arn=fleet.execution_role_arn,
        task_role_arn=fleet.task_role_arn,
        container_definitions=[{**shared, **container}],
        tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
    )
