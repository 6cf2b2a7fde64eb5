"""The measured tables of docs/probe.md with their figures in docs/probe.json.

`python -m lab.detection.report` writes them from build/lab/probe.json, a run in which every scenario passed.
"""

import sys
from pathlib import Path

from lab import layout
from lab.detection.faults import FAULTS
from lab.detection.scenarios import SUITE
from lab.errors import LabError
from lab.report.page import passed_figures, write_page
from lab.report.table import Table
from lab.scenarios.scenario import Figures

PAGE = layout.ROOT / "docs" / "probe.md"
REPORT = layout.ROOT / "build" / "lab" / "probe.json"
COST = {
    "wall_seconds": "seconds",
    "cpu_seconds": "of these CPU",
    "peak_mib": "memory, MiB",
    "connections": "connections",
    "request_kib": "map, KiB",
    "answer_kib": "report, KiB",
}
"""A run's figures, and their headings."""
HEALTHY = ("runs", "acknowledged", "false_verdicts", "errors")


def summarize(figures: Figures) -> Figures:
    """What the page shows of the scenarios' figures."""
    runs = figures["probe_costs_little"]["sizes"]
    return {
        "cost": {names: {key: run[key] for key in COST} for names, run in runs.items()},
        "verdicts": dict(line.split(": ", 1) for line in figures["anomalies_are_seen"]["faults"]),
        "healthy": {key: figures["healthy_paths_stay_ok"][key] for key in HEALTHY},
    }


def blocks(summary: Figures) -> dict[str, str]:
    """The generated blocks of the page."""
    costs = [[names, *(f"{run[key]:,}" for key in COST)] for names, run in summary["cost"].items()]
    verdicts = [
        (f"`{name}`", str(fault.__doc__).removesuffix("."), summary["verdicts"][name])
        for name, fault in FAULTS.items()
    ]
    healthy = summary["healthy"]
    return {
        "cost": Table(("names", *COST.values()), costs).to_markdown(),
        "proof": Table(("fault", "what happens", "the probe says"), verdicts, left=3).to_markdown()
        + f"\n\n{healthy['runs']} runs in order beside {healthy['acknowledged']:,} writes of a client:"
        f" {healthy['false_verdicts']} false verdicts, {healthy['errors']} errors of a client.",
    }


def write(report: Path, page: Path) -> None:
    """Writes the page's tables and the figures beside it from a run's report; raises LabError."""
    summary = summarize(passed_figures(report, [one.__name__ for one in SUITE]))
    write_page(page, summary, blocks(summary))


if __name__ == "__main__":
    try:
        write(REPORT, PAGE)
    except LabError as error:
        sys.exit(f"probe: {error}")
