"""docs/conformance.json: the facts of a run from which docs/clients.md is made, with client.json and the snippets.

A cell that is not among `failed` has passed. What fails in all behaviours alike stands once, under `*`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lab.conformance.report.report import Cells, judge_cells, read_cells
from lab.conformance.suite.behaviours import ANY, BEHAVIOURS
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.verdicts import Observation, Outcome
from lab.deployment.modes import AccessMode
from lab.errors import LabError

FAILS = frozenset({Outcome.EXPECTED_FAIL, Outcome.FAILED})


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
