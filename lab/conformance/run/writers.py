"""The programs of all clients with `load`, at once: they write all the time, and say every 0.25 s how far they are.

It must never take a client as recovered that writes to some shards only: no error may be counted while each of its
workers goes through all of its keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.conformance.run import programs
from lab.conformance.run.writer import Writer
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import after_load
from lab.conformance.suite.verdicts import Observation
from lab.errors import LabError
from lab.wait import wait_until

START_SECONDS = 90.0
RECOVERY_SECONDS = 120.0
LOOK_SECONDS = 0.25
ROUND = 75
"""Writes of a worker, more than the about 50 keys that it cycles through: so each shard had its turn."""


@dataclass
class Crowd:
    """All programs of one event, and the first thing that went wrong with each."""

    writers: Sequence[Writer]
    wrong: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The clients with which nothing went wrong so far."""
        names = [writer.client.name for writer in self.writers]
        return [name for name in names if name not in self.wrong]

    def blame(self, name: str, what: str) -> None:
        """Something went wrong with a client; what went wrong first stays."""
        self.wrong.setdefault(name, what)

    def begin(self) -> None:
        """Waits until each worker of each client has written; who does not is to blame."""
        self._wait(
            lambda writer: bool(writer.progress[1]) and all(writer.progress[1]),
            START_SECONDS,
            "not all of its workers wrote",
        )

    def recovered(self) -> None:
        """Waits until each worker of each client has gone through its keys without an error; else it is to blame."""
        since = {writer.client.name: writer.progress for writer in self.writers}

        def again(writer: Writer) -> bool:
            errors, workers = since[writer.client.name]
            if writer.progress[0] != errors:
                since[writer.client.name] = writer.progress
                return False
            now = writer.progress[1]
            return len(now) == len(workers) and all(
                count >= then + ROUND for count, then in zip(now, workers, strict=True)
            )

        self._wait(again, RECOVERY_SECONDS, "not all of its workers went on")

    def _wait(self, condition: Callable[[Writer], bool], seconds: float, otherwise: str) -> None:
        waiting = {w.client.name: w for w in self.writers if w.client.name not in self.wrong}

        def all_done() -> bool:
            for name, writer in list(waiting.items()):
                if said := writer.ended():
                    self.blame(name, said)
                if name in self.wrong or condition(writer):
                    del waiting[name]
            return not waiting

        with suppress(LabError):
            wait_until(all_done, timeout_seconds=seconds, what="", pause_seconds=LOOK_SECONDS)
        for name in waiting:
            self.blame(name, f"{otherwise} in {seconds:g} s")

    def observations(self) -> dict[str, Observation]:
        """Ends all; gives what was seen of each."""
        for writer in self.writers:
            writer.stop_writing()
        for writer in self.writers:
            if said := writer.finish():
                self.blame(writer.client.name, said)
        return {
            writer.client.name: after_load(writer.final, self.wrong.get(writer.client.name, ""))
            for writer in self.writers
        }


@contextmanager
def crowd(clients: Sequence[Client], environment: Mapping[str, str], logs: Path) -> Iterator[Crowd]:
    """All programs, begun; none of them runs after the block."""
    writers = [
        Writer(
            client,
            programs.start(client, "load", environment, log),
            log,
            environment["LAB_PASSWORD"],
        )
        for client, log in ((client, logs / f"{client.name}-load.log") for client in clients)
    ]
    try:
        together = Crowd(writers)
        together.begin()
        yield together
    finally:
        for writer in writers:
            writer.kill()
