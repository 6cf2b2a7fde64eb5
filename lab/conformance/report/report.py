"""The verdict on every cell of a run, with the versions of all that took part.

build/conformance/report.json has all of it, docs/conformance.json the facts from which docs/clients.md is made, with
client.json and the snippets. In the facts a cell that is not among `failed` has passed. What fails in all behaviours
alike stands once, under `*`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lab.conformance.suite.behaviours import ANY, BEHAVIOURS
from lab.conformance.suite.manifest import BUILDS, Client
from lab.conformance.suite.verdicts import AS_EXPECTED, Cell, Observation, Outcome, judge
from lab.deployment.modes import AccessMode
from lab.errors import LabError

REPORT = BUILDS / "report.json"
OBSERVED = BUILDS / "observed.jsonl"
FAILS = frozenset({Outcome.EXPECTED_FAIL, Outcome.FAILED})

Key = tuple[str, str, str]
"""Mode, client and behaviour."""
Observed = Mapping[Key, Observation]
Cells = Mapping[Key, Cell]


def judge_cells(
    modes: Sequence[AccessMode],
    clients: Sequence[Client],
    not_run: Mapping[str, str],
    seen: Observed,
) -> dict[Key, Cell]:
    """The verdicts on all clients in these modes; `not_run` has the reason of each client that was not run."""
    cells = {}
    for mode in modes:
        for client in clients:
            for behaviour in BEHAVIOURS:
                key = (mode.value, client.name, behaviour)
                if client.name in not_run:
                    cells[key] = Cell(Outcome.NOT_RUN, not_run[client.name])
                    continue
                expected = client.expectation(mode, behaviour)
                cells[key] = judge(seen.get(key), expected, client.option(mode))
    return cells


def make_report(
    cells: Cells, clients: Sequence[Client], versions: Mapping[str, str]
) -> dict[str, Any]:
    """The report as JSON has it; `versions` are those of all programs but the clients."""
    return {
        "versions": dict(versions),
        "clients": {client.name: client.version for client in clients},
        "cells": [
            {"way": mode, "client": client, "behaviour": behaviour, **asdict(cell)}
            for (mode, client, behaviour), cell in cells.items()
        ],
    }


def read_cells(report: Mapping[str, Any]) -> dict[Key, Cell]:
    """The cells of a report."""
    return {
        (one["way"], one["client"], one["behaviour"]): Cell(
            Outcome(one["outcome"]), one["detail"], one["reason"], one["by"]
        )
        for one in report["cells"]
    }


def find_unexpected(cells: Cells) -> list[Key]:
    """The cells of clients that were run whose outcome is not as expected."""
    fine = AS_EXPECTED | {Outcome.NOT_RUN}
    return [key for key, cell in cells.items() if cell.outcome not in fine]


def describe_unexpected(cells: Cells) -> Iterator[str]:
    """A line for each cell that is not as expected, and for each cell of a client that was not run."""
    for (mode, client, behaviour), cell in cells.items():
        if cell.outcome is Outcome.NOT_RUN:
            yield f"{client}: not run: {cell.detail}"
        elif cell.outcome not in AS_EXPECTED:
            what = f"{mode}: {client}: {BEHAVIOURS[behaviour].title}: {cell.outcome}"
            yield f"{what}: {cell.detail}" + (f" ({cell.reason})" if cell.reason else "")


def is_good(cells: Cells) -> bool:
    """Whether every cell that was run is as expected, and some were run."""
    return not find_unexpected(cells) and any(c.outcome in AS_EXPECTED for c in cells.values())


def extract_facts(report: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a report."""
    failed: dict[str, dict[str, dict[str, str]]] = {}
    not_run = {}
    for (mode, client, behaviour), cell in read_cells(report).items():
        details = failed.setdefault(mode, {}).setdefault(client, {})
        if cell.outcome is Outcome.NOT_RUN:
            not_run[client] = cell.detail
        elif cell.outcome in FAILS:
            details[behaviour] = cell.detail
    for clients in failed.values():
        for client, details in clients.items():
            if len(details) == len(BEHAVIOURS) and len(set(details.values())) == 1:
                clients[client] = {ANY: next(iter(details.values()))}
    return {
        "versions": report["versions"],
        "clients": report["clients"],
        "behaviours": list(BEHAVIOURS),
        "not_run": not_run,
        "failed": failed,
    }


def judge_facts(facts: Mapping[str, Any], clients: Sequence[Client]) -> Cells:
    """The verdicts by what is expected now; raises LabError when the facts are of other behaviours."""
    if facts["behaviours"] != list(BEHAVIOURS):
        raise LabError("the behaviours are not those of the run: run make conformance")
    seen = {
        (mode, client, name): Observation(
            passed=not details.keys() & {name, ANY}, detail=details.get(name, details.get(ANY, ""))
        )
        for mode, by_client in facts["failed"].items()
        for client, details in by_client.items()
        for name in BEHAVIOURS
    }
    known = [client for client in clients if client.name in facts["clients"]]
    return judge_cells(
        [AccessMode(mode) for mode in facts["failed"]], known, facts["not_run"], seen
    )
