"""The task definitions of proxies, for services and for stand-ins.

They are level 1 constructs, as a cluster can have 500 of them: with level 2 constructs a synth takes twice as long.
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
"""Time before SIGKILL. Fargate allows 2 to 120:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
HEALTH_CHECK = {
    "command": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8405/live || exit 1"],
    "interval": 5,
    "timeout": 2,
    "retries": 3,
    "startPeriod": 5,
}
"""A check of HAProxy alone, not of the node: ECS must not replace proxies because a node is down. In seconds."""
RESTART_POLICY = {"enabled": True, "restartAttemptPeriod": 60}
"""A proxy that exits is restarted in its task, with the same address, so that no record changes. One that ran for less
than the period (in seconds; the minimum of ECS) is not: its task stops, and the service replaces it
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html). No exit code is excluded,
as any exit is an outage unless ECS itself stops the container, and then it does not restart it."""
PLAIN_VARIABLES = (
    "the variables are the public configuration text and the node's name; nothing is secret"
)

Definition = ecs.CfnTaskDefinition


@dataclass(frozen=True, slots=True)
class Program:
    """The shell command and the configuration of a HAProxy, as texts or as references to texts in the template."""

    start: str
    configuration: str


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """The parameters that all task definitions of a fleet share. `cpu`: CPU units of Fargate."""

    cpu: int
    memory_mib: int
    region: str
    log_group_name: str
    execution_role_arn: str
    task_role_arn: str


@dataclass(frozen=True, slots=True)
class HaproxyTasks:
    """The parameters that all task definitions of a fleet of HAProxies share.

    `cluster`: the label of the cluster, for log lines.
    """

    task: TaskSettings
    cluster: str
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
    """Creates the task definition of a HAProxy for the node with this host name."""
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
    """Returns the container of a HAProxy in the form of ECS' API, with these further environment variables."""
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
    """Returns the ulimit of a container for this number of file descriptors."""
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
    """Creates the task definition of a proxy.

    `container` has the form of ECS' API, without the settings that all proxies share: a read-only root file system, no
    capabilities, the restart policy, and the fleet's log group.
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
