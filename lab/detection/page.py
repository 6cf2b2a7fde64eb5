"""`python -m lab.detection.page`: writes the measured tables of docs/probe.md from build/lab/report.json.

It must never write figures of a run in which a promise was broken.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import layout
from lab.detection.scenarios import CHAPTER
from lab.detection.suite import ANOMALIES
from lab.errors import LabError

PAGE = layout.ROOT / "docs" / "probe.md"
FIGURES = PAGE.with_suffix(".json")
REPORT = layout.ROOT / "build" / "lab" / "report.json"
COST = {
    "wall_seconds": "seconds",
    "cpu_seconds": "of these CPU",
    "peak_mib": "memory, MiB",
    "connections": "connections",
    "request_kib": "map, KiB",
    "answer_kib": "report, KiB",
}
"""A run's figures, and their headings."""

Figures = dict[str, Any]


def chosen(report: Figures) -> Figures:
    """What each scenario saw, by name; raises LabError for one that is not there or was broken."""
    told = {one["name"]: one for one in report["scenarios"]}
    names = [play.__name__ for play in CHAPTER]
    missing = [name for name in names if not told.get(name, {}).get("passed")]
    if missing:
        raise LabError(f"docs/probe.md needs a run in which all passed; not: {', '.join(missing)}")
    return {name: told[name]["figures"] for name in names}


def cost(figures: Figures) -> str:
    """What a run costs by the number of names."""
    runs: Mapping[str, Figures] = figures["probe_costs_little"]["sizes"]
    rows = [f"| names | {' | '.join(COST.values())} |", f"|---|{'--:|' * len(COST)}"]
    rows += [
        f"| {names} | {' | '.join(f'{one[key]:,}' for key in COST)} |"
        for names, one in runs.items()
    ]
    return "\n".join(rows) + "\n"


def proof(figures: Figures) -> str:
    """Each fault, and what the probe called it."""
    seen = dict(line.split(": ", 1) for line in figures["anomalies_are_seen"]["faults"])
    healthy = figures["healthy_paths_stay_ok"]
    rows = ["| fault | what happens | the probe says |", "|---|---|---|"]
    rows += [f"| `{a.name}` | {first_line(a.doc)} | {seen[a.name]} |" for a in ANOMALIES]
    under_load = (
        f"\n{healthy['runs']} runs in order beside {healthy['acknowledged']:,} writes of a client:"
        f" {healthy['false_verdicts']} false verdicts, {healthy['errors']} errors of a client.\n"
    )
    return "\n".join(rows) + "\n" + under_load


def first_line(doc: str) -> str:
    """What a fault is, in one line."""
    return (
        " ".join(doc.split("\n\n", maxsplit=1)[0].split())
        .removesuffix(".")
        .removesuffix(". LabError")
    )


def with_tables(page: str, figures: Figures) -> str:
    """The page with these tables in place of those between its marks."""
    for name, text in (("cost", cost(figures)), ("proof", proof(figures))):
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        page = before + start + text + end + after
    return page


def write(report: Path, page: Path, figures: Path) -> None:
    """Writes the page's tables, and the figures that they show beside it; raises LabError."""
    told = chosen(json.loads(report.read_text()))
    figures.write_text(json.dumps(told, indent=1) + "\n")
    page.write_text(with_tables(page.read_text(), told))


if __name__ == "__main__":
    try:
        write(REPORT, PAGE, FIGURES)
    except LabError as error:
        sys.exit(f"probe: {error}")
