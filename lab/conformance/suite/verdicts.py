"""From what was seen of a client and what was expected to the verdict on a cell of the matrix. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator


class Outcome(StrEnum):
    """The verdict in one word."""

    PASS = "pass"
    PASS_WITH_OPTION = "pass with option"
    EXPECTED_FAIL = "expected fail"
    FAILED = "FAILED"
    UNEXPECTED_PASS = "unexpected pass"
    NOT_RUN = "not run"


AS_EXPECTED = frozenset({Outcome.PASS, Outcome.PASS_WITH_OPTION, Outcome.EXPECTED_FAIL})


class Expectation(BaseModel):
    """A known fail: whose limit it is, why, and how the client says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["Envoy", "client"]
    reason: str
    match: str
    """A regular expression that the detail of the fail contains."""

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        re.compile(match)
        return match


ENVOY_LIMITS: Mapping[str, Expectation] = {
    behaviour: Expectation(by="Envoy", reason=f"Envoy {reason}", match=match)
    for behaviour, reason, match in (
        ("pubsub", "knows no SUBSCRIBE", r"(?i)unknown command '?subscribe"),
        ("blpop", "knows no command that waits, such as BLPOP", r"(?i)unknown command '?blpop"),
        (
            "scan",
            "puts the shards' answers to SCAN side by side, which is no cursor and its keys",
            r"too many values to unpack|SCAN found \d+ of \d+ keys",
        ),
        (
            "replica_read",
            "knows no READONLY: its own read_policy decides where to read, for all its clients alike",
            r"(?i)unknown command '?readonly",
        ),
    )
}
"""What no client can do through Envoy, by behaviour; a client.json adds to this or replaces it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one client did with one behaviour in one access mode."""

    passed: bool
    detail: str = ""
    broken: bool = False
    """The program broke off or broke its contract, so that this is no known fail whatever its detail says."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The verdict; `reason` and `by` of a known fail, the option of a pass that needs one."""

    outcome: Outcome
    detail: str = ""
    reason: str = ""
    by: str = ""


def judge(seen: Observation | None, expected: Expectation | None, option: str) -> Cell:
    """The verdict on a cell of a client that was run; `seen` is None where its program said nothing, a fail."""
    if seen is None:
        return Cell(Outcome.FAILED, "it was not run to its end")
    if seen.passed:
        if expected is not None:
            return Cell(Outcome.UNEXPECTED_PASS, seen.detail, f"expected: {expected.reason}")
        return Cell(Outcome.PASS_WITH_OPTION if option else Outcome.PASS, seen.detail, option)
    if expected is None or seen.broken:
        return Cell(Outcome.FAILED, seen.detail)
    if not re.search(expected.match, seen.detail):
        return Cell(Outcome.FAILED, seen.detail, f"expected a detail like {expected.match!r}")
    return Cell(Outcome.EXPECTED_FAIL, seen.detail, expected.reason, expected.by)
