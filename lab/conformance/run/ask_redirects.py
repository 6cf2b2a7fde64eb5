"""Slots that move key by key while all clients write: a client that asks for a key that has moved is told ASK.

The slots stay open until every client has written to its keys in them, which the receiving node itself shows: no
client's word is taken for it. It must never end well when no node said ASK.
"""

from contextlib import suppress

import redis

from lab.conformance.run import nodes
from lab.conformance.run.writers import Crowd
from lab.deployment.world import World
from lab.errors import LabError
from lab.wait import wait_until
from nodeway.client.slots import slot_of

KEYS_OF_EACH = 8
"""Keys of each client whose slots move."""
OPEN_SECONDS = 30.0
LOOK_SECONDS = 0.5


def reshard(world: World, crowd: Crowd) -> None:
    """Moves slots that hold keys of every client; who did not write there is to blame. Raises LabError, RedisError.

    They go from the shard with the most keys to the one with the fewest: the clients of the way before took the same.
    """
    primaries = {s: nodes.connection(world, name) for s, name in world.cluster.primaries().items()}
    # whoever began last has written to all shards by then; who has not is blamed below
    with suppress(LabError):
        wait_until(
            lambda: all(
                {_writer(key, crowd) for key in nodes.keys(primary)} >= set(crowd.names())
                for primary in primaries.values()
            ),
            timeout_seconds=OPEN_SECONDS,
            what="keys of every client in every shard",
            pause_seconds=LOOK_SECONDS,
        )
    keys = {shard: nodes.keys(primary) for shard, primary in primaries.items()}
    *_, giver = by_number = sorted(keys, key=lambda shard: len(keys[shard]))
    taker = by_number[0]
    moving = moving_keys(keys[giver], crowd, giver)
    slots = {slot_of(_tag(key)) for own in moving.values() for key in own}
    asked = nodes.asks(primaries[giver])
    world.cluster.move_by_hand(
        slots,
        (giver, taker),
        while_open=lambda: _until_written(primaries[taker], moving, crowd),
    )
    if nodes.asks(primaries[giver]) == asked:
        msg = "slots moved key by key, and no client was told ASK"
        raise LabError(msg)


def moving_keys(keys: list[str], crowd: Crowd, shard: str) -> dict[str, list[str]]:
    """Some keys of each client, spread over those that the shard has; who has none there is to blame."""
    chosen = {}
    for name in crowd.names():
        own = sorted(key for key in keys if _writer(key, crowd) == name)
        chosen[name] = own[:: max(1, len(own) // KEYS_OF_EACH)][:KEYS_OF_EACH]
        if not own:
            crowd.blame(name, f"none of its keys is in shard {shard}")
    return chosen


def _writer(key: str, crowd: Crowd) -> str:
    """Whose key it is: they begin with a hash tag, a colon, and the client's name; of two names the longer one."""
    names = [writer.client.name for writer in crowd.writers]
    rest = key.partition("}:")[2]
    return max((name for name in names if rest.startswith(name)), key=len, default="")


def _tag(key: str) -> str:
    return key.partition("{")[2].partition("}")[0]


def _until_written(target: redis.Redis, moving: dict[str, list[str]], crowd: Crowd) -> None:
    """Waits until each of these keys has another value than when its slot was opened; else its client is to blame."""
    before = {name: nodes.arriving(target, keys) for name, keys in moving.items()}
    still = {name: len(keys) for name, keys in moving.items() if keys}

    def written() -> bool:
        for name in list(still):
            now = nodes.arriving(target, moving[name])
            still[name] = sum(new == old for new, old in zip(now, before[name], strict=True))
            if not still[name]:
                del still[name]
        return not still

    try:
        wait_until(written, timeout_seconds=OPEN_SECONDS, what="writes", pause_seconds=LOOK_SECONDS)
    except LabError:
        for name, count in still.items():
            crowd.blame(
                name,
                f"in {OPEN_SECONDS:g} s it wrote to {len(moving[name]) - count} of {len(moving[name])} keys that move",
            )
