"""Faults of HAProxies and their tasks: killed, stopped, lost with their host, replaced."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import layout
from lab.containers import container as containers
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.faults.network import silence
from lab.faults.nodes import ENDPOINT, replica
from lab.faults.resync import resync_paused
from lab.observe import client_view as view
from lab.observe.ecs import describe_tasks
from lab.observe.haproxies import measure_usage
from lab.wait import wait_until
from nodeway_runtime.aws.ecs import find_address
from nodeway_runtime.paths.verdicts import Verdict

SECONDS = 20
START_SECONDS = 30
RESTARTABLE_SECONDS = 90
"""ECS starts a container again in its task only after it has run for a minute."""


@contextmanager
def dead_proxy(world: World) -> Iterator[ExpectedVerdicts]:
    """A HAProxy is lost with its host; ECS replaces it elsewhere, but the resync is down and the record stays."""
    product, name = Product(), replica(world, "0001").hostname
    with resync_paused(product):
        for address in product.records()[name]:
            lose_task(world.run_dir, address)
        yield expect_dead_proxy(world, name)


@contextmanager
def silent_proxy(world: World) -> Iterator[ExpectedVerdicts]:
    """A HAProxy's host falls silent, as it does behind a security group that forgot the clients; ECS sees nothing."""
    product, name = Product(), replica(world, "0002").hostname
    with silence(*product.records()[name]):
        yield expect_dead_proxy(world, name)


def expect_dead_proxy(world: World, name: str) -> ExpectedVerdicts:
    """Waits until clients get no answer at the addresses of a name; gives what the probe must report then."""
    view.wait_for_handshake(world, name, result=view.SILENT, timeout_seconds=SECONDS)
    return expect_verdicts(name, verdicts=(Verdict.DEAD_PROXY,), beside=ENDPOINT)


def haproxy_at(run_dir: Path, address: str) -> containers.RunningContainer:
    """The running HAProxy with this address; raises LabError when there is none."""
    for container in containers.running(run_dir):
        if container.address == address:
            return container
    msg = f"no HAProxy has the address {address}"
    raise LabError(msg)


def kill_haproxy(run_dir: Path, address: str) -> None:
    """Sends SIGKILL to the HAProxy with this address, from outside of its container; LabError when there is none.

    ECS starts it again in place when it has run for long enough (`restarts_in_place`), else replaces its task.
    """
    os.kill(haproxy_at(run_dir, address).pid, signal.SIGKILL)


def restarts_in_place(run_dir: Path, address: str) -> bool:
    """Whether ECS would start the HAProxy with this address again in its task if it died now."""
    restarts_from = haproxy_at(run_dir, address).restarts_from
    return restarts_from is not None and time.monotonic() >= restarts_from


def wait_until_restartable(run_dir: Path, address: str) -> None:
    """Waits until the HAProxy with this address restarts in its task when it dies; raises LabError."""
    wait_until(
        lambda: restarts_in_place(run_dir, address),
        timeout_seconds=RESTARTABLE_SECONDS,
        what=f"the HAProxy at {address} to be old enough for a restart in its task",
    )


def lose_task(run_dir: Path, address: str) -> None:
    """Removes the host of the task with this address, and its network with it: ECS replaces the task elsewhere."""
    containers.lose(run_dir, haproxy_at(run_dir, address))


def stop_task(product: Product, address: str) -> None:
    """Stops the task with this address through ECS: its service starts another elsewhere. Raises LabError."""
    ecs, cluster = client("ecs"), product.outputs["EcsCluster"]
    for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster):
        for task in describe_tasks(product, page["taskArns"]):
            if find_address(task) == address:  # type: ignore[arg-type]  # a task as boto3 gives it
                ecs.stop_task(cluster=cluster, task=task["taskArn"], reason="lab: fault")
                return
    raise LabError(f"no task has the address {address}")


def run_task(cluster: str, definition: str, **options: Any) -> tuple[str, str]:
    """Starts one Fargate task in the first proxy subnet and waits until it runs; gives its ARN and its address.

    `options` are further arguments of ECS's RunTask. Raises LabError.
    """
    ecs = client("ecs")
    subnets = [layout.PROXY_SUBNETS[0].subnet_id]
    started = ecs.run_task(
        cluster=cluster,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "DISABLED"}
        },
        **options,
    )
    arn = str(started["tasks"][0]["taskArn"])

    def address() -> str | None:
        (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
        return find_address(task) if task["lastStatus"] == "RUNNING" else None

    what = f"a task of {definition} to run"
    return arn, str(wait_until(address, timeout_seconds=START_SECONDS, what=what))


def busiest(world: World, among: tuple[str, ...]) -> str:
    """The address whose HAProxy has the most sessions now."""
    return max(among, key=lambda address: measure_usage(world.run_dir, {address}).sessions)


def addresses_of(product: Product, name: str, *, count: int) -> tuple[str, ...]:
    """The addresses that a node's name has now; raises LabError unless there are `count`."""
    found = product.records()[name]
    if len(found) != count:
        raise LabError(f"{name} has {len(found)} HAProxies; this fault needs {count}")
    return found


def wait_until_records_left(
    product: Product, *old: str, count: int, timeout_seconds: float
) -> None:
    """Waits until no record leads to the `old` addresses and each node's name has `count` others; LabError."""

    def replaced() -> bool:
        records = product.records()
        used = {address for values in records.values() for address in values}
        return not used & set(old) and all(
            len(values) == count
            for name, values in records.items()
            if name != layout.CONFIGURATION_ENDPOINT
        )

    wait_until(
        replaced,
        timeout_seconds=timeout_seconds,
        what=f"the records to have left {', '.join(old)}",
    )
