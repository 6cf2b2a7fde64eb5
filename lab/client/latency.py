"""What a crowd's figures are made of. It must never touch a connection: numbers in, numbers out."""

import math
import resource
from collections.abc import Callable, Sequence
from typing import Any

Figures = dict[str, Any]
Stage = Callable[[Figures], None]
"""Told the figures so far; returns when the crowd may go on."""

KIB_PER_MIB = 1024


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share (0 to 1) of all does not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def times(values: Sequence[float]) -> Figures:
    """Seconds, shown as milliseconds."""
    return {
        "p50_ms": round(percentile(values, 0.5) * 1000, 2),
        "p99_ms": round(percentile(values, 0.99) * 1000, 2),
        "max_ms": round(max(values, default=0.0) * 1000, 2),
    }


def own_memory_mib() -> int:
    """The most that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB
