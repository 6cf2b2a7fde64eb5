"""The HAProxy task: one definition, whether a service runs it for its node or resync runs it as a stand-in."""

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from haproxy_templates.render import START_COMMAND, HaproxySpec, render
from resync.ecs import CONTAINER
from stacks.config import EnvironmentConfig
from stacks.review import acknowledge

if TYPE_CHECKING:
    from stacks.haproxy import HaproxyStack

STOP_TIMEOUT_SECONDS = 120
"""Before SIGKILL; Fargate takes 2 to 120: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""


def haproxy_task(
    scope: Construct,
    *,
    fleet: "HaproxyStack",
    environment: EnvironmentConfig,
    spec: HaproxySpec,
    node: str,
    stream_prefix: str,
) -> ecs.FargateTaskDefinition:
    """The task definition of a HAProxy for the node of this name.

    Read-only, not root, without a capability and without a secret; its health is HAProxy's, never the node's.
    """
    task = ecs.FargateTaskDefinition(
        scope,
        "Task",
        cpu=environment.cpu,
        memory_limit_mib=environment.memory,
        execution_role=fleet.execution_role.without_policy_updates(),
        task_role=fleet.task_role.without_policy_updates(),
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.X86_64,
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    parameters = ecs.LinuxParameters(scope, "Linux")
    parameters.drop_capabilities(ecs.Capability.ALL)
    files = spec.open_files
    task.add_container(
        CONTAINER,
        image=ecs.ContainerImage.from_registry(environment.image),
        entry_point=["/bin/sh", "-c"],
        command=[START_COMMAND],
        environment={"HAPROXY_CFG": render(spec), "NODE_HOSTNAME": node, "NODE_BACKEND": node},
        readonly_root_filesystem=True,
        user="haproxy",
        linux_parameters=parameters,
        port_mappings=[ecs.PortMapping(container_port=spec.port)],
        ulimits=[ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=files, hard_limit=files)],
        # says that HAProxy lives, never that the node does: ECS must not replace proxies because a node is down
        health_check=ecs.HealthCheck(
            command=["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8405/live || exit 1"],
            interval=cdk.Duration.seconds(5),
            timeout=cdk.Duration.seconds(2),
            retries=3,
            start_period=cdk.Duration.seconds(5),
        ),
        stop_timeout=cdk.Duration.seconds(STOP_TIMEOUT_SECONDS),
        logging=ecs.LogDrivers.aws_logs(stream_prefix=stream_prefix, log_group=fleet.log_group),
    )
    reason = (
        "the variables are the public configuration text and the node's name; nothing is secret"
    )
    acknowledge(task, "ECS2", reason)
    return task
