"""A scenario: a named check on the running lab, its figures, and whether its expectations were met."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import layout
from lab.deployment.modes import AccessMode
from lab.deployment.world import World
from lab.errors import LabError
from lab.host.programs import read_rest
from lab.wait import wait_until

Figures = dict[str, Any]
Scenario = Callable[[World], Figures]
LAST_WORDS_SECONDS = 120
"""What a client needs at most to give up what it waits for, and to read all of its writes back."""


class ExpectationFailed(AssertionError):
    """A scenario measured something else than it expects; `figures` hold the measurements."""

    def __init__(self, message: str, figures: Figures) -> None:
        """The message says what was expected and what was seen."""
        super().__init__(message)
        self.figures = figures


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario's outcome, in the form of the report."""

    name: str
    passed: bool
    seconds: float
    figures: Figures = field(default_factory=dict)


def run(scenario: Scenario, world: World) -> Result:
    """Runs one scenario; its errors are its result."""
    started = time.monotonic()
    try:
        passed, figures = True, scenario(world)
    except ExpectationFailed as failed:
        passed, figures = False, {"expected": str(failed), **failed.figures}
    except LabError as error:
        passed, figures = False, {"error": str(error)}
    return Result(scenario.__name__, passed, round(time.monotonic() - started, 2), figures)


def expect(condition: object, message: str, figures: Figures) -> None:
    """Raises ExpectationFailed with the message and the figures unless the condition is true."""
    if not condition:
        raise ExpectationFailed(message, figures)


def client(world: World, *words: str, mode: AccessMode = AccessMode.PER_NODE) -> Figures:
    """Runs the lab's client program in the client's network; its last line of output is its figures."""
    done = world.client([sys.executable, "-m", "nodeway.client", *words], check=False, mode=mode)
    lines = done.stdout.strip().splitlines()
    if not lines:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        msg = f"the client ended with {done.returncode} and said: {said[0]}"
        raise LabError(msg)
    figures: Figures = json.loads(lines[-1])
    return figures


class Load:
    """A client that writes all the time."""

    def __init__(self, stop_file: Path, progress: Path) -> None:
        """Use `under_load`."""
        self._stop_file = stop_file
        self._progress = progress
        self.figures: Figures = {}
        self.lost: list[tuple[int, float]] = []
        """Slot and time (since the epoch) of each acknowledged write that was lost; known after the block."""
        self.gaps: list[tuple[float, float]] = []
        """When each gap of a thread began, and its seconds; known after the block."""

    def by_thread(self) -> list[int]:
        """Acknowledged writes of each thread so far; empty before the first report."""
        try:
            return [int(one) for one in json.loads(self._progress.read_text())["by_thread"]]
        except (FileNotFoundError, ValueError):
            return []

    def acknowledged(self) -> int:
        """Writes acknowledged so far."""
        return sum(self.by_thread())

    def wait_for_writes(self, writes: int, *, timeout_seconds: float = 180) -> None:
        """Wait for so many more acknowledged writes; raises LabError when they do not come."""
        before = self.acknowledged()
        wait_until(
            lambda: self.acknowledged() >= before + writes,
            timeout_seconds=timeout_seconds,
            what=f"{writes} more acknowledged writes after {before}",
        )

    def wait_for_each_thread(self, writes: int, *, timeout_seconds: float = 180) -> None:
        """Wait for so many more writes of each thread, so of every part of the slots; raises LabError."""
        before = wait_until(self.by_thread, timeout_seconds=timeout_seconds, what="a first write")
        wait_until(
            lambda: all(
                now >= then + writes for now, then in zip(self.by_thread(), before, strict=True)
            ),
            timeout_seconds=timeout_seconds,
            what=f"{writes} more acknowledged writes of each thread after {before}",
        )


@contextmanager
def under_load(
    world: World,
    name: str,
    *options: str,
    beside_proxies: bool = False,
    writes: int = 500,
    mode: AccessMode = AccessMode.PER_NODE,
) -> Iterator[Load]:
    """A client that writes from before the block until after it; then `figures` hold its figures.

    `options` are the client's own; `beside_proxies`: it runs in the proxies' network; `writes`: how many writes come
    before the block, and how many after it.
    """
    stop_file, progress = (world.run_dir / f"load-{name}.{kind}" for kind in ("stop", "json"))
    for stale in (stop_file, progress):
        stale.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "nodeway.client", "load"]
    argv += ["--until-file", str(stop_file), "--progress", str(progress), *options]
    load = Load(stop_file, progress)
    beside = world.command_beside_proxies(argv)
    process = start(*(beside if beside_proxies else world.client_command(argv, mode)))
    try:
        load.wait_for_writes(writes)
        yield load
        load.wait_for_writes(writes)
    finally:
        stop_file.touch()
        out, err = read_rest(process, timeout_seconds=LAST_WORDS_SECONDS)
    if process.returncode != 0 or not out.strip():
        msg = f"the load client ended with {process.returncode}: {err.strip().splitlines()[-1:]}"
        raise LabError(msg)
    load.figures.update(json.loads(out.strip().splitlines()[-1]))
    load.lost = [(int(slot), float(at)) for slot, at in load.figures.pop("lost")]
    load.gaps = [(float(at), float(seconds)) for at, seconds in load.figures.pop("gaps")]


def start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program of the lab with pipes for its output."""
    return subprocess.Popen(
        words,
        cwd=layout.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
