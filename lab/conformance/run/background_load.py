"""The programs of all clients with `load`, at once: they write all the time and report every 0.25 s."""

import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.conformance.run import programs
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import (
    OUTSIDE_CONTRACT,
    PRINTED_PASSWORD,
    describe_exit,
    observe_load,
    parse_object,
    shorten,
)
from lab.conformance.suite.verdicts import Observation
from lab.errors import LabError
from lab.host.programs import end
from lab.wait import wait_until

START_SECONDS = 90.0
RECOVERY_SECONDS = 120.0
PAUSE_SECONDS = 0.25
END_SECONDS = 60.0
ROUND = 75
"""Writes of a worker, more than the about 50 keys that it cycles through: so it wrote to each shard."""

Progress = tuple[int, Sequence[int]]
"""Errors, and acknowledged writes of each worker."""


class LoadProgram:
    """One client's program. A thread reads its lines: `progress` as it goes on, `final` when it has ended."""

    def __init__(
        self, client: Client, process: subprocess.Popen[str], log: Path, secret: str
    ) -> None:
        self.client = client
        self.progress: Progress = (0, ())
        self.final: Mapping[str, Any] | None = None
        self._log = log
        self._secret = secret
        self._problem = ""
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            match parse_object(line):
                case _ if self._secret in line:
                    self._problem = PRINTED_PASSWORD
                case {
                    "final": True,
                    "errors": int(),
                    "lost": int(),
                    "longest_gap": int() | float(),
                } as final:
                    self.final = final
                case {"errors": int(errors), "workers": [*workers]} if _are_counts(workers):
                    self.progress = (errors, workers)
                case _:
                    self._problem = self._problem or f"{OUTSIDE_CONTRACT}: {shorten(line)}"

    def describe_end(self) -> str:
        """Why it does not run any more; empty as long as it does."""
        code = self._process.poll()
        if code is None:
            return ""
        errors = self._read_log()
        return PRINTED_PASSWORD if self._secret in errors else describe_exit(code, errors)

    def stop_writing(self) -> None:
        """Makes it read its keys back and end, by the end of its standard input."""
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()

    def finish(self) -> str:
        """Waits for its end; returns what was wrong with it, if anything was: then it has no figures, either."""
        problem = self._wait_for_end()
        if problem:
            self.final = None
        return problem

    def _wait_for_end(self) -> str:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"no end in {END_SECONDS:g} s after its last write"
        self._reader.join(END_SECONDS)
        if self._secret in self._read_log():
            return PRINTED_PASSWORD
        return self._problem or (self.describe_end() if code else "")

    def _read_log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """Ends it at once, if it runs."""
        end(self._process, grace_seconds=0)
        self.stop_writing()
        self._reader.join(END_SECONDS)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()


def _are_counts(workers: Sequence[object]) -> bool:
    return bool(workers) and all(isinstance(count, int) for count in workers)


@dataclass
class BackgroundLoad:
    """All programs of one event, and the first thing that went wrong with each."""

    programs: Sequence[LoadProgram]
    failures: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The clients with which nothing has gone wrong so far."""
        names = [program.client.name for program in self.programs]
        return [name for name in names if name not in self.failures]

    def add_failure(self, name: str, what: str) -> None:
        """Notes what went wrong with a client, unless something did before."""
        self.failures.setdefault(name, what)

    def wait_until_writing(self) -> None:
        """Waits until each worker of each client has written; adds a failure for the others."""
        self._wait(
            lambda program: bool(program.progress[1]) and all(program.progress[1]),
            START_SECONDS,
            "not all of its workers wrote",
        )

    def wait_until_recovered(self) -> None:
        """Waits until each worker has written to all its keys, in all shards, without an error; else adds failures."""
        since = {program.client.name: program.progress for program in self.programs}

        def is_recovered(program: LoadProgram) -> bool:
            errors, workers = since[program.client.name]
            if program.progress[0] != errors:
                since[program.client.name] = program.progress
                return False
            now = program.progress[1]
            return len(now) == len(workers) and all(
                count >= then + ROUND for count, then in zip(now, workers, strict=True)
            )

        self._wait(is_recovered, RECOVERY_SECONDS, "not all of its workers went on")

    def _wait(
        self, condition: Callable[[LoadProgram], bool], seconds: float, otherwise: str
    ) -> None:
        waiting = {p.client.name: p for p in self.programs if p.client.name not in self.failures}

        def all_done() -> bool:
            for name, program in list(waiting.items()):
                if problem := program.describe_end():
                    self.add_failure(name, problem)
                if name in self.failures or condition(program):
                    del waiting[name]
            return not waiting

        with suppress(LabError):
            wait_until(all_done, timeout_seconds=seconds, what="", pause_seconds=PAUSE_SECONDS)
        for name in waiting:
            self.add_failure(name, f"{otherwise} in {seconds:g} s")

    def finish(self) -> dict[str, Observation]:
        """Ends all programs; returns what was seen of each client."""
        for program in self.programs:
            program.stop_writing()
        for program in self.programs:
            if problem := program.finish():
                self.add_failure(program.client.name, problem)
        return {
            program.client.name: observe_load(
                program.final, self.failures.get(program.client.name, "")
            )
            for program in self.programs
        }


@contextmanager
def start_load(
    clients: Sequence[Client], environment: Mapping[str, str], logs: Path
) -> Iterator[BackgroundLoad]:
    """All programs, writing; all are killed at the end of the block."""
    running: list[LoadProgram] = []
    try:
        for client in clients:
            log = logs / f"{client.name}-load.log"
            process = programs.start(client, "load", environment, log)
            running.append(LoadProgram(client, process, log, environment["LAB_PASSWORD"]))
        load = BackgroundLoad(running)
        load.wait_until_writing()
        yield load
    finally:
        for program in running:
            program.kill()
