"""Exercises a client without cluster mode, through a proxy that hides the cluster, with a check of each result."""

# mypy: disallow-untyped-calls=False
# redis-py's commands are half typed

from collections.abc import Callable
from typing import Any

import redis

from nodeway.client.exercise import check_script, run_checks
from nodeway.client.slots import SLOTS, hash_tags

BATCH = 500
TRANSACTIONS = 60


def exercise(client: redis.Redis) -> dict[str, Any]:
    """Uses a key in each slot and the commands that such a client has, and returns figures."""
    wrong = _every_slot(client)
    commands = run_checks(COMMANDS, client)
    right = not wrong and set(commands.values()) == {"ok"}
    return {"ok": right, "slots_covered": SLOTS - wrong, "commands": commands}


def _every_slot(client: redis.Redis) -> int:
    """Writes a key in each slot and reads it back. Returns in how many slots the key was not as written."""
    wrong = 0
    for start in range(0, SLOTS, BATCH):
        batch = hash_tags()[start : start + BATCH]
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
    """Runs a transaction in each of TRANSACTIONS slots, which are on all nodes."""
    for tag in hash_tags()[:: SLOTS // TRANSACTIONS]:
        with client.pipeline(transaction=True) as pipe:
            pipe.set(f"lab:tx:{{{tag}}}", tag)
            pipe.get(f"lab:tx:{{{tag}}}")
            if pipe.execute()[1] != tag:
                return False
    return True


def _split(client: redis.Redis) -> bool:
    """Uses keys of all nodes in one command, which the proxy splits."""
    pairs = {f"lab:split:{{{tag}}}": tag for tag in hash_tags()[:: SLOTS // 50]}
    return bool(client.mset(pairs)) and client.mget(list(pairs)) == list(pairs.values())


COMMANDS: dict[str, Callable[[redis.Redis], bool]] = {
    "multi_exec": _transactions,
    "mset_mget": _split,
    "evalsha": check_script,
}
