"""From what was seen and what was expected to the verdict on a cell. Pure: it must never know where they come from."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator


class Outcome(StrEnum):
    """What a cell of the matrix says."""

    PASS = "pass"
    PASS_WITH_OPTION = "pass with option"
    EXPECTED_FAIL = "expected fail"
    FAILED = "FAILED"
    UNEXPECTED_PASS = "unexpected pass"
    NOT_RUN = "not run"


AS_EXPECTED = frozenset({Outcome.PASS, Outcome.PASS_WITH_OPTION, Outcome.EXPECTED_FAIL})


class Expectation(BaseModel):
    """A fail that is known: whose it is, why, and how the client says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["Envoy", "client"]
    reason: str
    match: str
    """A regular expression that is found in the detail."""

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        re.compile(match)
        return match


@dataclass(frozen=True, slots=True)
class Observation:
    """What one client did with one behaviour in one way."""

    passed: bool
    detail: str = ""
    broken: bool = False
    """The program broke off, or broke the contract: what was expected of the client was not seen, whatever it was."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The verdict; `reason` and `by` of a known fail, the option of a pass that needs one."""

    outcome: Outcome
    detail: str = ""
    reason: str = ""
    by: str = ""
    broken: bool = False


def judged(seen: Observation | None, expected: Expectation | None, option: str | None) -> Cell:
    """The verdict on a cell that was played. `seen` is None where nobody said anything, which is a fail."""
    if seen is None:
        return Cell(Outcome.FAILED, "it was not played to its end", broken=True)
    if seen.passed:
        return _of_pass(seen, expected, option)
    if expected is None or seen.broken:
        return Cell(Outcome.FAILED, seen.detail, broken=seen.broken)
    if not re.search(expected.match, seen.detail):
        return Cell(Outcome.FAILED, seen.detail, f"expected a detail like {expected.match!r}")
    return Cell(Outcome.EXPECTED_FAIL, seen.detail, expected.reason, expected.by)


def _of_pass(seen: Observation, expected: Expectation | None, option: str | None) -> Cell:
    if expected is not None:
        return Cell(Outcome.UNEXPECTED_PASS, seen.detail, f"expected: {expected.reason}")
    if option:
        return Cell(Outcome.PASS_WITH_OPTION, seen.detail, option)
    return Cell(Outcome.PASS, seen.detail)
