"""redis-py and valkey-py, in cluster mode and as clients of one server."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.conformance.clients.python.shared.outcome import expect
from lab.wait import wait_until


@dataclass(frozen=True, slots=True)
class RedisPy:
    """An open client."""

    client: Any
    in_cluster_mode: bool
    cluster_transaction: Callable[[Any, str], Any]
    """A transaction's pipeline for a key, from a cluster client."""

    def close(self) -> None:
        self.client.close()

    def set(self, key: str, value: str) -> object:
        return self.client.set(key, value)

    def get(self, key: str) -> str | None:
        value: str | None = self.client.get(key)
        return value

    def set_and_get(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        with self.client.pipeline(transaction=False) as pipe:
            for key, value in pairs:
                pipe.set(key, value)
                pipe.get(key)
            return list(pipe.execute()[1::2])

    def transaction(self, first: str, second: str) -> list[str]:
        with self._transaction(first) as pipe:
            pipe.set(first, "1").set(second, "2")
            pipe.get(first).get(second)
            return list(pipe.execute()[2:])

    def _transaction(self, key: str) -> Any:
        if self.in_cluster_mode:
            return self.cluster_transaction(self.client, key)
        return self.client.pipeline()

    def load_script(self, script: str) -> Any:
        return self.client.script_load(script)

    def call_script(self, script: Any, key: str, argument: str) -> str:
        return str(self.client.evalsha(script, 1, key, argument))

    def subscribe(self, channel: str) -> Callable[[], str]:
        """A subscription has a connection of its own, which ends with it."""
        subscription = self.client.pubsub()
        subscription.subscribe(channel)
        _receive(subscription, "subscribe")
        return lambda: str(_receive(subscription, "message"))

    def publish(self, channel: str, message: str) -> object:
        return self.client.publish(channel, message)

    def blpop(self, key: str) -> str | None:
        popped = self.client.blpop([key], timeout=1)
        return None if popped is None else str(popped[1])

    def rpush(self, key: str, item: str) -> object:
        return self.client.rpush(key, item)

    def scan(self, count: int) -> Iterable[str]:
        found: Iterable[str] = self.client.scan_iter(count=count)
        return found

    def database_size(self) -> int:
        options = {"target_nodes": "primaries"} if self.in_cluster_mode else {}
        return int(self.client.dbsize(**options))

    def read_only(self) -> object:
        """A client of one server has no option for it."""
        return self.client.readonly()

    def count_replica_gets(self, key: str) -> int:
        replica = self.client.get_node_from_key(key, replica=True)
        statistics = self.client.info("commandstats", target_nodes=replica)
        return int(statistics.get("cmdstat_get", {"calls": 0})["calls"])


def _receive(subscription: Any, kind: str) -> Any:
    """The data of the next message, which must be of this kind."""
    message = wait_until(
        lambda: subscription.get_message(timeout=0.5), timeout_seconds=5, what=f"a {kind} message"
    )
    expect(message["type"], kind)
    return message["data"]
