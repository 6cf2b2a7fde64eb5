"""The design that does not work: one HAProxy for the configuration endpoint.

It is made by hand through the AWS API, of the product's own HAProxy configuration; the product is not deployed yet.
"""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab import layout
from lab.deployment.product import client
from lab.deployment.record_sets import record_set, records_in_zone
from lab.deployment.world import World
from lab.faults.haproxies import run_task
from lab.wait import wait_until
from nodeway.config.model import EnvironmentConfig
from nodeway.haproxy.render import START_COMMAND, HaproxySpec, render

NAME = "single"
MEMORY_MIB = 512


@contextmanager
def proxy(world: World) -> Iterator[str]:
    """A single HAProxy to which the client resolves the configuration endpoint; yields its address."""
    ecs, route53 = client("ecs"), client("route53")
    ecs.create_cluster(clusterName=NAME)
    register_task_definition(ecs)
    task, address = run_task(NAME, NAME)
    vpc = {"VPCId": layout.CLIENT_VPC.vpc_id, "VPCRegion": layout.REGION}
    zone = route53.create_hosted_zone(
        Name=layout.CONFIGURATION_ENDPOINT, CallerReference=uuid.uuid4().hex, VPC=vpc
    )
    zone_id = zone["HostedZone"]["Id"]
    record = record_set(layout.CONFIGURATION_ENDPOINT, address, ttl=1)
    try:
        with records_in_zone(zone_id, record):
            wait_for_look_up(world, address, expected=True)
            yield address
    finally:
        route53.delete_hosted_zone(Id=zone_id)
        ecs.stop_task(cluster=NAME, task=task)
        wait_for_look_up(world, address, expected=False)


def register_task_definition(ecs: Any) -> None:
    """A HAProxy with the product's own configuration, for the configuration endpoint."""
    spec = HaproxySpec(
        (str(layout.CLIENT_VPC.cidr),), layout.PORT, MEMORY_MIB, grace_seconds=1, drain_seconds=1
    )
    environment = {
        "HAPROXY_CFG": render(spec),
        "NODE_HOSTNAME": layout.CONFIGURATION_ENDPOINT,
        "NODE_BACKEND": layout.CONFIGURATION_ENDPOINT,
    }
    ecs.register_task_definition(
        family=NAME,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory=str(MEMORY_MIB),
        containerDefinitions=[
            {
                "name": "haproxy",
                "image": EnvironmentConfig.model_fields["image"].default,
                "entryPoint": ["/bin/sh", "-c"],
                "command": [START_COMMAND],
                "environment": [
                    {"name": name, "value": value} for name, value in environment.items()
                ],
                "ulimits": [
                    {"name": "nofile", "softLimit": spec.open_files, "hardLimit": spec.open_files}
                ],
            }
        ],
    )


def wait_for_look_up(world: World, address: str, *, expected: bool) -> None:
    """Wait until the client's look-up of the configuration endpoint gives this address, or no longer does."""
    look_up = f"import socket; print(socket.gethostbyname({layout.CONFIGURATION_ENDPOINT!r}))"

    def as_expected() -> bool:
        return (
            address in world.client([sys.executable, "-c", look_up], check=False).stdout.split()
        ) == expected

    wait_until(
        as_expected, timeout_seconds=90, what=f"the client's name look-up to change ({address})"
    )
