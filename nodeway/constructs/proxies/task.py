"""A proxy's task, and the HAProxy's: one definition, whether a service runs it for its node or resync as a stand-in.

Level 1 constructs and plain values, as a cluster may have 500 of them: level 2 ones make a synth take twice as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.constructs.nag import acknowledge
from nodeway.haproxy.render import ProxySpec
from nodeway_runtime.aws.ecs import CONTAINER

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
    """What a HAProxy runs: the shell's command, and the configuration. Texts, or references to texts in the
    template.
    """

    start: str
    configuration: str


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What the task definitions of one fleet have in common. `cpu` in CPU units, `memory_mib` in MiB."""

    cpu: int
    memory_mib: int
    region: str
    log_group_name: str
    execution_role_arn: str
    task_role_arn: str


@dataclass(frozen=True, slots=True)
class HaproxyTasks:
    """What the task definitions of one fleet of HAProxies have in common: `task`, and what runs in it."""

    task: TaskSettings
    cluster: str
    """The label of the cluster, which the log lines name."""
    image: str
    spec: ProxySpec
    program: Program


def haproxy_task(
    scope: Construct,
    construct_id: str,
    *,
    haproxies: HaproxyTasks,
    node: str,
    family: str,
    stream_prefix: str,
    tags: Mapping[str, str],
) -> Definition:
    """The task definition of a HAProxy for the node of this host name."""
    variables = {"CLUSTER": haproxies.cluster, "NODE_HOSTNAME": node, "NODE_BACKEND": node}
    task = proxy_task(
        scope,
        construct_id,
        settings=haproxies.task,
        container=haproxy_container(haproxies.image, haproxies.spec, haproxies.program, variables),
        family=family,
        stream_prefix=stream_prefix,
        tags=tags,
    )
    acknowledge(task, "ECS2", PLAIN_VARIABLES)
    return task


def haproxy_container(
    image: str, spec: ProxySpec, program: Program, variables: Mapping[str, str]
) -> dict[str, Any]:
    """The container of any HAProxy, as ECS' API has it; `variables` say whose it is."""
    variables = {"HAPROXY_CFG": program.configuration, **variables}
    return {
        "name": CONTAINER,
        "image": image,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [program.start],
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "user": "haproxy",
        "portMappings": [{"containerPort": spec.port, "protocol": "tcp"}],
        "ulimits": open_files_limit(spec.open_files),
        "healthCheck": HEALTH_CHECK,
    }


def open_files_limit(files: int) -> list[dict[str, Any]]:
    """The limit of a container's file descriptors."""
    return [{"name": "nofile", "softLimit": files, "hardLimit": files}]


def proxy_task(
    scope: Construct,
    construct_id: str,
    *,
    settings: TaskSettings,
    container: Mapping[str, Any],
    family: str,
    stream_prefix: str,
    tags: Mapping[str, str],
) -> Definition:
    """The task definition of any proxy. `container` is as ECS' API has it, without what all proxies share.

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
                "awslogs-group": settings.log_group_name,
                "awslogs-region": settings.region,
                "awslogs-stream-prefix": stream_prefix,
            },
        },
    }
    return Definition(
        scope,
        construct_id,
        family=family,
        cpu=str(settings.cpu),
        memory=str(settings.memory_mib),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform=Definition.RuntimePlatformProperty(
            cpu_architecture="X86_64", operating_system_family="LINUX"
        ),
        execution_role_arn=settings.execution_role_arn,
        task_role_arn=settings.task_role_arn,
        container_definitions=[{**shared, **container}],
        tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
    )
