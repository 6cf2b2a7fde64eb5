"""Moving hash slots between shards while clients use them, as an online resharding of ElastiCache does."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import redis

from lab import layout
from lab.cluster.membership import Connections, by_name, members
from lab.cluster.node import USERNAME, Node, ask
from lab.errors import LabError
from lab.wait import wait_until

DEADLINE_SECONDS = 120.0
KEYS_AT_ONCE = 100


def move(plan: Mapping[str, int], target: Node, connections: Connections, password: str) -> int:
    """Move so many slots from each of these primaries (by name) to `target`; returns how many moved.

    Returns when every node knows the new owner. Raises LabError when a move fails.
    """
    moved: set[int] = set()
    for source, count in plan.items():
        owned = by_name(connections[source])[source].slots
        for slots in _last_slots(owned, count):
            if _migrates_itself(connections[source]):
                _migrate(connections[source], target, slots)
            else:
                manual = _manual_move(source, target, connections, password)
                for slot in slots:
                    manual.open(slot)
                    manual.empty(slot)
                    manual.close(slot)
            moved.update(slots)
    _wait_until_known(target, moved, connections)
    return len(moved)


def move_by_hand(
    slots: Collection[int],
    source: str,
    target: Node,
    connections: Connections,
    password: str,
    *,
    while_open: Callable[[], object],
) -> None:
    """Move these slots of a primary (by name) key by key, also where the server moves slots itself: clients get ASK.

    `while_open` is called when all of their keys are at the target and the source still owns the slots. Returns when
    every node knows the new owner. Raises LabError and redis.RedisError.
    """
    manual = _manual_move(source, target, connections, password)
    for step in (manual.open, manual.empty):
        for slot in slots:
            step(slot)
    try:
        while_open()
    finally:
        for slot in slots:
            manual.close(slot)
    _wait_until_known(target, set(slots), connections)


def _wait_until_known(target: Node, slots: set[int], connections: Connections) -> None:
    wait_until(
        lambda: all(_owns(connection, target.name, slots) for connection in connections.values()),
        timeout_seconds=DEADLINE_SECONDS,
        what=f"every node to know that {target.name} owns {len(slots)} slots",
    )


def _last_slots(owned: Sequence[range], count: int) -> Iterator[range]:
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
    """Whether the server moves slots itself, as Valkey 9 (https://valkey.io/commands/cluster-migrateslots/)."""
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


@dataclass(frozen=True, slots=True)
class _ManualMove:
    """A move slot by slot and key by key (https://valkey.io/commands/cluster-setslot/)."""

    source: redis.Redis
    source_id: str
    receiver: redis.Redis
    receiver_id: str
    others: Sequence[redis.Redis]
    """The primaries that neither give nor get the slot."""
    access: Sequence[str | int]
    """How the source's MIGRATE reaches the receiver."""
    login: Sequence[str]

    def open(self, slot: int) -> None:
        """Let the source answer ASK for a key of this slot that it does not have."""
        ask(self.receiver, "CLUSTER", "SETSLOT", slot, "IMPORTING", self.source_id)
        ask(self.source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self.receiver_id)

    def empty(self, slot: int) -> None:
        """Move the slot's keys to the receiver."""
        while keys := ask(self.source, "CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE):
            ask(self.source, "MIGRATE", *self.access, *self.login, "KEYS", *keys)

    def close(self, slot: int) -> None:
        """Give the slot to the receiver."""
        # the receiver first: a slot must never be without an owner
        for connection in (self.receiver, self.source, *self.others):
            ask(connection, "CLUSTER", "SETSLOT", slot, "NODE", self.receiver_id)


def _manual_move(
    source_name: str, target: Node, connections: Connections, password: str
) -> _ManualMove:
    source, receiver = connections[source_name], connections[target.name]
    known = by_name(source)
    others = [m.name for m in members(source) if m.primary and m.name in connections]
    return _ManualMove(
        source,
        known[source_name].node_id,
        receiver,
        known[target.name].node_id,
        [connections[name] for name in others if name not in (source_name, target.name)],
        (target.internal, layout.PORT, "", 0, 5000),
        ("AUTH2", USERNAME, password),
    )
