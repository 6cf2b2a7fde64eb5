"""A second cluster with a zone of its own: one real node with all slots, and a real HAProxy before it.

It has the users of the lab's own cluster, as two clusters with one user group.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import redis

from lab import layout
from lab.cluster import certificates
from lab.cluster import node as valkey
from lab.cluster.membership import SLOTS
from lab.cluster.node import Node, ask
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.faults.haproxies import lose_task, run_task
from lab.faults.nodes import replica
from lab.faults.records import redirect_record
from lab.host import network
from lab.observe import client_view as view
from lab.observe import ecs as fleet
from lab.observe.steady_state import control
from lab.wait import wait_until
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
"""Its addresses are far from those of the lab's own nodes."""
ECS_CLUSTER = "other"


def clusters_mixed(world: World) -> AbstractContextManager[ExpectedVerdicts]:
    """A node's record leads to a HAProxy of another cluster: its certificate says so."""
    return _mixed(world, f"*.{ZONE}")


def clusters_mixed_by_identity(world: World) -> AbstractContextManager[ExpectedVerdicts]:
    """The same, and the certificate there fits both zones: only what the node says of itself tells."""
    return _mixed(world, f"*.{ZONE}", f"*.{layout.ZONE}")


@contextmanager
def _mixed(world: World, *names: str) -> Iterator[ExpectedVerdicts]:
    product, name = Product(), replica(world, "0001").hostname
    certificates.issue(world.run_dir, NODE.certificate, *names)
    with node(world), proxy(world, product) as address, redirect_record(product, name, address):
        yield expect_verdicts(name, verdicts=(Verdict.CLUSTERS_MIXED,))


@contextmanager
def node(world: World) -> Iterator[None]:
    """The other cluster's node runs and has all slots."""
    server = world.cluster.state.server
    placed = replace(NODE, internal=NODE.address) if server.tls else NODE
    with extra_node(world, placed) as started:

        def formed() -> bool:
            try:
                with control(world, started) as connection:
                    info = str(ask(connection, "CLUSTER", "INFO"))
                    if "cluster_slots_assigned:0" in info:
                        ask(connection, "CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
                    return "cluster_state:ok" in info
            except redis.RedisError:
                return False

        wait_until(formed, timeout_seconds=SECONDS, what="the other cluster")
        yield


@contextmanager
def extra_node(world: World, node: Node) -> Iterator[Node]:
    """A node beside the lab's own cluster; gives it with its process ids, and removes it after the block."""
    server, password = world.cluster.state.server, view.password(world)
    started = replace(node, pids=valkey.start(node, server, world.run_dir, password))
    try:
        yield started
    finally:
        valkey.kill(started)
        shutil.rmtree(world.run_dir / "nodes" / node.name)
        for address in {node.address, node.internal}:
            network.remove_cache_address(address)


@contextmanager
def proxy(world: World, product: Product) -> Iterator[str]:
    """The other cluster's HAProxy runs, of the product's own task definition; gives its address."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName=ECS_CLUSTER)
    own = next(iter(fleet.services(product).values())).definition
    described = ecs.describe_task_definition(taskDefinition=own)["taskDefinition"]
    environment = {"NODE_HOSTNAME": NODE.hostname, "NODE_BACKEND": NODE.address}
    override = {
        "name": described["containerDefinitions"][0]["name"],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
    }
    task, address = run_task(ECS_CLUSTER, own, overrides={"containerOverrides": [override]})

    def answers() -> bool:
        try:
            return f"*.{ZONE}" in view.certificate_names(world, address)
        except OSError:
            return False

    def stopped() -> bool:
        (found,) = ecs.describe_tasks(cluster=ECS_CLUSTER, tasks=[task])["tasks"]
        return bool(found["lastStatus"] == "STOPPED")

    try:
        wait_until(
            lambda: view.from_client(answers),
            timeout_seconds=SECONDS,
            what=f"{NODE.hostname} to answer through its HAProxy",
        )
        yield address
    finally:
        # stopped by ECS it would drain for a minute, and it has no clients
        lose_task(world.run_dir, address)
        wait_until(stopped, timeout_seconds=SECONDS, what="the other HAProxy to be gone")
        ecs.delete_cluster(cluster=ECS_CLUSTER)
