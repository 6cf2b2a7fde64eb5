"""`python -m …redis_cli DIRECTORY MODE`: the conformance program of the redis-cli in DIRECTORY.

It runs the snippet of its way, as its users do: with commands on standard input, or with one on the command line.
Modes: `commands`, `connect`, `load`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from lab.conformance.clients.python.shared.behaviours import (
    BATCH,
    COMMANDS,
    SCRIPT,
    TRANSACTIONS,
    expect_one_second,
    run_mode,
)
from lab.conformance.clients.python.shared.keys import SLOTS, Keys
from lab.conformance.clients.python.shared.outcome import expect
from lab.conformance.clients.shell.redis_cli_session import CliError, Session
from lab.wait import wait_until

HOME = Path(__file__).parent / "redis-cli"
SCRIPTS = 12
COMMAND_SECONDS = 2.0
ROLE = "return string.match(redis.call('INFO', 'replication'), 'role:(%a+)')"


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one mode."""
    directory, mode = words
    os.environ["PATH"] = os.pathsep.join([directory, environment["PATH"]])
    by_envoy = environment["LAB_WAY"].startswith("envoy")
    keys = Keys.of(HOME.name, environment.get("LAB_SLOT_KEYS"))
    script = HOME / ("envoy.sh" if by_envoy else "per_node.sh")
    behaviours = RedisCli(script, keys, in_cluster_mode=not by_envoy)
    run_mode(mode, behaviours, lambda: Store(script), keys)
    return 0


@dataclass(frozen=True, slots=True)
class RedisCli:
    """What redis-cli is asked to do."""

    script: Path
    """The snippet."""
    keys: Keys
    in_cluster_mode: bool

    def set_and_get(self) -> str:
        """One SET and one GET."""
        key, value = self.keys.any("connect"), token_hex(4)
        with Session(self.script) as session:
            session.ask(f"SET {key} {value}")
            return expect(session.ask(f"GET {key}"), [[value]])

    def all_slots(self) -> str:
        """In the order of the slots, so that few commands are redirected."""
        with Session(self.script) as session:
            for start in range(0, SLOTS, BATCH):
                keys = [self.keys.at(slot, "slot") for slot in range(start, start + BATCH)]
                session.ask(*(f"SET {key} {key}" for key in keys))
                expect(session.ask(*(f"GET {key}" for key in keys)), [[key] for key in keys])
        return f"{SLOTS} slots"

    def pipeline_500(self) -> str:
        """Its pipeline is --pipe, which says how many errors it got."""
        value = token_hex(4)
        keys = self.keys.spread(COMMANDS, "pipeline")
        said = self._run("--pipe", given="".join(f"SET {key} {value}\r\n" for key in keys))
        expect(said.splitlines()[-1], f"errors: 0, replies: {COMMANDS}")
        with Session(self.script) as session:
            expect(session.ask(*(f"GET {key}" for key in keys)), [[value]] * COMMANDS)
        return f"{COMMANDS} commands"

    def multi_exec(self) -> str:
        """With a GET before MULTI, which takes redis-cli to the key's node: a MULTI is not redirected."""
        value = token_hex(4)
        with Session(self.script) as session:
            for key in self.keys.spread(TRANSACTIONS, "multi"):
                first, second = f"{key}:a", f"{key}:b"
                *_, answer = session.ask(
                    *(f"GET {first}", "MULTI"),
                    *(f"SET {first} {value}", f"SET {second} {value}"),
                    *(f"GET {first}", f"GET {second}", "EXEC"),
                )
                expect(answer, ["OK", "OK", value, value])
        return f"{TRANSACTIONS} transactions"

    def evalsha(self) -> str:
        """With a SET before SCRIPT LOAD, for the same reason."""
        with Session(self.script) as session:
            for key in self.keys.spread(SCRIPTS, "script"):
                _, [sha] = session.ask(f"SET {key} left", f'SCRIPT LOAD "{SCRIPT}"')
                expect(session.ask(f"EVALSHA {sha} 1 {key} right"), [["leftright"]])
        return f"{SCRIPTS} scripts run"

    def pubsub(self) -> str:
        """Two processes."""
        channel = self.keys.any(f"channel:{token_hex(4)}")
        with Session(self.script) as subscriber, Session(self.script) as publisher:
            expect(subscriber.ask(f"SUBSCRIBE {channel}"), [["subscribe", channel, "1"]])
            publisher.ask(f"PUBLISH {channel} hello")
            return expect(subscriber.answer(seconds=5), ["message", channel, "hello"])

    def blpop(self) -> str:
        """An empty list first, then one with an item."""
        key = self.keys.any(f"list:{token_hex(4)}")
        with Session(self.script) as session:
            started = time.monotonic()
            expect(session.ask(f"BLPOP {key} 1"), [["NULL"]])
            waited = expect_one_second(started)
            session.ask(f"RPUSH {key} item")
            expect(session.ask(f"BLPOP {key} 1"), [[key, "item"]])
        return waited

    def scan(self) -> str:
        """--scan asks one node: in cluster mode once for each primary, which may have several ranges of slots."""
        shards = self._shards() if self.in_cluster_mode else []
        places = [["-h", name] for name in dict.fromkeys(shard[0] for shard in shards)] or [[]]
        seen = {key for place in places for key in self._run(*place, "--scan").splitlines()}
        sizes = [int(self._run(*place, "DBSIZE")) for place in places]
        return expect(len(seen), sum(sizes))

    def replica_read(self) -> str:
        """At the replica of the key's slot after READONLY; through Envoy that is all that one can say."""
        value = token_hex(4)
        key = self.keys.at(0, "replica")
        place = ["-h", self._shards()[0][1]] if self.in_cluster_mode else []
        with Session(self.script) as writer, Session(self.script, *place) as reader:
            writer.ask(f"SET {key} {value}")
            reader.ask("READONLY")
            wait_until(
                lambda: reader.ask(f"GET {key}") == [[value]], timeout_seconds=5, what="the value"
            )
            return expect(reader.ask(f'EVAL_RO "{ROLE}" 1 {key}'), [["slave"]])

    def _shards(self) -> list[list[str]]:
        """The names of each shard's primary and replicas, in the order of the slots."""
        shards = json.loads(self._run("--json", "CLUSTER", "SLOTS"))
        return [[node[0] for node in shard[2:]] for shard in sorted(shards)]

    def _run(self, *words: str, given: str = "") -> str:
        """What a redis-cli of its own prints; raises CliError when it fails."""
        done = subprocess.run(
            ["sh", self.script, *words], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            # --pipe has an error for each command, and their number in its last line
            raise CliError("; ".join(done.stdout.splitlines()[-1:] + done.stderr.splitlines()[:1]))
        return done.stdout.strip()


@dataclass(slots=True)
class Store:
    """A session for each thread, and another one after an error, as a person would start it again."""

    script: Path
    _own: threading.local = field(default_factory=threading.local)

    def set(self, key: str, value: str) -> None:
        """Returns when the write is acknowledged; raises CliError."""
        if (answer := self._ask(f"SET {key} {value}")) != "OK":
            raise CliError(f"SET was answered by {answer!r}")

    def get(self, key: str) -> str | None:
        """Raises CliError."""
        answer = self._ask(f"GET {key}")
        return None if answer == "NULL" else answer

    def _ask(self, command: str) -> str:
        session: Session = getattr(self._own, "session", None) or Session(self.script)
        self._own.session = session
        try:
            [[answer]] = session.ask(command, seconds=COMMAND_SECONDS)
        except CliError:
            session.close()
            self._own.session = None
            raise
        return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
