"""What redis-py and valkey-py are asked to do: one set of methods, in cluster mode and as clients of one server."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from lab.conformance.clients.python.shared.answers import (
    expect,
    expect_one_second,
    expect_served,
    expect_slots,
)
from lab.conformance.clients.python.shared.keys import SLOTS, Keys
from lab.conformance.clients.python.shared.load import Store
from lab.conformance.clients.python.shared.sizes import (
    BATCH,
    COMMANDS,
    REPLICA_READS,
    SCRIPT,
    TRANSACTIONS,
)
from lab.wait import wait_until


@dataclass(frozen=True, slots=True)
class RedisPy:
    """A client of its own for each behaviour, so that what one left behind is no other's fault."""

    open: Callable[..., Any]
    """The snippet's `connect`."""
    keys: Keys
    in_cluster_mode: bool
    from_replicas: Mapping[str, Any]
    """The options with which a cluster client reads from replicas."""
    transaction: Callable[[Any, str], Any]
    """A transaction's pipeline for a key, from a cluster client."""

    def store(self) -> Store:
        """For the load."""
        store: Store = self.open()
        return store

    def connect(self) -> str:
        """One SET and one GET."""
        key, value = self.keys.any("connect"), token_hex(4)
        with self.open() as client:
            client.set(key, value)
            return expect(client.get(key), value)

    def all_slots(self) -> str:
        """SET and GET of a key in each slot, in pipelines."""
        with self.open() as client:
            for start in range(0, SLOTS, BATCH):
                slots = range(start, start + BATCH)
                with client.pipeline(transaction=False) as pipe:
                    for slot in slots:
                        pipe.set(self.keys.at(slot, "slot"), slot)
                    pipe.execute()
                with client.pipeline(transaction=False) as pipe:
                    for slot in slots:
                        pipe.get(self.keys.at(slot, "slot"))
                    expect(pipe.execute(), [str(slot) for slot in slots])
        return f"{SLOTS} slots"

    def pipeline_500(self) -> str:
        """SET and GET in turn, in one pipeline over all nodes."""
        with self.open() as client, client.pipeline(transaction=False) as pipe:
            for number, key in enumerate(self.keys.spread(COMMANDS // 2, "pipeline")):
                pipe.set(key, number)
                pipe.get(key)
            answers = pipe.execute()
            for number in range(COMMANDS // 2):
                expect(answers[2 * number : 2 * number + 2], [True, str(number)])
        return f"{COMMANDS} answers in order"

    def multi_exec(self) -> str:
        """Two keys in a slot, in many slots."""
        with self.open() as client:
            for key in self.keys.spread(TRANSACTIONS, "multi"):
                with self._transaction(client, key) as pipe:
                    pipe.set(f"{key}:a", "1").set(f"{key}:b", "2")
                    pipe.get(f"{key}:a").get(f"{key}:b")
                    # SET is answered by True, or by OK in redis-py's cluster transactions
                    *written, first, second = pipe.execute()
                    expect([bool(one) for one in written], [True, True])
                    expect([first, second], ["1", "2"])
        return f"{TRANSACTIONS} transactions"

    def evalsha(self) -> str:
        """In every shard, so that the script must have been loaded into each."""
        with self.open() as client:
            digest = client.script_load(SCRIPT)
            for key in self.keys.spread(TRANSACTIONS, "script"):
                client.set(key, "left")
                expect(client.evalsha(digest, 1, key, "right"), "leftright")
        return f"{TRANSACTIONS} scripts run"

    def pubsub(self) -> str:
        """A subscription has a connection of its own, and PUBLISH another."""
        channel = self.keys.any(f"channel:{token_hex(4)}")
        with self.open() as client, client.pubsub() as subscription:
            subscription.subscribe(channel)
            _message(subscription, "subscribe")
            client.publish(channel, "hello")
            return expect(_message(subscription, "message"), "hello")

    def blpop(self) -> str:
        """An empty list first, then one with an item."""
        key = self.keys.any(f"list:{token_hex(4)}")
        with self.open() as client:
            started = time.monotonic()
            expect(client.blpop([key], timeout=1), None)
            waited = expect_one_second(started)
            client.rpush(key, "item")
            expect(list(client.blpop([key], timeout=1)), [key, "item"])
        return waited

    def scan(self) -> str:
        """All keys once, those of `all_slots` among them."""
        with self.open() as client:
            seen = set(client.scan_iter(count=BATCH))
            expect_slots(seen, self.keys)
            options = {"target_nodes": "primaries"} if self.in_cluster_mode else {}
            return expect(len(seen), client.dbsize(**options))

    def replica_read(self) -> str:
        """A client of one server has no option for it, and asks its connection for READONLY."""
        key, value = self.keys.any("replica"), token_hex(4)
        with self.open() as writer:
            if not self.in_cluster_mode:
                return str(writer.readonly())
            writer.set(key, value)
            replica = writer.get_node_from_key(key, replica=True)
            with self.open(**self.from_replicas) as reader:
                wait_until(lambda: reader.get(key) == value, timeout_seconds=5, what="the value")
                before = _gets(writer, replica)
                for _ in range(REPLICA_READS):
                    expect(reader.get(key), value)
                served = _gets(writer, replica) - before
            # valkey-py takes primary and replica in turn
            return expect_served(served, at_least=REPLICA_READS // 2)

    def _transaction(self, client: Any, key: str) -> Any:
        return self.transaction(client, key) if self.in_cluster_mode else client.pipeline()


def _message(subscription: Any, kind: str) -> Any:
    """The data of the next message, which must be of this kind."""
    message = wait_until(
        lambda: subscription.get_message(timeout=0.5), timeout_seconds=5, what=f"a {kind} message"
    )
    expect(message["type"], kind)
    return message["data"]


def _gets(client: Any, node: Any) -> int:
    """How many GETs a node has served so far."""
    statistics = client.info("commandstats", target_nodes=node)
    return int(statistics.get("cmdstat_get", {"calls": 0})["calls"])
