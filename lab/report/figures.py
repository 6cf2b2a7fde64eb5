"""Statistics of measured values, and how they are rounded and shown."""

import math
from collections.abc import Sequence
from statistics import quantiles
from typing import NamedTuple

DIGITS = 4
HUNDRED = 100


class Spread(NamedTuple):
    """A median with the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of at least one value; a single value is all three."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` (0 to 100) of all values do not exceed; 0 when there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def round_figure(value: float) -> float:
    """The value with four significant digits."""
    return float(f"{value:.{DIGITS}g}")


def format_figure(value: float | None) -> str:
    """The value with three significant digits, from 100 on as a whole number; a dash for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= HUNDRED else f"{value:.3g}"
