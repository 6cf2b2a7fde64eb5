"""Waiting for a condition with a deadline."""

from collections.abc import Callable
from typing import TypeVar

from lab.errors import LabError
from nodeway.client import wait

T = TypeVar("T")


def wait_until(
    check: Callable[[], T | None],
    *,
    timeout_seconds: float,
    what: str,
    pause_seconds: float = wait.PAUSE_SECONDS,
) -> T:
    """As `nodeway.client.wait.wait_until`; raises LabError when the time is over."""
    try:
        return wait.wait_until(
            check, timeout_seconds=timeout_seconds, what=what, pause_seconds=pause_seconds
        )
    except wait.WaitTimeout as error:
        raise LabError(str(error)) from None
