"""Slots that move key by key while all clients write, so that nodes answer ASK.

The slots stay open until every client has written to its keys in them, as the receiving node itself shows.
"""

from contextlib import suppress

import redis

from lab.conformance.run.background_load import BackgroundLoad
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.nodes import primary
from lab.observe.steady_state import control
from lab.wait import wait_until
from nodeway.client.slots import slot_of

KEYS_PER_CLIENT = 8
"""Keys of each client whose slots move."""
OPEN_SECONDS = 30.0
PAUSE_SECONDS = 0.5


def reshard(world: World, load: BackgroundLoad) -> None:
    """Moves slots that hold keys of every client, from the shard with the most keys to the one with the fewest.

    A client that does not write there gets a failure. Raises LabError when no node answered ASK, and RedisError.
    """
    primaries = {s: control(world, primary(world, s)) for s in world.cluster.primaries()}
    # a client that has not written to all shards by then gets its failure below
    with suppress(LabError):
        wait_until(
            lambda: all(
                {_owner(key, load) for key in _list_keys(primary)} >= set(load.names())
                for primary in primaries.values()
            ),
            timeout_seconds=OPEN_SECONDS,
            what="keys of every client in every shard",
            pause_seconds=PAUSE_SECONDS,
        )
    keys = {shard: _list_keys(primary) for shard, primary in primaries.items()}
    target, *_, source = sorted(keys, key=lambda shard: len(keys[shard]))
    moving = choose_keys(keys[source], load, source)
    slots = {slot_of(_tag(key)) for own in moving.values() for key in own}
    before = _count_asks(primaries[source])
    world.cluster.move_by_hand(
        slots,
        (source, target),
        while_open=lambda: _wait_until_written(primaries[target], moving, load),
    )
    if _count_asks(primaries[source]) == before:
        raise LabError("slots moved key by key, and no client was told ASK")


def choose_keys(keys: list[str], load: BackgroundLoad, shard: str) -> dict[str, list[str]]:
    """Some keys of each client, spread over the shard's; a client that has none there gets a failure."""
    chosen = {}
    for name in load.names():
        own = sorted(key for key in keys if _owner(key, load) == name)
        chosen[name] = own[:: max(1, len(own) // KEYS_PER_CLIENT)][:KEYS_PER_CLIENT]
        if not own:
            load.add_failure(name, f"none of its keys is in shard {shard}")
    return chosen


def _owner(key: str, load: BackgroundLoad) -> str:
    """The client of a key `{tag}:client…`; of two names that fit the longer one."""
    names = [program.client.name for program in load.programs]
    rest = key.partition("}:")[2]
    return max((name for name in names if rest.startswith(name)), key=len, default="")


def _tag(key: str) -> str:
    return key.partition("{")[2].partition("}")[0]


def _wait_until_written(
    target: redis.Redis, moving: dict[str, list[str]], load: BackgroundLoad
) -> None:
    """Waits until each of these keys has a new value since its slot was opened; else its client gets a failure."""
    before = {name: _read_importing(target, keys) for name, keys in moving.items()}
    unwritten = {name: len(keys) for name, keys in moving.items() if keys}

    def is_written() -> bool:
        for name in list(unwritten):
            now = _read_importing(target, moving[name])
            unwritten[name] = sum(new == old for new, old in zip(now, before[name], strict=True))
            if not unwritten[name]:
                del unwritten[name]
        return not unwritten

    with suppress(LabError):
        wait_until(
            is_written, timeout_seconds=OPEN_SECONDS, what="writes", pause_seconds=PAUSE_SECONDS
        )
    for name, count in unwritten.items():
        total = len(moving[name])
        load.add_failure(
            name,
            f"in {OPEN_SECONDS:g} s it wrote to {total - count} of {total} keys that move",
        )


def _list_keys(node: redis.Redis) -> list[str]:
    """All keys of a node. Raises redis.RedisError."""
    return [str(key) for key in node.scan_iter(count=1000)]


def _count_asks(node: redis.Redis) -> int:
    """How often a node has answered ASK. Raises redis.RedisError."""
    return int(node.info("errorstats").get("errorstat_ASK", {}).get("count", 0))


def _read_importing(node: redis.Redis, keys: list[str]) -> list[str | None]:
    """The values of keys in slots that this node is importing. Raises redis.RedisError."""
    with node.pipeline(transaction=False) as pipe:
        for key in keys:
            # holds for the one command that follows
            pipe.execute_command("ASKING")  # type: ignore[no-untyped-call]
            pipe.get(key)
        return list(pipe.execute()[1::2])
