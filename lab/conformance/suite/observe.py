"""From what a client program printed to what was seen. Pure: it must never take a broken program's word for a pass.

A program that ends with another exit code than 0, says what the contract does not know, or is killed for its time
passes nothing, whatever it said before.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lab.conformance.suite.verdicts import Observation

DETAIL_CHARACTERS = 300
PASSED = {"pass": True, "fail": False}
PRINTED = "the program printed the password"
STRANGE = "the program said what is not in the contract"
TELLING = re.compile(r"(?i)error|exception|panic|failed")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it said."""

    stdout: str
    stderr: str
    exit_code: int | None
    """None: it was killed after `limit_seconds`."""
    limit_seconds: float


def observed(behaviours: Collection[str], ended: Ended, secret: str) -> dict[str, Observation]:
    """What was seen of each of these behaviours; `secret` is what the program must never print."""
    if secret in ended.stdout + ended.stderr:
        return dict.fromkeys(behaviours, broken(PRINTED))
    told: dict[str, Observation] = {}
    why = _ended_badly(ended)
    for line in ended.stdout.splitlines():
        said = parsed(line)
        name = said.get("behaviour") if said else None
        if said is None or name not in behaviours or name in told or said["outcome"] not in PASSED:
            why = why or f"{STRANGE}: {shortened(line)}"
            continue
        detail = shortened(str(said.get("detail", "")))
        told[str(name)] = Observation(PASSED[said["outcome"]], detail)
    return {name: _believed(told.get(name), why) for name in behaviours}


def _believed(seen: Observation | None, why: str) -> Observation:
    if seen is None:
        return broken(why or "the program said nothing of it")
    return broken(why) if seen.passed and why else seen


def broken(why: str) -> Observation:
    """The program itself failed, and so nothing was seen of the client."""
    return Observation(passed=False, detail=why, broken=True)


def _ended_badly(ended: Ended) -> str:
    if ended.exit_code is None:
        return f"no answer in {ended.limit_seconds:g} s"
    if ended.exit_code != 0:
        return ended_with(ended.exit_code, ended.stderr)
    return ""


def ended_with(exit_code: int, stderr: str) -> str:
    """The end of a program that ended too soon or badly."""
    return shortened(f"the program ended with {exit_code} and said: {last_words(stderr)}")


def parsed(line: str) -> dict[str, Any] | None:
    """A line of a behaviour as the contract has it, else None."""
    said = as_object(line)
    return said if said is not None and {"behaviour", "outcome"} <= said.keys() else None


def as_object(line: str) -> dict[str, Any] | None:
    """A line that is a JSON object, else None."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def refused(seen: Observation) -> Observation:
    """What a client did with a wrong password or authority: it passes when it was refused."""
    if seen.passed:
        return Observation(passed=False, detail="it connected all the same")
    return Observation(passed=True, detail=seen.detail)


def after_load(final: Mapping[str, Any] | None, wrong: str) -> Observation:
    """An event's cell: of a load program's last line, if it came to that, and of what went wrong (empty: nothing)."""
    if final is None:
        return broken(wrong or "the program ended without its figures")
    figures = f"errors {final['errors']}, longest gap {final['longest_gap']:.1f} s"
    last = "; ".join(map(str, final.get("last_errors", ())))
    if not wrong and final["lost"]:
        wrong = f"lost {final['lost']} keys"
    if wrong:
        return Observation(passed=False, detail=shortened(f"{wrong} ({figures}) {last}".strip()))
    return Observation(passed=True, detail=figures)


def last_words(text: str) -> str:
    """The last line that tells of an error, else the last that says something: stacks and versions may follow."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.search(line)]
    return (telling or lines or ["nothing"])[-1]


def shortened(text: str) -> str:
    """A detail in one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= DETAIL_CHARACTERS else f"{line[: DETAIL_CHARACTERS - 1]}…"
