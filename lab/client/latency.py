"""Latency figures."""

from collections.abc import Callable, Sequence
from typing import Any

from lab.report.figures import percentile

Figures = dict[str, Any]
Stage = Callable[[Figures], None]
"""Told the figures so far; returns when the crowd may go on."""


def times(values: Sequence[float]) -> Figures:
    """Percentiles of seconds, in milliseconds."""
    return {
        "p50_ms": round(percentile(values, 50) * 1000, 2),
        "p99_ms": round(percentile(values, 99) * 1000, 2),
        "max_ms": round(max(values, default=0.0) * 1000, 2),
    }
