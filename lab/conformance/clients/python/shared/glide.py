"""Valkey GLIDE, in cluster mode and as a client of one server: batches instead of pipelines, scripts that load
themselves, values as bytes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from glide_sync import (
    Batch,
    ClusterBatch,
    ClusterScanCursor,
    InfoSection,
    Logger,
    LogLevel,
    Script,
    SlotKeyRoute,
    SlotType,
)

from lab.wait import wait_until

SUBSCRIBE_MILLISECONDS = 5000

Logger.set_logger_config(LogLevel.OFF)  # it writes to standard output


@dataclass(frozen=True, slots=True)
class Glide:
    """An open client."""

    client: Any
    in_cluster_mode: bool

    def close(self) -> None:
        self.client.close()

    def set(self, key: str, value: str) -> object:
        return self.client.set(key, value)

    def get(self, key: str) -> str | None:
        value = self.client.get(key)
        return None if value is None else str(value, "utf-8")

    def set_and_get(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        batch = self._batch()
        for key, value in pairs:
            batch.set(key, value).get(key)
        return self._execute(batch)[1::2]

    def transaction(self, first: str, second: str) -> list[str]:
        batch = self._batch(atomic=True)
        batch.set(first, "1").set(second, "2").get(first).get(second)
        return self._execute(batch)[2:]

    def _batch(self, *, atomic: bool = False) -> Any:
        return ClusterBatch(atomic) if self.in_cluster_mode else Batch(atomic)

    def _execute(self, batch: Any) -> list[str]:
        answers = self.client.exec(batch, raise_on_error=True)
        return [one.decode() if isinstance(one, bytes) else one for one in answers]

    def load_script(self, script: str) -> Any:
        """GLIDE sends EVALSHA, and SCRIPT LOAD where the node does not know the script."""
        return Script(script)

    def call_script(self, script: Any, key: str, argument: str) -> str:
        return str(self.client.invoke_script(script, keys=[key], args=[argument]), "utf-8")

    def subscribe(self, channel: str) -> Callable[[], str]:
        self.client.subscribe({channel}, timeout_ms=SUBSCRIBE_MILLISECONDS)

        def receive() -> str:
            message = wait_until(
                self.client.try_get_pubsub_message, timeout_seconds=5, what="a message"
            )
            return str(message.message, "utf-8")

        return receive

    def publish(self, channel: str, message: str) -> object:
        return self.client.publish(message, channel)

    def blpop(self, key: str) -> str | None:
        popped = self.client.blpop([key], timeout=1)
        return None if popped is None else str(popped[1], "utf-8")

    def rpush(self, key: str, item: str) -> object:
        return self.client.rpush(key, [item])

    def scan(self, count: int) -> Iterator[str]:
        cursor = ClusterScanCursor() if self.in_cluster_mode else b"0"
        while True:
            cursor, found = self.client.scan(cursor, count=count)
            yield from map(bytes.decode, found)
            if cursor.is_finished() if self.in_cluster_mode else cursor == b"0":
                return

    def database_size(self) -> int:
        return int(self.client.dbsize())

    def read_only(self) -> object:
        return self.client.custom_command(["READONLY"])

    def count_replica_gets(self, key: str) -> int:
        route = SlotKeyRoute(SlotType.REPLICA, key)
        statistics = self.client.info([InfoSection.COMMAND_STATS], route=route).decode()
        calls = re.search(r"cmdstat_get:calls=(\d+)", statistics)
        return int(calls[1]) if calls else 0
