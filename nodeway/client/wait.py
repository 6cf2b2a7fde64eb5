"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSE_SECONDS = 0.05

T = TypeVar("T")


class WaitTimeout(Exception):
    """The condition did not become true before the deadline. The message names it and the last result."""


def wait_until(
    check: Callable[[], T | None],
    *,
    timeout_seconds: float,
    what: str,
    pause_seconds: float = PAUSE_SECONDS,
) -> T:
    """Calls `check` until its result is true, and returns that.

    Any exception of `check` passes through. Raises WaitTimeout naming `what` after `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise WaitTimeout(f"waited {timeout_seconds:g} s for {what}; last answer: {answer!r}")
        time.sleep(pause_seconds)
