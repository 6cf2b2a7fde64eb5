"""Whether an answer is the right one."""

import time
from collections.abc import Set as AbstractSet

from lab.conformance.clients.python.shared.keys import SLOTS, Keys
from lab.conformance.clients.python.shared.sizes import REPLICA_READS


class WrongAnswer(Exception):
    """The client gave an answer, but not the right one."""


def expect(got: object, wanted: object) -> str:
    """The answer as a text when it is as wanted."""
    if got != wanted:
        raise WrongAnswer(f"got {got!r} instead of {wanted!r}")
    return str(got)


def expect_one_second(started: float) -> str:
    """How long a BLPOP of one second waited."""
    seconds = time.monotonic() - started
    if seconds < 1:
        raise WrongAnswer(f"BLPOP waited {seconds:.2f} s instead of 1 s")
    return f"empty after {seconds:.2f} s"


def expect_served(served: int, at_least: int) -> str:
    """How many of the reads the replica served."""
    text = f"the replica served {served} of {REPLICA_READS} reads"
    if served < at_least:
        raise WrongAnswer(text)
    return text


def expect_slots(seen: AbstractSet[str], keys: Keys) -> None:
    """A SCAN must have found what `all_slots` wrote."""
    found = sum(keys.at(slot, "slot") in seen for slot in range(SLOTS))
    if found < SLOTS:
        raise WrongAnswer(f"SCAN found {found} of {SLOTS} keys")
