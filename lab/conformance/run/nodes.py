"""The nodes themselves, over the lab's own connections: clear them, read keys, count answers."""

import json

import redis

from lab.cluster import node as valkey
from lab.cluster.node import ask
from lab.deployment.world import World


def connect(world: World, name: str) -> redis.Redis:
    """A connection to a node's own address."""
    password = json.loads((world.run_dir / "credentials.json").read_text())["password"]
    return valkey.connect(world.cluster.state.node(name), world.run_dir, password)


def clear(world: World) -> None:
    """Removes all keys and scripts, those of the client before. Raises redis.RedisError."""
    primaries = set(world.cluster.primaries().values())
    for node in world.cluster.nodes:
        connection = connect(world, node.name)
        ask(connection, "SCRIPT", "FLUSH")
        if node.name in primaries:
            ask(connection, "FLUSHALL")


def list_keys(node: redis.Redis) -> list[str]:
    """All keys of a node. Raises redis.RedisError."""
    return [str(key) for key in node.scan_iter(count=1000)]


def count_asks(node: redis.Redis) -> int:
    """How often a node has answered ASK. Raises redis.RedisError."""
    return int(node.info("errorstats").get("errorstat_ASK", {}).get("count", 0))


def read_importing(node: redis.Redis, keys: list[str]) -> list[str | None]:
    """The values of keys in slots that this node is importing. Raises redis.RedisError."""
    with node.pipeline(transaction=False) as pipe:
        for key in keys:
            # holds for the one command that follows
            pipe.execute_command("ASKING")  # type: ignore[no-untyped-call]
            pipe.get(key)
        return list(pipe.execute()[1::2])
