"""From samples to rows: each figure as a ratio to direct within its round, then median and quartiles over the rounds.

Runs of different rounds are never compared: the machine's other work changes between rounds.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from lab.bench.load.profiles import Sample
from lab.report.figures import round_figure, spread

Row = dict[str, Any]
Report = Mapping[str, Any]
MEDIANS = {
    "p50": "p50_ms",
    "p99": "p99_ms",
    "requests_per_second": "requests_per_second",
    "cpu_us": "cpu_us_per_request",
    "bytes": "bytes_per_request",
    "kb_per_connection": "kb_per_connection",
}
"""Figures of a sample whose own median is shown, and its name in the row."""


def ratios(
    samples: Iterable[Sample], load: str, figure: str, variant: str, base: Sequence[str]
) -> list[float]:
    """A variant's figure to the mean of the base's, round by round; rounds in which one is missing are left out."""
    rounds: dict[int, dict[str, float]] = {}
    for one in samples:
        value = getattr(one, figure)
        if one.load == load and value is not None:
            rounds.setdefault(one.round, {})[one.variant] = value
    return [
        found[variant] / fmean(found[name] for name in base)
        for found in rounds.values()
        if variant in found and all(found.get(name) for name in base)
    ]


def rows(
    samples: Sequence[Sample], base: Sequence[str], cannot: Mapping[str, Mapping[str, str]]
) -> list[Row]:
    """A row for each variant and load, in the order in which they were first measured.

    `base`: the variants to compare with. Its second member is the same variant again; it is compared with the first
    alone and shows the noise. `cannot`: by variant the loads that it cannot carry, with the reason.
    """
    variants = dict.fromkeys(one.variant for one in samples)
    loads = dict.fromkeys(one.load for one in samples)
    return [
        {"variant": variant, "load": load, "not_possible": why}
        if (why := cannot.get(variant, {}).get(load))
        else _row(samples, variant, load, base)
        for load in loads
        for variant in variants
    ]


def _row(samples: Sequence[Sample], variant: str, load: str, base: Sequence[str]) -> Row:
    """The figures that were measured."""
    compared = base[:1] if variant in base else base
    row: Row = {"variant": variant, "load": load}

    def add_ratio(figure: str, middle: str, prefix: str) -> None:
        if found := ratios(samples, load, figure, variant, compared):
            one = spread(found)
            names = (middle, f"{prefix}_low", f"{prefix}_high")
            row.update(zip(names, map(round_figure, one), strict=True))

    def add_median(figure: str, name: str) -> None:
        own = (one for one in samples if (one.variant, one.load) == (variant, load))
        if values := [value for one in own if (value := getattr(one, figure)) is not None]:
            row[name] = round_figure(median(values))

    add_ratio("requests_per_second", "ratio_to_direct", "ratio")
    for figure in ("p50", "p99", "p999"):
        add_ratio(figure, f"{figure}_ratio", figure)
    for figure, name in MEDIANS.items():
        add_median(figure, name)
    return row
