"""Whether the lab is in its steady state, as every fault must leave it: every name leads to its own working node."""

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
from nodeway.client.slots import hash_tags

BUSY = ("TooManyRequestsException", "ThrottlingException")
STEADY_SECONDS = 90
"""A lost task's replacement must be started, found healthy, and in the records."""


def wait_until_steady(world: World, product: Product) -> None:
    """Waits until nothing is wrong any more; raises LabError with what still is."""
    wait_until_unchanged(product)
    last = [""]

    def steady() -> bool:
        last[0] = describe_trouble(world, product)
        return not last[0]

    try:
        wait_until(steady, timeout_seconds=STEADY_SECONDS, what="the lab's steady state")
    except LabError as error:
        raise LabError(f"{error}: {last[0]}") from None


def wait_until_unchanged(product: Product) -> None:
    """Runs the resync until a run changes nothing; raises LabError."""

    def unchanged() -> bool:
        try:
            return bool(product.resync()["outcome"] == "unchanged")
        except ClientError as error:
            # the run of an event has the function's only concurrency
            if error.response["Error"]["Code"] not in BUSY:
                raise
            return False

    what = "a run of the resync that changes nothing"
    wait_until(unchanged, timeout_seconds=STEADY_SECONDS, what=what)


def describe_trouble(world: World, product: Product) -> str:
    """What is wrong with records, names, certificates, identities, or a write to a shard; nothing in a steady state."""
    records = product.records()
    if wrong := describe_wrong_record(world, product, records):
        return wrong
    known = {f"{name}.{layout.ZONE}": member for name, member in members(world).items()}
    names = [*(node.hostname for node in world.cluster.nodes), layout.CONFIGURATION_ENDPOINT]

    def check(name: str) -> str:
        try:
            return describe_wrong_path(world, name, records[name], known)
        except redis.RedisError as error:
            return f"{name}: {error}"

    def check_all() -> list[str]:
        with ThreadPoolExecutor(max_workers=len(names)) as threads:
            return list(threads.map(check, names))

    return "; ".join(filter(None, view.from_client(check_all)))


def describe_wrong_path(
    world: World, name: str, record: tuple[str, ...], known: Mapping[str, Member]
) -> str:
    """What is wrong on the path to a name, for a caller in the client's network; raises redis.RedisError."""
    if (found := view.addresses(name)) != tuple(sorted(record)):
        return f"{name} is {found} for the client, and {record} in the zone"
    with view.connection(world, name) as node:
        if name == layout.CONFIGURATION_ENDPOINT:
            return "" if ask(node, "PING") else f"{name} does not answer"
        if (member := known.get(name)) is None or ask(node, "CLUSTER", "MYID") != member.node_id:
            return f"another node than {name} answers there"
        if "cluster_state:ok" not in str(ask(node, "CLUSTER", "INFO")):
            return f"the cluster is not ok for {name}"
        if (places := announced(node)) != known.keys():
            return f"{name} announces {sorted(places)}"
        if member.slots:
            ask(node, "SET", f"well:{{{hash_tags()[member.slots[0][0]]}}}", "yes")
    return ""


def announced(node: redis.Redis) -> set[str]:
    """The hosts that a node announces to its clients in CLUSTER SLOTS; raises redis.RedisError."""
    shards = ask(node, "CLUSTER", "SLOTS")
    return {str(member[0]) for _first, _last, *members in shards for member in members}


def members(world: World) -> dict[str, Member]:
    """The cluster's members by name, from the first node that answers; raises LabError when none does."""
    for node in world.cluster.nodes:
        try:
            with control(world, node) as connection:
                return by_name(connection)
        except redis.RedisError:
            continue
    raise LabError("no node of the cluster answers; see logs/ in the run directory")


def control(world: World, node: Node, **options: Any) -> redis.Redis:
    """The lab's own connection to a node, without DNS and HAProxy; options are those of `valkey.connect`."""
    return valkey.connect(node, world.run_dir, view.password(world), **options)


def describe_wrong_record(
    world: World, product: Product, records: Mapping[str, tuple[str, ...]]
) -> str:
    """The first record that does not lead to healthy HAProxies of its own node only, or nothing."""
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
