"""The results of faults: a table on a terminal, and the table of docs/faults.md with its figures in docs/faults.json.

`python -m lab.resilience.report` writes the page from build/lab/faults.json, a run in which every fault passed.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import table as rich_table
from rich.markup import escape

from lab import layout
from lab.errors import LabError
from lab.report.page import passed_figures, write_page
from lab.report.table import Table
from lab.resilience.loads import CLIENTS, PROXIED
from lab.resilience.suite import DEPLOYS, SUITE
from lab.scenarios.scenario import Figures, Result

PAGE = layout.ROOT / "docs" / "faults.md"
REPORT = layout.ROOT / "build" / "lab" / "faults.json"
COLUMNS = (
    *("pool gap", "its limit", "fresh gap", "direct pool gap", "direct fresh gap"),
    *("errors / failed", "lost by HAProxies", "lost by Redis, with HAProxies / direct"),
)
FAULTS = {fault.__name__: fault for fault in SUITE if fault not in DEPLOYS}
SIDES = {"through": "through HAProxies", "direct": "direct"}
CONNECTION_FIGURES = {
    "still_open": "{:,} connections stay open",
    "seconds_until_all_back": "all back after {:.1f} s",
    "p99_ms": "p99 of others {:.0f} ms",
}
"""What is shown of many connections, and how."""


def summarize(figures: Figures) -> Figures:
    """What the tables show of a fault's figures: of clients that write, of many connections, or nothing of others."""
    if {*PROXIED, "direct"} <= figures.keys():
        return _summarize_clients(figures)
    if not all(isinstance(figures.get(side), dict) for side in SIDES):
        return {}
    sides = {side: {**figures[side], **figures[side].get("during", {})} for side in SIDES}
    return {
        side: {name: sides[side][name] for name in CONNECTION_FIGURES if name in sides[side]}
        for side in SIDES
    }


def _summarize_clients(figures: Figures) -> Figures:
    def total(name: str) -> int:
        return sum(int(figures[who][name]) for who in PROXIED)

    summary = {
        "gap": {who: figures[who]["longest_gap_seconds"] for who in CLIENTS if who in figures},
        "limit": figures["pooled"].get("limit_seconds"),
        **{name: total(name) for name in ("errors", "failed", "lost_acknowledged")},
        "lost_on_failover": [
            total("lost_on_failover"),
            figures["direct"]["lost_on_failover"],
        ],
    }
    if alone := figures.get("one_haproxy"):
        seconds = alone["pooled"]["longest_gap_seconds"]
        summary["one_haproxy"] = {"gap": seconds, "ecs_notices": alone["ecs_notices_seconds"]}
    return summary


def cells(summary: Figures) -> list[str]:
    """The cells of COLUMNS; empty ones where no client wrote."""
    if "gap" not in summary:
        return [""] * len(COLUMNS)
    pooled, fresh, direct, direct_fresh = (_seconds(summary["gap"].get(who)) for who in CLIENTS)
    return [
        *(pooled, _seconds(summary["limit"]), fresh, direct, direct_fresh),
        f"{summary['errors']} / {summary['failed']}",
        str(summary["lost_acknowledged"]),
        " / ".join(map(str, summary["lost_on_failover"])),
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def describe_connections(summary: Figures) -> list[str]:
    """What happened to many connections, through the HAProxies and direct."""
    return [
        f"{template.format(summary[side][name])} {label}"
        for name, template in CONNECTION_FIGURES.items()
        for side, label in SIDES.items()
        if name in summary.get(side, ())
    ]


def terminal_table(results: Sequence[Result]) -> rich_table.Table:
    """The results of a run, one line a scenario."""
    rows = []
    for result in results:
        summary = summarize(result.figures)
        wrong = result.figures.get("expected") or result.figures.get("error")
        below = f"\n[red]{escape(str(wrong))}[/red]" if wrong else ""
        below += "".join(f"\n[dim]{line}[/dim]" for line in describe_connections(summary))
        verdict = "[green]ok[/green]" if result.passed else "[red]FAILED[/red]"
        rows.append([result.name + below, verdict, f"{result.seconds:.1f}", *cells(summary)])
    title = "Faults under load: through HAProxies, and direct"
    return Table(("fault", "result", "s", *COLUMNS), rows, left=2, title=title).to_terminal()


def page_table(faults: Mapping[str, Figures]) -> str:
    """The table of the page, of the summaries by fault."""
    rows = [(f"`{name}`", _describe(name, one), *cells(one)) for name, one in faults.items()]
    return Table(("fault", "what happens", *COLUMNS), rows, left=2).to_markdown()


def _describe(name: str, summary: Figures) -> str:
    what = " ".join(str(FAULTS[name].__doc__).split("\n\n")[0].split()).removesuffix(".")
    if connections := describe_connections(summary):
        what += f". Measured: {', '.join(connections)}"
    if alone := summary.get("one_haproxy"):
        what += (
            f". A node with one HAProxy: {_seconds(alone['gap'])}, of which the lab lets ECS take"
            f" {alone['ecs_notices']:g} s to notice"
        )
    return what


def write(report: Path, page: Path) -> None:
    """Writes the page's table and the figures beside it from a run's report; raises LabError."""
    figures = passed_figures(report, FAULTS)
    faults: dict[str, Any] = {name: summarize(one) for name, one in figures.items()}
    write_page(page, faults, {"figures": page_table(faults)})


if __name__ == "__main__":
    try:
        write(REPORT, PAGE)
    except LabError as error:
        sys.exit(f"faults: {error}")
