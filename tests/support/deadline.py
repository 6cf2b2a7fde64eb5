"""A pytest plugin: at a test's deadline all programs that it started are killed, and the lab's logs are printed.

The limits are those of pytest-timeout (`timeout` in pyproject.toml, or the marker of that name). Its own handler only
raises: a `with Popen(...)` around the line that was interrupted would wait for its program for ever.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

LAB_SECONDS = 900
AGAIN_SECONDS = 60
"""The deadline of what comes after the first one: fixtures that tear down."""
LAST_LINES = 20


class Settings(Protocol):
    """The part of pytest-timeout's settings that is needed here."""

    timeout: float
    """Seconds for a test with its fixtures."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives tests with a lab more time."""
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LAB_SECONDS))


def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> bool:
    """Starts the clock of a test: pytest-timeout's hook, in place of its own timers."""
    del item
    began = time.clock_gettime(time.CLOCK_BOOTTIME)

    def expire(*_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        started = list(_started_since(began))
        directories = {path for pid in started if (path := _run_directory(pid)) is not None}
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        sys.stderr.writelines(_last_lines(directories))
        pytest.fail(
            f"no end within {settings.timeout:g} s; killed {len(started)} programs of the test"
        )

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout)
    return True


def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    """Stops the clock."""
    del item
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return True


def _started_since(began: float) -> Iterable[int]:
    """Descendants of this process that started after `began`, in seconds since boot."""
    ticks = began * os.sysconf("SC_CLK_TCK")
    children: dict[int, list[tuple[int, float]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # after the name, which may hold anything (proc(5)): state, parent, and 18 fields on the start
            fields = path.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append((int(path.parent.name), int(fields[19])))
    todo = [os.getpid()]
    while todo:
        for pid, started in children.get(todo.pop(), ()):
            todo.append(pid)
            if started >= ticks - 1:
                yield pid


def _run_directory(pid: int) -> Path | None:
    """The run directory of the lab that a process belongs to."""
    with suppress(OSError):
        for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if variable.startswith(b"LAB_RUN_DIR="):
                return Path(os.fsdecode(variable.partition(b"=")[2]))
    return None


def _last_lines(directories: Iterable[Path]) -> Iterable[str]:
    """The end of each log of these labs."""
    for path in sorted(log for one in directories for log in (one / "logs").glob("*")):
        yield f"----- {path}\n"
        for line in path.read_text(errors="replace").splitlines()[-LAST_LINES:]:
            yield f"{line}\n"
