"""Whether the whole world is well, as every fault must leave it. It must never call well what it did not ask."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import redis
from botocore.exceptions import ClientError

from lab import layout
from lab.cluster import node as valkey
from lab.cluster.membership import Member, by_name
from lab.cluster.node import Node, ask
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.observe import client_view as view
from lab.wait import wait_until
from nodeway.client.slots import tags

BUSY = ("TooManyRequestsException", "ThrottlingException")
WELL_SECONDS = 90
"""A lost task's replacement must be started, found healthy, and in the records."""


def wait_until_well(
    world: World, product: Product, *, timeout_seconds: float = WELL_SECONDS
) -> None:
    """Waits until nothing is wrong any more; raises LabError with what still is."""
    resynced(product, timeout_seconds)
    last = ["nobody has asked"]

    def well() -> bool:
        last[0] = trouble(world, product)
        return not last[0]

    try:
        wait_until(well, timeout_seconds=timeout_seconds, what="the lab to be well")
    except LabError as error:
        raise LabError(f"{error}: {last[0]}") from None


def resynced(product: Product, timeout_seconds: float) -> None:
    """Waits until a run of the resync has found everything right; raises LabError."""

    def right() -> bool:
        try:
            return bool(product.resync()["outcome"] == "unchanged")
        except ClientError as error:
            if error.response["Error"]["Code"] not in BUSY:  # an event's own run
                raise
            return False

    wait_until(right, timeout_seconds=timeout_seconds, what="the resync to find everything right")


def trouble(world: World, product: Product) -> str:
    """What is wrong in this world, or nothing: records, names, certificates, identities, and a write to each shard."""
    records = product.records()
    if wrong := wrong_record(world, product, records):
        return wrong
    known = {f"{name}.{layout.ZONE}": member for name, member in members(world).items()}
    names = [*(node.hostname for node in world.cluster.nodes), layout.CONFIGURATION_ENDPOINT]

    def walk(name: str) -> str:
        try:
            return walked(world, name, records[name], known)
        except redis.RedisError as error:
            return f"{name}: {error}"

    def walk_all() -> list[str]:
        with ThreadPoolExecutor(max_workers=len(names)) as threads:
            return list(threads.map(walk, names))

    return "; ".join(filter(None, view.from_client(walk_all)))


def walked(world: World, name: str, record: tuple[str, ...], known: Mapping[str, Member]) -> str:
    """What is wrong on the way to a name, for a caller in the client's network; raises redis.RedisError."""
    if (found := view.addresses(name)) != tuple(sorted(record)):
        return f"{name} is {found} for the client, and {record} in the zone"
    with view.connection(world, name) as node:
        if name == layout.CONFIGURATION_ENDPOINT:
            return "" if ask(node, "PING") else f"{name} does not answer"
        if (member := known.get(name)) is None or ask(node, "CLUSTER", "MYID") != member.node_id:
            return f"another node than {name} answers there"
        if "cluster_state:ok" not in str(ask(node, "CLUSTER", "INFO")):
            return f"{name} does not call the cluster well"
        if (places := announced(node)) != known.keys():
            return f"{name} announces {sorted(places)}"
        if member.slots:
            ask(node, "SET", f"well:{{{tags()[member.slots[0][0]]}}}", "yes")
    return ""


def announced(node: redis.Redis) -> set[str]:
    """Where a node sends its clients, as CLUSTER SLOTS says it; raises redis.RedisError."""
    shards = ask(node, "CLUSTER", "SLOTS")
    return {str(member[0]) for _first, _last, *members in shards for member in members}


def members(world: World) -> dict[str, Member]:
    """The cluster's members by name, as the first node that answers the lab's own control knows them; LabError."""
    for node in world.cluster.nodes:
        try:
            with control(world, node) as connection:
                return by_name(connection)
        except redis.RedisError:
            continue
    raise LabError("no node of the cluster answers; see logs/ in the run directory")


def control(world: World, node: Node, **options: Any) -> redis.Redis:
    """The lab's own connection to a node; options are those of `valkey.connect`."""
    return valkey.connect(node, world.run_dir, view.password(world), **options)


def wrong_record(world: World, product: Product, records: Mapping[str, tuple[str, ...]]) -> str:
    """What is wrong with the records: each node's must lead to its own healthy HAProxies, and to nothing else."""
    healthy: dict[str, set[str]] = {}
    for proxy in product.proxies():
        if proxy.healthy:
            healthy.setdefault(proxy.node, set()).add(proxy.address)
    expected = {node.hostname: healthy.get(node.hostname, set()) for node in world.cluster.nodes}
    expected[layout.CONFIGURATION_ENDPOINT] = set().union(*healthy.values())
    for name, own in expected.items():
        there = records.get(name, ())
        if not there or not set(there) <= own:
            return (
                f"{name} leads to {there or 'nothing'}, and its healthy HAProxies are {sorted(own)}"
            )
    return ""
