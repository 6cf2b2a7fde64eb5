"""A fake AWS account for a benchmark: a cluster of any size and its HAProxies as ECS tasks.

Its data are two files, `elasticache.json` and `tasks.json`, which lab.bench.product.emulator serves.
"""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import psutil

from lab import layout
from lab.bench.product.emulator import ECS_CLUSTER
from lab.cluster.describe import availability_zone, describe
from lab.cluster.node import Node
from lab.deployment import cdk
from lab.errors import LabError
from lab.host import programs
from lab.state_files import write_json
from lab.wait import wait_until
from nodeway_runtime.aws.ecs import NODE_TAG

START_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running fake account: its process, and the environment variables with which boto3 uses this account only."""

    process: psutil.Process
    environment: dict[str, str]

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the process so far, user and kernel."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def emulator(directory: Path) -> Iterator[Emulator]:
    """Starts an account in a process of its own for the block; raises LabError with its log when it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    opener = build_opener(ProxyHandler({}))
    log = directory / "aws.log"
    with (
        log.open("wb") as output,
        programs.running(
            [sys.executable, "-m", "lab.bench.product.emulator"],
            cwd=layout.ROOT,
            env={**os.environ, "LAB_RUN_DIR": str(directory), "GATEWAY_PORT": str(port)},
            stdout=output,
            stderr=output,
        ) as process,
    ):

        def answers() -> bool:
            if process.poll() is not None:
                raise LabError(f"the emulator ended: {log.read_text(errors='replace')[-500:]}")
            try:
                with opener.open(f"{endpoint}/_ministack/health", timeout=2) as answer:
                    return bool(answer.status == HTTPStatus.OK)
            except (URLError, OSError):
                return False

        wait_until(answers, timeout_seconds=START_SECONDS, what="the emulator to answer")
        environment = cdk.environment() | {"AWS_ENDPOINT_URL": endpoint}
        yield Emulator(psutil.Process(process.pid), environment)


def node_names(nodes: int) -> list[str]:
    """Cache cluster ids of the lab's replication group: a primary and a replica a shard."""
    return [f"{layout.REPLICATION_GROUP}-{i // 2 + 1:04}-{i % 2 + 1:03}" for i in range(nodes)]


def write_cluster(directory: Path, nodes: int) -> None:
    """Writes what ElastiCache describes: the lab's replication group with so many members, all available."""
    members = [
        Node(name, shard=name.split("-")[1], address="", internal="", status="available")
        for name in node_names(nodes)
    ]
    write_json(directory / "elasticache.json", describe(members))


def write_tasks(directory: Path, nodes: int, *, replaced: int = 0) -> None:
    """Writes what ECS describes: a healthy HAProxy per node; the first `replaced` ones have new addresses."""
    tasks = [
        describe_task(name, i, generation=int(i < replaced))
        for i, name in enumerate(node_names(nodes))
    ]
    write_json(directory / "tasks.json", tasks)


def describe_task(name: str, number: int, *, generation: int) -> dict[str, Any]:
    """The running task of a node, as DescribeTasks describes it."""
    where = f"arn:aws:ecs:{layout.REGION}:{layout.ACCOUNT}"
    address = f"10.{20 + generation}.{number // 250}.{number % 250 + 4}"
    return {
        "taskArn": f"{where}:task/{ECS_CLUSTER}/{generation:08x}{number:024x}",
        "clusterArn": f"{where}:cluster/{ECS_CLUSTER}",
        "taskDefinitionArn": f"{where}:task-definition/{name}:1",
        "group": f"service:{name}",
        "availabilityZone": availability_zone(name),
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "launchType": "FARGATE",
        "attachments": [
            {
                "id": f"{number:032x}",
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": "privateIPv4Address", "value": address}],
            }
        ],
        "containers": [
            {"name": "haproxy", "lastStatus": "RUNNING", "healthStatus": "HEALTHY"},
        ],
        "tags": [{"key": NODE_TAG, "value": f"{name}.{layout.ZONE}"}],
    }
