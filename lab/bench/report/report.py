"""The reports of the benchmark and of the tuning: build/bench/report.json and tuning.json, tables, plots, the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from lab.bench.load.profiles import LOADS, Sample
from lab.bench.load.tuning import COPY, COPY_AGAIN
from lab.bench.report import page, plots
from lab.bench.report.statistics import Row, rows
from lab.bench.report.thresholds import check_thresholds
from lab.bench.setup import programs
from lab.bench.setup.variants import AGAIN, DIRECT
from lab.report.figures import format_figure
from lab.report.publish import publish
from lab.report.table import Table

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


def publish_report(
    measured: Mapping[str, Any],
    facts: Mapping[str, Any],
    console: Console,
    *,
    docs: bool,
    tune: bool,
) -> int:
    """Writes and prints the report of what was measured, with `docs` the page, too; gives the exit code.

    `facts`: machine, versions and rounds. Raises LabError when a threshold was not measured.
    """
    samples = [Sample(**one) for one in measured["samples"]]
    reasons = {(one["variant"], one["load"]): str(one["why"]) for one in measured["cannot"]}
    # a tuning is compared with two unchanged copies; the copy with a quarter of a core is not one of them
    base = (COPY, COPY_AGAIN) if tune else (DIRECT, AGAIN)
    found = rows(samples, base, lambda variant, load: reasons.get((variant, load)))
    report = {"rows": found, **facts, "samples": measured["samples"]}
    if tune:
        report["not_run"] = measured["not_run"]
        part, thresholds = "tuning", []
    else:
        report["loads"] = {load.name: load.what for load in LOADS}
        part, thresholds = "report", check_thresholds(samples)
        plots.write_all(report, programs.HOME, "png")
    path = programs.HOME / f"{part}.json"
    code = publish(console, path, report, terminal_table(found, base[0]), thresholds)
    for name, why in report.get("not_run", {}).items():
        console.print(f"not run: {name}: {why}")
    if docs:
        page.write(part, report, thresholds)
        console.print("docs/performance.md is written")
    return code


def terminal_table(rows_: Sequence[Row], base: str) -> Table:
    """The rows, with a line between loads."""
    shown: list[list[str]] = []
    load = ""
    for row in rows_:
        if shown and row["load"] != load:
            shown.append([])
        figures = [format_figure(row.get(name)) for name in COLUMNS]
        if "not_possible" in row:
            figures[0] = "not possible"
        shown.append([row["load"] if row["load"] != load else "", row["variant"], *figures])
        load = row["load"]
    title = (
        f"Ratios to {base} in the same round: median, low and high quartile;"
        " CPU and memory of the proxy"
    )
    return Table(("load", "variant", *COLUMNS.values()), shown, left=2, title=title)
