"""The reports of the benchmark and of the tuning: build/bench/report.json and tuning.json, tables, plots, the page."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from lab.bench.load.profiles import LOADS, Sample
from lab.bench.load.tuning import COPY, COPY_AGAIN
from lab.bench.report import page, plots
from lab.bench.report.statistics import rows
from lab.bench.report.thresholds import check_thresholds
from lab.bench.setup import programs
from lab.bench.setup.variants import AGAIN, DIRECT
from lab.report.publish import publish
from lab.report.threshold import Threshold


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
    # a tuning is compared with two unchanged copies; the copy with a quarter of a core is not one of them
    base = (COPY, COPY_AGAIN) if tune else (DIRECT, AGAIN)
    report = {"rows": rows(samples, base, measured["cannot"]), **facts}
    thresholds: list[Threshold] = []
    if tune:
        part = "tuning"
        report["not_run"] = measured["not_run"]
        tables = [page.tuning_table(report)]
    else:
        part = "report"
        report["loads"] = {load.name: load.what for load in LOADS}
        tables = [page.load_table(report, load) for load in report["loads"]]
        thresholds = check_thresholds(samples)
        plots.write_all(report, programs.HOME, "png")
    path = programs.HOME / f"{part}.json"
    whole = report | {"samples": measured["samples"]}
    code = publish(console, path, whole, tables, thresholds)
    for name, why in measured["not_run"].items():
        console.print(f"not run: {name}: {why}")
    if docs:
        page.write(part, report, thresholds)
        console.print(f"written to {page.PAGE.name}, {page.FIGURES.name} and {page.IMAGES.name}/")
    return code
