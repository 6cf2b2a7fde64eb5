"""The generated blocks of docs/performance.md and its plots, from the figures in docs/performance.json alone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from lab import layout
from lab.bench.report import plots
from lab.bench.report.statistics import Report, Row
from lab.bench.setup.variants import DIRECT
from lab.report.figures import format_figure
from lab.report.page import write_page
from lab.report.table import Table
from lab.report.threshold import Threshold

PAGE = layout.ROOT / "docs" / "performance.md"
FIGURES = PAGE.with_suffix(".json")
IMAGES = PAGE.with_name("img")
COLUMNS = {
    "p50_ratio": "p50",
    "p99_ratio": "p99",
    "p999_ratio": "p99.9",
    "cpu_us_per_request": "CPU us",
    "bytes_per_request": "bytes copied",
    "kb_per_connection": "KiB a connection",
}
TUNING_COLUMNS = ("variant", "load", "not_possible", "ratio_to_direct", "cpu_us_per_request")
BUSY = 0.75
"""Load average per core above which the page warns; it forgets slowly what has just ended."""


def write(part: str, report: Report, thresholds: Sequence[Threshold]) -> None:
    """Puts a report (`report` or `tuning`) into the docs, and writes the page and its plots anew."""
    figures = json.loads(FIGURES.read_text())
    if part == "tuning":
        rows = [{key: row[key] for key in TUNING_COLUMNS if key in row} for row in report["rows"]]
        figures[part] = {**{key: report[key] for key in ("rounds", "not_run")}, "rows": rows}
    else:
        figures[part] = {**report, "thresholds": [asdict(one) for one in thresholds]}
    plots.write_all(figures["report"], IMAGES)
    write_page(PAGE, figures, blocks(figures))


def blocks(figures: Report) -> dict[str, str]:
    """The generated blocks of the page, by name."""
    report = figures["report"]
    return {
        "thresholds": "\n\n".join(_thresholds(report)),
        "loads": "\n\n".join(_loads(report)),
        "tuning": "\n\n".join(_tuning(figures["tuning"])),
        "machine": _machine(report),
    }


def _thresholds(report: Report) -> Iterator[str]:
    load, cores = report["machine"]["load_before"], report["machine"]["cores"]
    if load > BUSY * cores:
        yield (
            f"**The machine was busy with other work** (load average {load:.1f} on {cores} cores before the run):"
            "\nthese figures decide no threshold. Repeat the run on an idle machine."
        )
    yield f"Rounds: {report['rounds']}."
    rows = [
        (
            one.what,
            one.condition,
            format_figure(one.value),
            one.quartiles,
            ("aim, " * one.aim) + ("met" if one.met else "**not met**"),
        )
        for one in (Threshold(**row) for row in report["thresholds"])
    ]
    head = ("the HAProxies as deployed", "threshold", "measured", "quartiles", "")
    yield Table(head, rows).to_markdown()


def _loads(report: Report) -> Iterator[str]:
    for load in report["loads"]:
        table = load_table(report, load)
        yield f"### {table.title}"
        yield table.to_markdown()
        rows = (row for row in report["rows"] if row["load"] == load)
        yield _absolute(next(row for row in rows if row["variant"] == DIRECT))


def load_table(report: Report, load: str) -> Table:
    """The variants under a load, as ratios to direct in the same round."""
    return Table(
        ("variant", "requests/s", "quartiles", *COLUMNS.values()),
        [_variant(row) for row in report["rows"] if row["load"] == load],
        title=f"{load[0].upper()}{load[1:]}: {report['loads'][load]}",
    )


def _variant(row: Row) -> Sequence[str]:
    if "not_possible" in row:
        return (row["variant"], f"not possible: {row['not_possible']}", *[""] * (len(COLUMNS) + 1))
    quartiles = f"{format_figure(row['ratio_low'])} to {format_figure(row['ratio_high'])}"
    figures = [format_figure(row.get(name)) for name in COLUMNS]
    return (row["variant"], format_figure(row["ratio_to_direct"]), quartiles, *figures)


def _absolute(direct: Row) -> str:
    text = f"Direct: {format_figure(direct['requests_per_second'])} a second"
    if "p50_ms" not in direct:
        return text + "."
    p50, p99 = (format_figure(direct[name]) for name in ("p50_ms", "p99_ms"))
    return f"{text}, p50 {p50} ms, p99 {p99} ms."


def _tuning(tuning: Report) -> Iterator[str]:
    yield f"Rounds: {tuning['rounds']}."
    yield tuning_table(tuning).to_markdown()
    for name, why in tuning["not_run"].items():
        yield f"Not run: {name}: {why}."


def tuning_table(tuning: Report) -> Table:
    """The trials under each load, as ratios to the unchanged copies in the same round."""
    by_place = {(row["variant"], row["load"]): row for row in tuning["rows"]}
    variants, loads = (list(dict.fromkeys(place)) for place in zip(*by_place, strict=True))
    rows = [(name, *(_trial(by_place[name, load]) for load in loads)) for name in variants]
    return Table(("change", *loads), rows)


def _trial(row: Row) -> str:
    if "not_possible" in row:
        return str(row["not_possible"])
    ratio, cpu = (format_figure(row[name]) for name in ("ratio_to_direct", "cpu_us_per_request"))
    return f"{ratio} ({cpu} us)"


def _machine(report: Report) -> str:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return (
        f"{machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, load average before the run"
        f" {machine['load_before']:.1f}.\n{versions}."
    )
