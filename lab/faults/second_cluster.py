"""Another cluster beside the lab's own, with its own zone: a real node, and a real HAProxy of the product's before it.

It is as small as one gets: one node with all slots. Its users are those of the lab's own: both have one user group.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import redis

from lab import layout
from lab.cluster import certificates
from lab.cluster import node as valkey
from lab.cluster.membership import SLOTS
from lab.cluster.node import Node, ask
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.faults.expectation import Expectation, expect
from lab.faults.nodes import replica
from lab.faults.records_records import leading_to
from lab.host import network
from lab.observe import client_view as view
from lab.observe import ecs as fleet
from lab.observe.steady_state import control
from lab.scenarios.basics import lose_task
from lab.wait import wait_until
from nodeway_runtime.aws.ecs import address_of
from nodeway_runtime.paths.verdicts import Verdict

ZONE = f"other.def456.{layout.ZONE.partition('.abc123.')[2]}"
SECONDS = 30
NODE = Node(
    name="other-0001-001",
    shard="0001",
    address=str(layout.CACHE_VPC.cidr[2 * 256 + 10]),
    internal=str(layout.NODE_INTERNAL[2 * 256 + 10]),
    zone=ZONE,
    certificate="other-cluster.pem",
)
"""Far from the addresses that the lab's own nodes get."""
ECS_CLUSTER = "other"


@contextmanager
def clusters_mixed(world: World) -> Iterator[Expectation]:
    """A node's record leads to a HAProxy of another cluster: its certificate says so."""
    with _mixed(world, f"*.{ZONE}") as expectation:
        yield expectation


@contextmanager
def clusters_mixed_by_identity(world: World) -> Iterator[Expectation]:
    """The same, and the certificate there fits both zones: only what the node says of itself tells."""
    with _mixed(world, f"*.{ZONE}", f"*.{layout.ZONE}") as expectation:
        yield expectation


@contextmanager
def _mixed(world: World, *names: str) -> Iterator[Expectation]:
    product, name = Product(), replica(world, "0001").hostname
    certificates.issue(world.run_dir, NODE.certificate, *names)
    with node(world), proxy(world, product) as address, leading_to(product, name, address):
        yield expect(name, verdicts=(Verdict.CLUSTERS_MIXED,))


@contextmanager
def node(world: World) -> Iterator[None]:
    """The other cluster's node runs and has all slots."""
    server = world.cluster.state.server
    placed = replace(NODE, internal=NODE.address) if server.tls else NODE
    pids = valkey.start(placed, server, world.run_dir, view.password(world))
    started = replace(placed, pids=pids)

    def formed() -> bool:
        try:
            with control(world, started) as connection:
                if "cluster_slots_assigned:0" in (said := str(ask(connection, "CLUSTER", "INFO"))):
                    ask(connection, "CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
                return "cluster_state:ok" in said
        except redis.RedisError:
            return False

    try:
        wait_until(formed, timeout_seconds=SECONDS, what="the other cluster")
        yield
    finally:
        valkey.kill(started)
        shutil.rmtree(world.run_dir / "nodes" / started.name)
        for address in {started.address, started.internal}:
            network.remove_cache_address(address)


@contextmanager
def proxy(world: World, product: Product) -> Iterator[str]:
    """The other cluster's HAProxy runs, of the product's own task definition; gives its address."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName=ECS_CLUSTER)
    task = run_task(ecs, product)

    def seen() -> dict[str, Any]:
        (told,) = ecs.describe_tasks(cluster=ECS_CLUSTER, tasks=[task])["tasks"]
        return dict(told)

    def runs() -> bool:
        return bool(seen()["lastStatus"] == "RUNNING")

    def stopped() -> bool:
        return bool(seen()["lastStatus"] == "STOPPED")

    wait_until(runs, timeout_seconds=SECONDS, what="the other HAProxy to run")
    address = str(address_of(seen()))  # type: ignore[arg-type]  # a task as boto3 gives it

    def answers() -> bool:
        try:
            return f"*.{ZONE}" in view.certificate_names(world, address)
        except OSError:
            return False

    try:
        wait_until(
            lambda: view.from_client(answers),
            timeout_seconds=SECONDS,
            what=f"{NODE.hostname} to answer through its HAProxy",
        )
        yield address
    finally:
        # it would drain for a minute, and nobody is there to be drained
        lose_task(world.run_dir, address)
        wait_until(stopped, timeout_seconds=SECONDS, what="the other HAProxy to be gone")
        ecs.delete_cluster(cluster=ECS_CLUSTER)


def run_task(ecs: Any, product: Product) -> str:
    """Starts the product's HAProxy for the other node, as its stand-ins are started; gives the task's ARN."""
    own = next(iter(fleet.services(product).values()))
    told = ecs.describe_task_definition(taskDefinition=own.definition)["taskDefinition"]
    environment = {"NODE_HOSTNAME": NODE.hostname, "NODE_BACKEND": NODE.address}
    overridden = {
        "name": told["containerDefinitions"][0]["name"],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
    }
    subnets = [layout.PROXY_SUBNETS[0].subnet_id]
    started = ecs.run_task(
        cluster=ECS_CLUSTER,
        taskDefinition=own.definition,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "DISABLED"}
        },
        overrides={"containerOverrides": [overridden]},
    )
    return str(started["tasks"][0]["taskArn"])
