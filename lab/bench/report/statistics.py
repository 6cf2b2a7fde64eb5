"""From runs to rows: each figure as a ratio to direct within its round, then the median over the rounds.

Pure. `low` and `high` are the quartiles. It must never compare runs of different rounds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, quantiles
from typing import Any

from lab.bench.load.profiles import Sample

Row = dict[str, Any]
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Of one value, all three are that value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


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
    samples: Sequence[Sample],
    base: Sequence[str],
    cannot: Callable[[str, str], str | None],
) -> list[Row]:
    """A row for each variant and load, in the order in which they were first measured.

    `base`: what is compared with; its second member (the same thing again) is compared with its first, which shows
    the noise. `cannot`: why a variant cannot carry a load.
    """
    variants = list(dict.fromkeys(one.variant for one in samples))
    loads = list(dict.fromkeys(one.load for one in samples))
    return [
        _row(samples, variant, load, base)
        if not (why := cannot(variant, load))
        else {"variant": variant, "load": load, "not_possible": why}
        for load in loads
        for variant in variants
    ]


def _row(samples: Sequence[Sample], variant: str, load: str, base: Sequence[str]) -> Row:
    compared = base[:1] if variant in base else base
    own = [one for one in samples if (one.variant, one.load) == (variant, load)]

    def ratio(figure: str) -> Spread | None:
        found = ratios(samples, load, figure, variant, compared)
        return spread(found) if found else None

    def own_median(figure: str) -> float | None:
        values = [value for one in own if (value := getattr(one, figure)) is not None]
        return rounded(median(values)) if values else None

    throughput = ratio("requests_per_second")
    row: Row = {
        "variant": variant,
        "load": load,
        "rounds": len(own),
        "ratio_to_direct": throughput and rounded(throughput.median),
        "ratio_low": throughput and rounded(throughput.low),
        "ratio_high": throughput and rounded(throughput.high),
    }
    for figure in ("p50", "p99", "p999"):
        found = ratio(figure)
        for suffix, value in asdict(found).items() if found else ():
            name = {"median": f"{figure}_ratio"}.get(suffix, f"{figure}_{suffix}")
            row[name] = rounded(value)
        row.setdefault(f"{figure}_ratio", None)
        row[f"{figure}_ms"] = own_median(figure)
    return row | {
        "requests_per_second": own_median("requests_per_second"),
        "cpu_us_per_request": own_median("cpu_us"),
        "bytes_per_request": own_median("bytes"),
        "kb_per_connection": own_median("kb_per_connection"),
    }


def rounded(value: float) -> float:
    """Four digits that mean something."""
    return float(f"{value:.{DIGITS}g}")
