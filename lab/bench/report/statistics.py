"""From samples to rows: each figure as a ratio to direct within its round, then median and quartiles over the rounds.

Runs of different rounds are never compared: the machine's other work changes between rounds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, median
from typing import Any

from lab.bench.load.profiles import Sample
from lab.report.figures import Spread, round_figure, spread

Row = dict[str, Any]
Report = Mapping[str, Any]


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
    reason: Callable[[str, str], str | None],
) -> list[Row]:
    """A row for each variant and load, in the order in which they were first measured.

    `base`: the variants to compare with. Its second member is the same variant again; it is compared with the first
    alone and shows the noise. `reason`: why a variant cannot carry a load, or None.
    """
    variants = list(dict.fromkeys(one.variant for one in samples))
    loads = list(dict.fromkeys(one.load for one in samples))
    return [
        _row(samples, variant, load, base)
        if not (why := reason(variant, load))
        else {"variant": variant, "load": load, "not_possible": why}
        for load in loads
        for variant in variants
    ]


def _row(samples: Sequence[Sample], variant: str, load: str, base: Sequence[str]) -> Row:
    compared = base[:1] if variant in base else base
    own = [one for one in samples if (one.variant, one.load) == (variant, load)]

    def ratio(figure: str, middle: str, prefix: str) -> Row:
        found = ratios(samples, load, figure, variant, compared)
        values = asdict(spread(found)) if found else dict.fromkeys(Spread.__slots__)
        names = {"median": middle, "low": f"{prefix}_low", "high": f"{prefix}_high"}
        return {names[key]: value and round_figure(value) for key, value in values.items()}

    def own_median(figure: str) -> float | None:
        values = [value for one in own if (value := getattr(one, figure)) is not None]
        return round_figure(median(values)) if values else None

    row: Row = {"variant": variant, "load": load}
    row |= ratio("requests_per_second", "ratio_to_direct", "ratio")
    for figure in ("p50", "p99", "p999"):
        row |= ratio(figure, f"{figure}_ratio", figure)
    return row | {
        "p50_ms": own_median("p50"),
        "p99_ms": own_median("p99"),
        "requests_per_second": own_median("requests_per_second"),
        "cpu_us_per_request": own_median("cpu_us"),
        "bytes_per_request": own_median("bytes"),
        "kb_per_connection": own_median("kb_per_connection"),
    }
