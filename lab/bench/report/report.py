"""What the benchmark leaves behind: build/bench/report.json or tuning.json, plots, tables, and the page of the docs."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.bench.load.profiles import LOADS, Sample
from lab.bench.load.tuning import COPY, COPY_AGAIN, QUARTER
from lab.bench.report import page, plots
from lab.bench.report.statistics import rows
from lab.bench.report.thresholds import judged
from lab.bench.setup import programs
from lab.bench.setup.variants import AGAIN, DIRECT

Made = dict[str, Any]
REPORT = programs.HOME / "report.json"
TUNING = programs.HOME / "tuning.json"
COLUMNS = {
    "ratio_to_direct": "x requests/s",
    "ratio_low": "low",
    "ratio_high": "high",
    "p50_ratio": "x p50",
    "p99_ratio": "x p99",
    "p999_ratio": "x p99.9",
    "cpu_us_per_request": "CPU us",
    "bytes_per_request": "bytes copied",
    "kb_per_connection": "KiB/connection",
}


def made(found: Mapping[str, Any], facts: Mapping[str, Any]) -> Made:
    """The report of a benchmark. Raises LabError when a bar could not be measured."""
    samples = [Sample(**one) for one in found["samples"]]
    return {
        "rows": rows(samples, (DIRECT, AGAIN), _reasons(found)),
        "bars": judged(samples),
        **facts,
        "loads": {load.name: load.what for load in LOADS},
        "samples": found["samples"],
    }


def _reasons(found: Mapping[str, Any]) -> Callable[[str, str], str | None]:
    """Why a way cannot carry a load, if it cannot."""
    reasons = {(one["variant"], one["load"]): str(one["why"]) for one in found["cannot"]}
    return lambda way, load: reasons.get((way, load))


def tuned(found: Mapping[str, Any], facts: Mapping[str, Any]) -> Made:
    """The report of a tuning: compared with the deployed configuration. A ratio of 1 changes nothing."""
    samples = [Sample(**one) for one in found["samples"]]
    # a quarter of a core is another machine, not a part of the noise
    base = (COPY, COPY_AGAIN)
    return {
        "rows": rows(samples, base, _reasons(found)),
        "not_run": found["not_run"],
        "other_size": QUARTER,
        **facts,
        "samples": found["samples"],
    }


def give(report: Made, console: Console, *, docs: bool, tune: bool) -> int:
    """Writes and prints all of it; gives 0 when every bar is met."""
    path = TUNING if tune else REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
    console.print(table(report["rows"], "as deployed" if tune else "direct"))
    for bar in report.get("bars", ()):
        console.print(verdict(bar), highlight=False)
    for name, why in report.get("not_run", {}).items():
        console.print(f"not run: {name}: {why}", highlight=False)
    if not tune:
        plots.write_all(report, programs.HOME, "png")
    if docs:
        page.keep("tuning" if tune else "report", report)
    console.print(f"written to {os.path.relpath(path)}" + ", docs/performance.md" * docs)
    return 0 if all(bar["met"] or bar["aim"] for bar in report.get("bars", ())) else 1


def verdict(bar: Mapping[str, Any]) -> str:
    """A bar for a person."""
    kind = "at_least" if "at_least" in bar else "at_most"
    mark = "met" if bar["met"] else "NOT MET"
    aim = "aim " * bar["aim"]
    return (
        f"{aim}{mark}: {bar['what']}: {bar['value']:g} ({bar['low']:g} to {bar['high']:g}),"
        f" {kind.replace('_', ' ')} {bar[kind]:g}"
    )


def table(rows_: list[dict[str, Any]], base: str) -> Table:
    """The rows for a person."""
    shown = Table(
        title=f"Ratios to {base} in the same round: median, low and high quartile; CPU and memory of the proxy",
        title_justify="left",
    )
    shown.add_column("load", no_wrap=True)
    shown.add_column("way", no_wrap=True)
    for label in COLUMNS.values():
        shown.add_column(label, justify="right")
    last = ""
    for row in rows_:
        if last and row["load"] != last:
            shown.add_section()
        figures = [figure(row.get(name)) for name in COLUMNS]
        if "not_possible" in row:
            figures[0] = "not possible"
        shown.add_row(row["load"] if row["load"] != last else "", row["variant"], *figures)
        last = row["load"]
    return shown


def figure(value: float | None) -> str:
    """A figure for a person; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004
