"""What Valkey GLIDE is asked to do, in cluster mode and as a client of one server: batches instead of pipelines,
scripts that load themselves, keys and values as bytes.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from glide_sync import (
    Batch,
    ClusterBatch,
    ClusterScanCursor,
    InfoSection,
    Logger,
    LogLevel,
    ReadFrom,
    Script,
    SlotKeyRoute,
    SlotType,
)

from lab.conformance.clients.python.shared.answers import (
    expect,
    expect_one_second,
    expect_served,
    expect_slots,
)
from lab.conformance.clients.python.shared.keys import SLOTS, Keys
from lab.conformance.clients.python.shared.sizes import (
    BATCH,
    COMMANDS,
    REPLICA_READS,
    SCRIPT,
    TRANSACTIONS,
)
from lab.wait import wait_until

SUBSCRIBE_MILLISECONDS = 5000
OK = "OK"

Logger.set_logger_config(LogLevel.OFF)  # it writes to standard output


@dataclass(frozen=True, slots=True)
class TextStore:
    """GLIDE's values as texts."""

    client: Any

    def set(self, key: str, value: str, /) -> object:
        """Returns when the write is acknowledged."""
        return self.client.set(key, value)

    def get(self, key: str, /) -> str | None:
        """The value, none when there is none."""
        value = self.client.get(key)
        return None if value is None else str(value, "utf-8")


@dataclass(frozen=True, slots=True)
class Glide:
    """A client of its own for each behaviour, so that what one left behind is no other's fault."""

    open: Callable[..., Any]
    """The snippet's `connect`."""
    keys: Keys
    in_cluster_mode: bool

    def store(self) -> TextStore:
        """For the load."""
        return TextStore(self.open())

    def connect(self) -> str:
        """One SET and one GET."""
        key, value = self.keys.any("connect"), token_hex(4)
        with self.open() as client:
            client.set(key, value)
            return expect(client.get(key), value.encode())

    def all_slots(self) -> str:
        """SET and GET of a key in each slot, in batches."""
        with self.open() as client:
            for start in range(0, SLOTS, BATCH):
                slots = range(start, start + BATCH)
                writes, reads = self._batch(), self._batch()
                for slot in slots:
                    writes.set(self.keys.at(slot, "slot"), str(slot))
                    reads.get(self.keys.at(slot, "slot"))
                client.exec(writes, raise_on_error=True)
                answers = client.exec(reads, raise_on_error=True)
                expect(answers, [str(slot).encode() for slot in slots])
        return f"{SLOTS} slots"

    def pipeline_500(self) -> str:
        """SET and GET in turn, in one batch over all nodes."""
        batch = self._batch()
        wanted: list[object] = []
        for number, key in enumerate(self.keys.spread(COMMANDS // 2, "pipeline")):
            batch.set(key, str(number)).get(key)
            wanted += [OK, str(number).encode()]
        with self.open() as client:
            expect(client.exec(batch, raise_on_error=True), wanted)
        return f"{COMMANDS} answers in order"

    def multi_exec(self) -> str:
        """Two keys in a slot, in many slots."""
        with self.open() as client:
            for key in self.keys.spread(TRANSACTIONS, "multi"):
                batch = self._batch(atomic=True)
                batch.set(f"{key}:a", "1").set(f"{key}:b", "2").get(f"{key}:a").get(f"{key}:b")
                expect(client.exec(batch, raise_on_error=True), [OK, OK, b"1", b"2"])
        return f"{TRANSACTIONS} transactions"

    def evalsha(self) -> str:
        """In every shard; GLIDE sends EVALSHA, and SCRIPT LOAD where the node does not know the script."""
        script = Script(SCRIPT)
        with self.open() as client:
            for key in self.keys.spread(TRANSACTIONS, "script"):
                client.set(key, "left")
                expect(client.invoke_script(script, keys=[key], args=["right"]), b"leftright")
        return f"{TRANSACTIONS} scripts run"

    def pubsub(self) -> str:
        """One client subscribes, another one publishes."""
        channel = self.keys.any(f"channel:{token_hex(4)}")
        with self.open() as subscriber, self.open() as publisher:
            subscriber.subscribe({channel}, timeout_ms=SUBSCRIBE_MILLISECONDS)
            publisher.publish("hello", channel)
            message = wait_until(
                subscriber.try_get_pubsub_message, timeout_seconds=5, what="a message"
            )
            return expect(message.message, b"hello")

    def blpop(self) -> str:
        """An empty list first, then one with an item."""
        key = self.keys.any(f"list:{token_hex(4)}")
        with self.open() as client:
            started = time.monotonic()
            expect(client.blpop([key], timeout=1), None)
            waited = expect_one_second(started)
            client.rpush(key, ["item"])
            expect(client.blpop([key], timeout=1), [key.encode(), b"item"])
        return waited

    def scan(self) -> str:
        """All keys once, those of `all_slots` among them."""
        with self.open() as client:
            scanned = _cluster_keys(client) if self.in_cluster_mode else _keys(client)
            seen = {key.decode() for key in scanned}
            expect_slots(seen, self.keys)
            return expect(len(seen), client.dbsize())

    def replica_read(self) -> str:
        """A client of one server has no other server to read from, and asks its connection for READONLY."""
        key, value = self.keys.any("replica"), token_hex(4).encode()
        with self.open(read_from=ReadFrom.PREFER_REPLICA) as client:
            if not self.in_cluster_mode:
                return str(client.custom_command(["READONLY"]))
            client.set(key, value)
            wait_until(lambda: client.get(key) == value, timeout_seconds=5, what="the value")
            before = _gets(client, key)
            for _ in range(REPLICA_READS):
                expect(client.get(key), value)
            return expect_served(_gets(client, key) - before, at_least=REPLICA_READS)

    def _batch(self, *, atomic: bool = False) -> Any:
        return ClusterBatch(atomic) if self.in_cluster_mode else Batch(atomic)


def _cluster_keys(client: Any) -> Iterator[bytes]:
    cursor = ClusterScanCursor()
    while not cursor.is_finished():
        cursor, found = client.scan(cursor, count=BATCH)
        yield from found


def _keys(client: Any) -> Iterator[bytes]:
    cursor = b"0"
    while True:
        cursor, found = client.scan(cursor, count=BATCH)
        yield from found
        if cursor == b"0":
            return


def _gets(client: Any, key: str) -> int:
    """How many GETs the replica of a key has served so far."""
    route = SlotKeyRoute(SlotType.REPLICA, key)
    statistics = client.info([InfoSection.COMMAND_STATS], route=route).decode()
    calls = re.search(r"cmdstat_get:calls=(\d+)", statistics)
    return int(calls[1]) if calls else 0
