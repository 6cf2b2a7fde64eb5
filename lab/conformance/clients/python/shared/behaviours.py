"""The behaviours that every Python client is asked for; an adapter does each step as the client's users do it."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from lab.conformance.clients.python.shared import load
from lab.conformance.clients.python.shared.keys import SLOTS, Keys
from lab.conformance.clients.python.shared.outcome import WrongAnswer, expect, report
from lab.wait import wait_until

if TYPE_CHECKING:  # a program of another client has neither library
    from lab.conformance.clients.python.shared.glide import Glide
    from lab.conformance.clients.python.shared.redis_py import RedisPy

    Client = Glide | RedisPy

BATCH = 512
COMMANDS = 500
TRANSACTIONS = 60
REPLICA_READS = 20
SCRIPT = "return redis.call('GET', KEYS[1]) .. ARGV[1]"
BEHAVIOURS = (
    *("all_slots", "pipeline_500", "multi_exec", "evalsha"),
    *("pubsub", "blpop", "scan", "replica_read"),
)
"""What the mode `commands` tries: methods of Behaviours, in this order."""


def expect_one_second(started: float) -> str:
    """How long a BLPOP of one second waited; raises WrongAnswer when it was shorter."""
    seconds = time.monotonic() - started
    if seconds < 1:
        raise WrongAnswer(f"BLPOP waited {seconds:.2f} s instead of 1 s")
    return f"empty after {seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class Behaviours:
    """A client of its own for each behaviour, so that no behaviour sees what another one left behind."""

    connect: "Callable[..., Client]"
    """Opens the client with the snippet, with these options beside the snippet's."""
    keys: Keys
    in_cluster_mode: bool
    from_replicas: Mapping[str, Any] = field(default_factory=dict)
    """The options with which a cluster client reads from replicas."""
    replica_reads: int = REPLICA_READS
    """How many of REPLICA_READS the replica must serve at least."""

    def open(self, **options: Any) -> "AbstractContextManager[Client]":
        """A client for one behaviour."""
        return closing(self.connect(**options))

    def set_and_get(self) -> str:
        """One SET and one GET."""
        key, value = self.keys.any("connect"), token_hex(4)
        with self.open() as client:
            client.set(key, value)
            return expect(client.get(key), value)

    def all_slots(self) -> str:
        """SET and GET of a key in each slot."""
        with self.open() as client:
            for start in range(0, SLOTS, BATCH):
                slots = range(start, start + BATCH)
                pairs = [(self.keys.at(slot, "slot"), str(slot)) for slot in slots]
                expect(client.set_and_get(pairs), [value for _, value in pairs])
        return f"{SLOTS} slots"

    def pipeline_500(self) -> str:
        """SET and GET in turn, in one pipeline over all nodes."""
        keys = self.keys.spread(COMMANDS // 2, "pipeline")
        pairs = [(key, str(number)) for number, key in enumerate(keys)]
        with self.open() as client:
            expect(client.set_and_get(pairs), [value for _, value in pairs])
        return f"{COMMANDS} answers in order"

    def multi_exec(self) -> str:
        """Two keys in a slot, in many slots."""
        with self.open() as client:
            for key in self.keys.spread(TRANSACTIONS, "multi"):
                expect(client.transaction(f"{key}:a", f"{key}:b"), ["1", "2"])
        return f"{TRANSACTIONS} transactions"

    def evalsha(self) -> str:
        """In every shard, so that the script must have been loaded into each."""
        with self.open() as client:
            script = client.load_script(SCRIPT)
            for key in self.keys.spread(TRANSACTIONS, "script"):
                client.set(key, "left")
                expect(client.call_script(script, key, "right"), "leftright")
        return f"{TRANSACTIONS} scripts run"

    def pubsub(self) -> str:
        """One client subscribes, another one publishes."""
        channel = self.keys.any(f"channel:{token_hex(4)}")
        with self.open() as subscriber, self.open() as publisher:
            next_message = subscriber.subscribe(channel)
            publisher.publish(channel, "hello")
            return expect(next_message(), "hello")

    def blpop(self) -> str:
        """An empty list first, then one with an item."""
        key = self.keys.any(f"list:{token_hex(4)}")
        with self.open() as client:
            started = time.monotonic()
            expect(client.blpop(key), None)
            waited = expect_one_second(started)
            client.rpush(key, "item")
            expect(client.blpop(key), "item")
        return waited

    def scan(self) -> str:
        """All keys once, those of `all_slots` among them."""
        with self.open() as client:
            seen = set(client.scan(BATCH))
            found = sum(self.keys.at(slot, "slot") in seen for slot in range(SLOTS))
            if found < SLOTS:
                raise WrongAnswer(f"SCAN found {found} of {SLOTS} keys")
            return expect(len(seen), client.database_size())

    def replica_read(self) -> str:
        """A client of one server has no other one to read from: it can only ask its connection for READONLY."""
        key, value = self.keys.any("replica"), token_hex(4)
        with self.open() as writer:
            if not self.in_cluster_mode:
                return str(writer.read_only())
            writer.set(key, value)
            with self.open(**self.from_replicas) as reader:
                wait_until(lambda: reader.get(key) == value, timeout_seconds=5, what="the value")
                before = writer.count_replica_gets(key)
                for _ in range(REPLICA_READS):
                    expect(reader.get(key), value)
                served = writer.count_replica_gets(key) - before
        text = f"the replica served {served} of {REPLICA_READS} reads"
        if served < self.replica_reads:
            raise WrongAnswer(text)
        return text


def run_mode(mode: str, behaviours: Any, open_store: Callable[[], load.Store], keys: Keys) -> None:
    """Runs `commands`, `connect` or `load`; a behaviour that fails is a result, not an exit code."""
    match mode:
        case "commands":
            for name in BEHAVIOURS:
                report(name, getattr(behaviours, name))
        case "connect":
            report("connect", behaviours.set_and_get)
        case "load":
            load.run(open_store, keys)
        case _:
            raise SystemExit(f"mode: got {mode!r}; allowed: commands, connect, load")
