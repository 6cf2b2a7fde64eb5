"""Waiting for a condition with a deadline. It must never wait without asking."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.errors import LabError

PAUSE_SECONDS = 0.05

T = TypeVar("T")


def wait_until(
    check: Callable[[], T | None],
    *,
    timeout_seconds: float,
    what: str,
    pause_seconds: float = PAUSE_SECONDS,
) -> T:
    """Ask `check` until it says something true, and give that back.

    An exception of `check` ends the wait at once: a check says "not yet" by a false value.
    Raises LabError naming `what` after `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise LabError(f"waited {timeout_seconds:g} s for {what}; last answer: {answer!r}")
        time.sleep(pause_seconds)
