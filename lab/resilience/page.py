"""`python -m lab.resilience.page`: writes the measured table of docs/faults.md from build/lab/faults.json.

It must never write figures of a run in which a promise was broken, or in which a fault was not played.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import layout
from lab.errors import LabError
from lab.resilience.suite import CHAPTER, DEPLOYS
from lab.resilience.table import CLIENTS, of_clients, of_crowds

PAGE = layout.ROOT / "docs" / "faults.md"
FIGURES = PAGE.with_suffix(".json")
REPORT = layout.ROOT / "build" / "lab" / "faults.json"
START, END = "<!-- figures -->\n", "<!-- /figures -->"
WIDTHS = "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"
HEADINGS = (
    "fault",
    "what happens",
    "pool, longest gap",
    "its bar",
    "fresh, longest gap",
    "pool without us",
    "fresh without us",
    "errors / failed",
    "lost by us",
    "lost by Redis, with / without us",
)
FAULTS = {play.__name__: play for play in CHAPTER if play not in DEPLOYS}

Figures = dict[str, Any]


def chosen(report: Figures) -> list[Figures]:
    """Each fault's name and what its clients saw, in the chapter's order; raises LabError for what is not there."""
    told = {one["name"]: one for one in report["scenarios"]}
    missing = [name for name in FAULTS if not told.get(name, {}).get("passed")]
    if missing:
        msg = f"docs/faults.md needs a run in which all passed; these did not: {', '.join(missing)}"
        raise LabError(msg)
    return [{"name": name, "figures": told[name]["figures"]} for name in FAULTS]


def table(faults: Sequence[Figures]) -> str:
    """The table of the page."""
    rows = [f"| {' | '.join(HEADINGS)} |", WIDTHS]
    rows += [f"| {' | '.join(_row(one['name'], one['figures']))} |" for one in faults]
    return "\n".join(rows) + "\n"


def _row(name: str, figures: Figures) -> list[str]:
    play = FAULTS[name]
    what = " ".join(str(play.__doc__).split("\n\n")[0].split()).removesuffix(".")
    if not of_clients(figures):
        return [f"`{name}`", f"{what}. Seen: {', '.join(of_crowds(figures))}", *[""] * 8]
    pooled, fresh, direct = (figures[who] for who in CLIENTS)
    if alone := figures.get("without_a_second"):
        what += (
            f". A node with one HAProxy: {_seconds(alone['pooled'])}, of which the lab lets ECS take "
            f"{alone['ecs_notices_seconds']:g} s to notice"
        )
    return [
        f"`{name}`",
        what,
        _seconds(pooled),
        f"{pooled['bar_seconds']:.1f} s" if "bar_seconds" in pooled else "",
        _seconds(fresh),
        _seconds(direct),
        _seconds(figures["direct_fresh"]) if "direct_fresh" in figures else "",
        f"{pooled['errors'] + fresh['errors']} / {pooled['failed'] + fresh['failed']}",
        str(pooled["lost_acknowledged"] + fresh["lost_acknowledged"]),
        f"{pooled['lost_on_failover'] + fresh['lost_on_failover']} / {direct['lost_on_failover']}",
    ]


def _seconds(figures: Figures) -> str:
    return f"{figures['longest_gap_seconds']:.1f} s"


def with_table(page: str, faults: Sequence[Figures]) -> str:
    """The page with this table in place of the one between its marks."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table(faults)}{END}{after}"


def write(report: Path, page: Path, figures: Path) -> None:
    """Writes the page's table, and the figures that it shows beside it; raises LabError."""
    faults = chosen(json.loads(report.read_text()))
    figures.write_text(json.dumps(faults, indent=1) + "\n")
    page.write_text(with_table(page.read_text(), faults))


if __name__ == "__main__":
    try:
        write(REPORT, PAGE, FIGURES)
    except LabError as error:
        sys.exit(f"faults: {error}")
