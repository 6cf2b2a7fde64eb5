"""What the harness does with the nodes themselves, over the lab's own connections: empty them, count, look at keys."""

import json

import redis

from lab.cluster import node as valkey
from lab.cluster.node import ask
from lab.deployment.world import World


def connection(world: World, name: str) -> redis.Redis:
    """To a node, by its address."""
    password = json.loads((world.run_dir / "credentials.json").read_text())["password"]
    return valkey.connect(world.cluster.state.node(name), world.run_dir, password)


def empty(world: World) -> None:
    """No key and no script is left of the client before. Raises redis.RedisError."""
    primaries = set(world.cluster.primaries().values())
    for node in world.cluster.nodes:
        node_itself = connection(world, node.name)
        ask(node_itself, "SCRIPT", "FLUSH")
        if node.name in primaries:
            ask(node_itself, "FLUSHALL")


def keys(node: redis.Redis) -> list[str]:
    """All keys of a node. Raises redis.RedisError."""
    return [str(key) for key in node.scan_iter(count=1000)]


def asks(node: redis.Redis) -> int:
    """How often a node has answered ASK. Raises redis.RedisError."""
    told = node.info("errorstats").get("errorstat_ASK", {})
    return int(told.get("count", 0))


def arriving(node: redis.Redis, names: list[str]) -> list[str | None]:
    """The values of keys in slots that are on their way to this node. Raises redis.RedisError."""
    with node.pipeline(transaction=False) as pipe:
        for name in names:
            # for the one command that follows it
            pipe.execute_command("ASKING")  # type: ignore[no-untyped-call]
            pipe.get(name)
        return list(pipe.execute()[1::2])
