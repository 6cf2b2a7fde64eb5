"""From what a client program printed to what was seen of the client. Pure.

A program that ends with another exit code than 0, prints what the contract does not know, or is killed for its time
passes nothing, whatever it printed before.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lab.conformance.suite.verdicts import Observation

DETAIL_CHARACTERS = 300
PASSED = {"pass": True, "fail": False}
PRINTED_PASSWORD = "the program printed the password"
OUTSIDE_CONTRACT = "the program said what is not in the contract"
ERROR_WORDS = re.compile(r"(?i)error|exception|panic|failed")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and its output."""

    stdout: str
    stderr: str
    exit_code: int | None
    """None: it was killed after `limit_seconds`."""
    limit_seconds: float


def observe(behaviours: Collection[str], ended: Ended, secret: str) -> dict[str, Observation]:
    """What was seen of each of these behaviours; a program that prints `secret` is broken."""
    if secret in ended.stdout + ended.stderr:
        return dict.fromkeys(behaviours, mark_broken(PRINTED_PASSWORD))
    results: dict[str, Observation] = {}
    problem = _describe_end(ended)
    for line in ended.stdout.splitlines():
        result = parse_object(line) or {}
        name, outcome = result.get("behaviour"), result.get("outcome")
        if name not in behaviours or name in results or outcome not in PASSED:
            problem = problem or f"{OUTSIDE_CONTRACT}: {shorten(line)}"
            continue
        results[str(name)] = Observation(PASSED[outcome], shorten(str(result.get("detail", ""))))
    return {name: _believe(results.get(name), problem) for name in behaviours}


def _believe(result: Observation | None, problem: str) -> Observation:
    if result is None:
        return mark_broken(problem or "the program said nothing of it")
    return mark_broken(problem) if result.passed and problem else result


def mark_broken(problem: str) -> Observation:
    """The observation of a program that failed itself, so that nothing was seen of the client."""
    return Observation(passed=False, detail=problem, broken=True)


def _describe_end(ended: Ended) -> str:
    if ended.exit_code is None:
        return f"no answer in {ended.limit_seconds:g} s"
    if ended.exit_code != 0:
        return describe_exit(ended.exit_code, ended.stderr)
    return ""


def describe_exit(exit_code: int, stderr: str) -> str:
    """The end of a program that ended too soon or badly."""
    return shorten(f"the program ended with {exit_code} and said: {find_error_line(stderr)}")


def parse_object(line: str) -> dict[str, Any] | None:
    """A line that is a JSON object, else None."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def expect_refusal(connected: Observation) -> Observation:
    """What a client did with a wrong password or authority: it passes when it was refused."""
    if connected.passed:
        return Observation(passed=False, detail="it connected all the same")
    return Observation(passed=True, detail=connected.detail)


def observe_load(final: Mapping[str, Any] | None, problem: str) -> Observation:
    """An event's observation from a load program's last line, None when it has none, and from what went wrong."""
    if final is None:
        return mark_broken(problem or "the program ended without its figures")
    figures = f"errors {final['errors']}, longest gap {final['longest_gap']:.1f} s"
    last = "; ".join(map(str, final.get("last_errors", ())))
    if not problem and final["lost"]:
        problem = f"lost {final['lost']} keys"
    if problem:
        return Observation(passed=False, detail=shorten(f"{problem} ({figures}) {last}".strip()))
    return Observation(passed=True, detail=figures)


def find_error_line(text: str) -> str:
    """The last line that names an error, else the last line: stacks and versions may follow an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR_WORDS.search(line)]
    return (errors or lines or ["nothing"])[-1]


def shorten(text: str) -> str:
    """The text in one line of at most DETAIL_CHARACTERS."""
    line = " ".join(text.split())
    return line if len(line) <= DETAIL_CHARACTERS else f"{line[: DETAIL_CHARACTERS - 1]}…"
