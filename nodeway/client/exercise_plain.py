"""What a client without cluster mode does in a day, through a proxy that hides the cluster, and whether it was right.

It must never pass over a wrong result: `ok` is for all right.
"""

# mypy: disallow-untyped-calls=False
# redis-py's commands are half typed

from collections.abc import Callable
from typing import Any

import redis

from nodeway.client.slots import SLOTS, tags

BATCH = 500
TRANSACTIONS = 60


def exercise(client: redis.Redis) -> dict[str, Any]:
    """A key in each of the 16,384 slots, and the commands that such a client can use; gives figures."""
    wrong = _every_slot(client)
    commands = {name: _outcome(check, client) for name, check in COMMANDS.items()}
    right = not wrong and set(commands.values()) == {"ok"}
    return {"ok": right, "slots_covered": SLOTS - wrong, "commands": commands}


def _every_slot(client: redis.Redis) -> int:
    """Writes and reads back; gives in how many slots the key was not as written."""
    wrong = 0
    for start in range(0, SLOTS, BATCH):
        batch = tags()[start : start + BATCH]
        with client.pipeline(transaction=False) as pipe:
            for tag in batch:
                pipe.set(f"lab:plain:{{{tag}}}", tag)
            pipe.execute()
        with client.pipeline(transaction=False) as pipe:
            for tag in batch:
                pipe.get(f"lab:plain:{{{tag}}}")
            wrong += sum(got != tag for tag, got in zip(batch, pipe.execute(), strict=True))
    return wrong


def _transactions(client: redis.Redis) -> bool:
    """Each of two keys in one slot, on every node in turn."""
    for tag in tags()[:: SLOTS // TRANSACTIONS]:
        with client.pipeline(transaction=True) as pipe:
            pipe.set(f"lab:tx:{{{tag}}}", tag)
            pipe.get(f"lab:tx:{{{tag}}}")
            if pipe.execute()[1] != tag:
                return False
    return True


def _split(client: redis.Redis) -> bool:
    """Keys of all nodes in one command, which the proxy splits."""
    pairs = {f"lab:split:{{{tag}}}": tag for tag in tags()[:: SLOTS // 50]}
    return bool(client.mset(pairs)) and client.mget(list(pairs)) == list(pairs.values())


def _script(client: redis.Redis) -> bool:
    sha = client.script_load("return redis.call('GET', KEYS[1]) .. ARGV[1]")
    client.set("lab:script", "left")
    return bool(client.evalsha(sha, 1, "lab:script", "right") == "leftright")


COMMANDS: dict[str, Callable[[redis.Redis], bool]] = {
    "multi_exec": _transactions,
    "mset_mget": _split,
    "evalsha": _script,
}


def _outcome(check: Callable[[redis.Redis], bool], client: redis.Redis) -> str:
    try:
        return "ok" if check(client) else "wrong result"
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"
