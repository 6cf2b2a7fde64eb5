"""The plots of a report: throughput, latency, CPU. They have a white background, readable on a dark page as well.

The same figures make the same SVG.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.bench.load.profiles import IDLE, UNLOADED
from lab.bench.report.statistics import Report, Row
from lab.bench.setup.variants import AGAIN, ENVOY, HAPROXY, KERNEL, SNI

Values = tuple[float, float, float]
"""Median, low and high quartile."""
COMPARED = (AGAIN, KERNEL, HAPROXY, SNI, ENVOY)
COLOURS = {
    AGAIN: "#b0b0b0",
    KERNEL: "#5f6b7a",
    HAPROXY: "#0a6ebd",
    SNI: "#6cb4e8",
    ENVOY: "#d1651a",
}
INK = "#1f2328"
STYLE: Any = {
    "svg.hashsalt": "nodeway",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def write_all(report: Report, directory: Path) -> list[Path]:
    """Every plot as a file `performance-NAME.svg`."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for name, draw in PLOTS.items():
            path = directory / f"performance-{name}.svg"
            draw(report).savefig(path, facecolor="white", metadata={"Date": None})
            written.append(path)
    return written


def _row(report: Report, variant: str, load: str) -> Row:
    return next(row for row in report["rows"] if (row["variant"], row["load"]) == (variant, load))


def _spread(row: Row, middle: str, prefix: str) -> Values | None:
    return (row[middle], row[f"{prefix}_low"], row[f"{prefix}_high"]) if middle in row else None


def _grouped(
    axes: Axes,
    groups: Sequence[str],
    variants: Sequence[str],
    of: Callable[[str, str], Values | None],
    *,
    numbers: bool = False,
) -> None:
    """Bars side by side, with a whisker from low to high; nothing where there is no figure."""
    width = 0.8 / len(variants)
    for place, variant in enumerate(variants):
        found = [(x, of(variant, group)) for x, group in enumerate(groups)]
        seen = [(x, one) for x, one in found if one is not None]
        middles = [one[0] for _, one in seen]
        whiskers = [
            [max(0.0, one[0] - one[1]) for _, one in seen],
            [max(0.0, one[2] - one[0]) for _, one in seen],
        ]
        drawn = axes.bar(
            [x + (place - (len(variants) - 1) / 2) * width for x, _ in seen],
            middles,
            width * 0.92,
            yerr=whiskers if any(map(any, whiskers)) else None,
            label=variant,
            color=COLOURS[variant],
            error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2},
        )
        if numbers:
            axes.bar_label(drawn, fmt="%.3g", fontsize=7, padding=1)
    axes.set_xticks(range(len(groups)), groups)
    axes.tick_params(axis="x", length=0)


def _throughput(report: Report) -> Figure:
    def ratio(variant: str, load: str) -> Values | None:
        return _spread(_row(report, variant, load), "ratio_to_direct", "ratio")

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    axes = figure.subplots()
    _grouped(axes, list(report["loads"]), COMPARED, ratio)
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set_ylabel("requests/s, direct = 1")
    axes.set_title("Throughput (higher is better; whiskers: quartiles over the rounds)", loc="left")
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return figure


def _latency(report: Report) -> Figure:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    for axes, load in zip(figure.subplots(1, 2), (UNLOADED, IDLE), strict=True):

        def ratio(variant: str, what: str, load: str = load) -> Values | None:
            name = what.replace(".", "")
            return _spread(_row(report, variant, load), f"{name}_ratio", name)

        _grouped(axes, ["p50", "p99", "p99.9"], COMPARED, ratio)
        axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
        axes.set_title(report["loads"][load], loc="left", fontsize=10)
        axes.set_ylabel("latency, direct = 1")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle("Latency of one request at a time (lower is better)", x=0.01, ha="left")
    return figure


def _cpu(report: Report) -> Figure:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    axes = figure.subplots()

    def cpu(variant: str, load: str) -> Values | None:
        spent = _row(report, variant, load).get("cpu_us_per_request")
        return spent and (spent, spent, spent)

    _grouped(axes, list(report["loads"]), [HAPROXY, SNI, ENVOY], cpu, numbers=True)
    axes.set_yscale("log")
    axes.set_ylabel("microseconds, logarithmic")
    axes.set_title("CPU of the proxy for a request (lower is better)", loc="left")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


PLOTS: Mapping[str, Callable[[Report], Figure]] = {
    "throughput": _throughput,
    "latency": _latency,
    "cpu": _cpu,
}
