"""build/conformance/report.json: the verdict on every cell, with the versions of all that took part."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lab.conformance.suite.expectations import SHARED
from lab.conformance.suite.features import BEHAVIOURS
from lab.conformance.suite.manifest import BUILDS, Client
from lab.conformance.suite.verdicts import AS_EXPECTED, Cell, Observation, Outcome, judged

REPORT = BUILDS / "report.json"
OBSERVED = BUILDS / "observed.json"

PASSED = frozenset({Outcome.PASS, Outcome.PASS_WITH_OPTION, Outcome.UNEXPECTED_PASS})

Observed = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
"""By way, client and behaviour: an Observation's values."""
Key = tuple[str, str, str]
"""Way, client and behaviour."""
Cells = Mapping[Key, Cell]


def cells(
    ways: Sequence[str], clients: Sequence[Client], not_run: Mapping[str, str], seen: Observed
) -> dict[Key, Cell]:
    """The verdicts; `not_run` is the reason of each client that was not run."""
    found = {}
    for way in ways:
        for client in clients:
            told = seen.get(way, {}).get(client.name, {})
            for behaviour in BEHAVIOURS:
                key = (way, client.name, behaviour)
                if client.name in not_run:
                    found[key] = Cell(Outcome.NOT_RUN, not_run[client.name])
                    continue
                one = Observation(**told[behaviour]) if behaviour in told else None
                expected = client.expectation(way, behaviour, SHARED.get(way, {}))
                found[key] = judged(one, expected, client.options.get(way))
    return found


def made(found: Cells, pinned: Mapping[str, str], versions: Mapping[str, str]) -> dict[str, Any]:
    """The report; `pinned` are the clients' versions, `versions` those of all else."""
    return {
        "versions": dict(versions),
        "clients": dict(pinned),
        "cells": [
            {
                "way": way,
                "client": client,
                "behaviour": behaviour,
                "outcome": str(cell.outcome),
                "by": cell.by,
                "reason": cell.reason,
                "detail": cell.detail,
                "broken": cell.broken,
            }
            for (way, client, behaviour), cell in found.items()
        ],
    }


def again(report: Mapping[str, Any], clients: Sequence[Client]) -> dict[str, Any]:
    """The same report, judged by what is expected now; clients that are no more are left out."""
    known = [client for client in clients if client.name in report["clients"]]
    seen: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    not_run = {}
    for (way, client, behaviour), cell in read(report).items():
        if cell.outcome is Outcome.NOT_RUN:
            not_run[client] = cell.detail
        passed = cell.outcome in PASSED
        told = {"passed": passed, "detail": cell.detail, "broken": cell.broken}
        seen.setdefault(way, {}).setdefault(client, {})[behaviour] = told
    pinned = {client.name: report["clients"][client.name] for client in known}
    return made(cells(list(seen), known, not_run, seen), pinned, report["versions"])


def read(report: Mapping[str, Any]) -> dict[Key, Cell]:
    """The cells of a report."""
    return {
        (one["way"], one["client"], one["behaviour"]): Cell(
            Outcome(one["outcome"]), one["detail"], one["reason"], one["by"], one["broken"]
        )
        for one in report["cells"]
    }


def wrong(found: Cells) -> list[Key]:
    """The cells that are not as expected; those that were not run are neither."""
    fine = AS_EXPECTED | {Outcome.NOT_RUN}
    return [key for key, cell in found.items() if cell.outcome not in fine]


def good(found: Cells) -> bool:
    """Whether every cell that was run is as expected, and some were run."""
    return not wrong(found) and any(cell.outcome in AS_EXPECTED for cell in found.values())


def write(report: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    scratch = REPORT.with_suffix(".new")
    scratch.write_text(json.dumps(report, indent=1) + "\n")
    scratch.replace(REPORT)
