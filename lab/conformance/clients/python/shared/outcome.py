"""Runs one behaviour, and says in one line of JSON how it went. It must never wait longer than its limit."""

import json
import threading
import time
from collections.abc import Callable

LIMIT_SECONDS = 20


def report(name: str, behaviour: Callable[[], str]) -> None:
    """A behaviour gives what it saw, or raises: WrongAnswer, or whatever the client raises."""
    started = time.monotonic()
    ended: list[tuple[str, str]] = []

    def attempt() -> None:
        try:
            ended.append(("pass", behaviour()))
        except Exception as error:  # noqa: BLE001 - whatever a user would see is the outcome
            ended.append(("fail", told(error)))

    # a daemon: one that never ends must not keep the program from its next behaviour, or from its end
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    outcome, detail = ended[0] if ended else ("fail", f"no answer in {LIMIT_SECONDS} s")
    seconds = round(time.monotonic() - started, 2)
    say(behaviour=name, outcome=outcome, detail=detail, seconds=seconds)


def told(error: Exception) -> str:
    """An error as its user would see it."""
    return f"{type(error).__name__}: {error}"


def say(**line: object) -> None:
    """A line of the result."""
    print(json.dumps(line), flush=True)  # noqa: T201 - standard output is the result
