"""A fault that goes on for a time that is the point of it. It must never stand for waiting for something."""

import time

from lab.wait import wait_until

SLACK_SECONDS = 10


def lasting(seconds: float) -> None:
    """Returns when so much time has passed."""
    until = time.monotonic() + seconds
    wait_until(
        lambda: time.monotonic() >= until,
        timeout_seconds=seconds + SLACK_SECONDS,
        what=f"{seconds:g} s to have passed",
    )
