"""A client in the client's network that writes all the time, with a count of acknowledged writes."""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.deployment.world import World
from lab.host import programs
from lab.scenarios.scenario import start

THREADS, RATE = 6, 20
"""Enough to see a shard go dark; few enough for a lab that stays up over lunch."""
LONGEST_WRITES = 100_000
"""The client keeps a note of each write: after so many another one takes over."""


Figures = tuple[int, int]
"""Acknowledged writes and errors since the beginning."""


@dataclass(slots=True)
class Load:
    """A sequence of client programs; `figures` only grow."""

    world: World
    _past: Figures = (0, 0)
    _process: subprocess.Popen[str] | None = None
    _number: int = 0
    _over: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """It is never started while, or after, it is ended."""

    def figures(self) -> Figures:
        """The figures so far. Starts a program when none runs: one that finds no node at all gives up."""
        with self._turn:
            if not self._over and (self._process is None or self._process.poll() is not None):
                self._past = self._so_far()
                self._start()
            told = self._so_far()
            if told[0] - self._past[0] > LONGEST_WRITES:
                self._stop()
            return told

    def close(self) -> None:
        """End the program, and start no other."""
        with self._turn:
            self._over = True
            self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            programs.end(self._process)

    def _start(self) -> None:
        self._number += 1
        argv = [sys.executable, "-m", "nodeway.client", "load"]
        argv += ["--until-file", str(self._file("stop")), "--progress", str(self._file("json"))]
        argv += ["--threads", str(THREADS), "--rate", str(RATE)]
        self._process = start(*self.world.client_command(argv))

    def _so_far(self) -> Figures:
        acknowledged, errors = self._past
        with suppress(FileNotFoundError, ValueError):
            told = json.loads(self._file("json").read_text())
            acknowledged, errors = acknowledged + told["acknowledged"], errors + told["errors"]
        return acknowledged, errors

    def _file(self, kind: str) -> Path:
        return self.world.run_dir / f"load-web-{os.getpid()}-{self._number}.{kind}"
