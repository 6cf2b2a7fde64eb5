"""docs/performance.md, written from the figures in docs/performance.json and from nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab import layout
from lab.bench.report import plots
from lab.bench.report.page_page_text import HEAD, METHOD, NOT_SAID, TUNING, WHY
from lab.bench.setup.variants import DIRECT

DOCS = layout.ROOT / "docs"
FIGURES = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
IMAGES = DOCS / "img"
ALTERNATIVES = {
    "throughput": "Requests a second of every way as a ratio to direct, for each load",
    "latency": "Latency of one request at a time of every way as a ratio to direct",
    "cpu": "Microseconds of CPU that each proxy takes for a request, for each load",
}
HUNDRED = 100
BUSY = 0.75
"""Load average for each core above which the figures decide nothing; it forgets slowly what has just ended."""

Row = Mapping[str, Any]


def keep(part: str, report: Mapping[str, Any]) -> None:
    """Puts a report (`report` or `tuning`) into the docs, and writes the page and its plots anew."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures[part] = {name: value for name, value in report.items() if name != "samples"}
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    if "report" in figures:
        plots.write_all(figures["report"], IMAGES, "svg")
        PAGE.write_text(written(figures))


def written(figures: Mapping[str, Any]) -> str:
    """The page."""
    report = figures["report"]
    parts = [
        HEAD,
        *_busy(report["machine"]),
        *_bars(report["bars"]),
        WHY,
        "## The ways, load by load",
        *_images(),
    ]
    parts += _loads(report)
    parts += [METHOD.format(rounds=report["rounds"]), *_tuning(figures.get("tuning"))]
    parts += [NOT_SAID, *_made_on(report)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _busy(machine: Mapping[str, Any]) -> Iterator[str]:
    """A warning where the machine had other work to do."""
    load, cores = machine["load_before"], machine["cores"]
    if load > BUSY * cores:
        yield (
            f"**The machine was busy with other work** (load average {load:.1f} on {cores} cores before the run):"
            "\nno bar is decided by these figures. Repeat it on an idle machine."
        )


def _images() -> Iterator[str]:
    for name, says in ALTERNATIVES.items():
        path = Path(IMAGES.name) / f"performance-{name}.svg"
        yield f"![{says}]({path})"


def _bars(bars: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "A bar fails the run when it is not met; an aim does not. Each figure is a ratio within a round: the median of"
        "\nthe rounds, with the quartiles."
    )
    yield table(
        ("the HAProxies as deployed", "wanted", "measured", "quartiles", ""),
        [
            (
                bar["what"],
                f"≥ {bar['at_least']:g}" if "at_least" in bar else f"≤ {bar['at_most']:g}",
                number(bar["value"]),
                f"{number(bar['low'])} to {number(bar['high'])}",
                ("aim, " * bar["aim"]) + ("met" if bar["met"] else "**not met**"),
            )
            for bar in bars
        ],
    )


def _loads(report: Mapping[str, Any]) -> Iterator[str]:
    for load, what in report["loads"].items():
        rows = [row for row in report["rows"] if row["load"] == load]
        yield f"### {load[0].upper()}{load[1:]}: {what}"
        yield table(
            (
                *("way", "requests/s", "quartiles", "p50", "p99", "p99.9"),
                *("CPU us", "bytes copied", "KiB a connection"),
            ),
            [_way(row) for row in rows],
        )
        yield _absolute(next(row for row in rows if row["variant"] == DIRECT))


def _way(row: Row) -> Sequence[str]:
    if "not_possible" in row:
        return (row["variant"], f"not possible: {row['not_possible']}", *[""] * 7)
    spread = f"{number(row['ratio_low'])} to {number(row['ratio_high'])}"
    names = (
        *("p50_ratio", "p99_ratio", "p999_ratio"),
        *("cpu_us_per_request", "bytes_per_request", "kb_per_connection"),
    )
    figures = [number(row[name]) for name in names]
    return (row["variant"], number(row["ratio_to_direct"]), spread, *figures)


def _absolute(direct: Row) -> str:
    told = f"Direct: {number(direct['requests_per_second'])} a second"
    if direct["p50_ms"] is None:
        return told + "."
    return told + f", p50 {number(direct['p50_ms'])} ms, p99 {number(direct['p99_ms'])} ms."


def _tuning(tuning: Mapping[str, Any] | None) -> Iterator[str]:
    if tuning is None:
        return
    yield TUNING.format(rounds=tuning["rounds"])
    loads = list(dict.fromkeys(row["load"] for row in tuning["rows"]))
    tried = list(dict.fromkeys(row["variant"] for row in tuning["rows"]))
    by_place = {(row["variant"], row["load"]): row for row in tuning["rows"]}
    yield table(
        ("changed", *loads),
        [(name, *(_trial(by_place[name, load]) for load in loads)) for name in tried],
    )
    for name, why in tuning["not_run"].items():
        yield f"Not run: {name}: {why}."


def _trial(row: Row) -> str:
    if "not_possible" in row:
        return str(row["not_possible"])
    return f"{number(row['ratio_to_direct'])} ({number(row['cpu_us_per_request'])} us)"


def _made_on(report: Mapping[str, Any]) -> Iterator[str]:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield "## Machine and versions"
    yield (
        f"{machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, load average before the run"
        f" {machine['load_before']:.1f}.\n{versions}."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, names to the left and figures to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None) -> str:
    """A figure with three digits that mean something."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= HUNDRED else f"{value:.3g}"
