"""Runs one behaviour within a limit of time, and prints in one line of JSON how it went."""

import json
import threading
import time
from collections.abc import Callable

LIMIT_SECONDS = 20


class WrongAnswer(Exception):
    """The client gave an answer, but not the right one."""


def expect(got: object, wanted: object) -> str:
    """The answer as a text; raises WrongAnswer unless it is as wanted."""
    if got != wanted:
        raise WrongAnswer(f"got {got!r} instead of {wanted!r}")
    return str(got)


def report(name: str, behaviour: Callable[[], str]) -> None:
    """Runs and reports a behaviour: it returns what it saw, or raises WrongAnswer or an error of the client."""
    started = time.monotonic()
    ended: list[tuple[str, str]] = []

    def attempt() -> None:
        try:
            ended.append(("pass", behaviour()))
        except Exception as error:  # noqa: BLE001 - whatever a user would see is the outcome
            ended.append(("fail", describe_error(error)))

    # a daemon: one that never ends must not keep the program from its next behaviour, or from its end
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    outcome, detail = ended[0] if ended else ("fail", f"no answer in {LIMIT_SECONDS} s")
    seconds = round(time.monotonic() - started, 2)
    print_line(behaviour=name, outcome=outcome, detail=detail, seconds=seconds)


def describe_error(error: Exception) -> str:
    """An error as its user would see it."""
    return f"{type(error).__name__}: {error}"


def print_line(**line: object) -> None:
    """Prints a line of the result."""
    print(json.dumps(line), flush=True)  # noqa: T201 - standard output is the result
