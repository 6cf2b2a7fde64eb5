"""Programs that end with the block that started them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

END_SECONDS = 10.0
"""How long a program may take to end, after SIGTERM and again after SIGKILL."""


@contextmanager
def running(
    words: Sequence[str], *, grace_seconds: float = END_SECONDS, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Start a program for the time of a block, and end it after the block; `options` are Popen's."""
    process: subprocess.Popen[str] = subprocess.Popen(words, text=True, **options)
    try:
        yield process
    finally:
        end(process, grace_seconds=grace_seconds)
        for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
            with suppress(BrokenPipeError):
                stream.close()


def end(process: subprocess.Popen[Any], *, grace_seconds: float = END_SECONDS) -> None:
    """End a program: SIGTERM, and SIGKILL after `grace_seconds` (0: at once).

    A program that leads a process group (`start_new_session`) takes its group along. Raises TimeoutExpired when the
    kernel does not end it.
    """
    if process.poll() is None and grace_seconds:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
    _signal(process, signal.SIGKILL)
    process.wait(END_SECONDS)


def read_rest(
    process: subprocess.Popen[str], *, timeout_seconds: float = END_SECONDS
) -> tuple[str, str]:
    """The rest of a program's output and errors; a program that does not end in this time is killed."""
    try:
        return process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate(timeout=END_SECONDS)


def _signal(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    """Send a signal to the program, and to its process group if it leads one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
        return
    process.send_signal(number)
