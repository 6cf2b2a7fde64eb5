"""Moving hash slots between shards while clients use them, as an online resharding of ElastiCache does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import redis

from lab import layout
from lab.errors import LabError
from lab.membership import Connections, by_name, members
from lab.valkey import USERNAME, Node, ask
from lab.waiting import wait_until

DEADLINE_SECONDS = 60.0
KEYS_AT_ONCE = 100


def move(plan: Mapping[str, int], target: Node, connections: Connections, password: str) -> int:
    """Move so many slots from each of these primaries (by name) to `target`; gives how many moved.

    Returns when every node knows the new owner. Raises LabError when a move fails.
    """
    moved: set[int] = set()
    for source, count in plan.items():
        owned = by_name(connections[source])[source].slots
        for slots in _last(owned, count):
            if _migrates_itself(connections[source]):
                _migrate(connections[source], target, slots)
            else:
                _move_by_hand(source, target, slots, connections, password)
            moved.update(slots)
    wait_until(
        lambda: all(_owns(connection, target.name, moved) for connection in connections.values()),
        timeout_seconds=DEADLINE_SECONDS,
        what=f"every node to know that {target.name} owns {len(moved)} slots",
    )
    return len(moved)


def _last(owned: Sequence[range], count: int) -> Iterator[range]:
    """The last `count` slots of these, in pieces."""
    for piece in reversed(owned):
        if count <= 0:
            return
        taken = piece[-count:]
        count -= len(taken)
        yield taken


def _owns(connection: redis.Redis, name: str, slots: set[int]) -> bool:
    with suppress(redis.RedisError):  # a node that is down learns it later
        return slots <= {slot for piece in by_name(connection)[name].slots for slot in piece}
    return True


def _migrates_itself(connection: redis.Redis) -> bool:
    """Valkey 9 moves whole slots by itself (https://valkey.io/commands/cluster-migrateslots/)."""
    return "MIGRATESLOTS" in str(ask(connection, "CLUSTER", "HELP"))


def _migrate(source: redis.Redis, target: Node, slots: range) -> None:
    target_id = by_name(source)[target.name].node_id
    span = ("SLOTSRANGE", slots[0], slots[-1])
    ask(source, "CLUSTER", "MIGRATESLOTS", *span, "NODE", target_id)

    def done() -> bool:
        jobs = [_pairs(job) for job in ask(source, "CLUSTER", "GETSLOTMIGRATIONS")]
        latest = max(jobs, key=lambda job: int(job["create_time"]))
        if latest["state"] in ("failed", "cancelled"):
            raise LabError(
                f"moving slots {slots[0]}-{slots[-1]} {latest['state']}: {latest['message']}"
            )
        return latest["state"] == "success"

    wait_until(
        done,
        timeout_seconds=DEADLINE_SECONDS,
        what=f"slots {slots[0]}-{slots[-1]} to move",
    )


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _move_by_hand(
    source_name: str,
    target: Node,
    slots: range,
    connections: Connections,
    password: str,
) -> None:
    """The classic way, slot by slot and key by key (https://valkey.io/commands/cluster-setslot/)."""
    source, receiver = connections[source_name], connections[target.name]
    known = by_name(source)
    source_id, target_id = known[source_name].node_id, known[target.name].node_id
    primaries = [
        connections[m.name] for m in members(source) if m.primary and m.name in connections
    ]
    for slot in slots:
        ask(receiver, "CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        while keys := ask(source, "CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE):
            address = (target.internal, layout.PORT, "", 0, 5000)
            access = ("AUTH2", USERNAME, password)
            ask(source, "MIGRATE", *address, *access, "KEYS", *keys)
        # the receiver first: a slot must never be without an owner
        for connection in [
            receiver,
            source,
            *(p for p in primaries if p not in (receiver, source)),
        ]:
            ask(connection, "CLUSTER", "SETSLOT", slot, "NODE", target_id)
