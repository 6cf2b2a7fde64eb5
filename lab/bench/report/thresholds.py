"""What the product promises of its speed. Pure. It must never lower a bar by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.bench.load.profiles import (
    FAN_OUT,
    IDLE,
    LOADS,
    MEDIUM_VALUES,
    PIPELINED,
    SATURATED,
    SET_UP,
    UNLOADED,
    Sample,
)
from lab.bench.report.statistics import ratios, rounded, spread
from lab.bench.setup.variants import AGAIN, DIRECT, ENVOY, HAPROXY, KERNEL
from lab.errors import LabError

WISHED = (SATURATED, MEDIUM_VALUES, SET_UP)
"""Where Envoy spares the node work that no pass-through can: docs/performance.md says which."""
THROUGHPUT, CPU, MEMORY, P99 = "requests_per_second", "cpu_us", "kb_per_connection", "p99"

SPECIAL = {PIPELINED, FAN_OUT, *WISHED}


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure of the HAProxies as deployed, as a ratio to another way's in the same round."""

    what: str
    load: str
    figure: str
    to: tuple[str, ...]
    limit: float
    at_least: bool = False
    aim: bool = False
    """Wished for, not promised: it does not fail the run."""

    def told(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """What was measured, and whether it is good enough. Raises LabError when it was not measured."""
        found = ratios(samples, self.load, self.figure, HAPROXY, self.to)
        if not found:
            raise LabError(f"not measured: {self.what}")
        seen = spread(found)
        return {
            "what": self.what,
            "aim": self.aim,
            "value": rounded(seen.median),
            "low": rounded(seen.low),
            "high": rounded(seen.high),
            "at_least" if self.at_least else "at_most": self.limit,
            "met": seen.median >= self.limit if self.at_least else seen.median <= self.limit,
        }


def _throughput(load: str, to: str, limit: float, *, aim: bool = False) -> Bar:
    return Bar(
        f"requests/s to {to}'s, {load}", load, THROUGHPUT, (to,), limit, at_least=True, aim=aim
    )


BARS = (
    # Envoy cannot carry a fan-out at all
    *(_throughput(load.name, ENVOY, 1.0) for load in LOADS if load.name not in SPECIAL),
    _throughput(PIPELINED, ENVOY, 1.6),
    Bar(f"CPU per request to {ENVOY}'s, {PIPELINED}", PIPELINED, CPU, (ENVOY,), 0.40),
    Bar(f"memory per connection to {ENVOY}'s", IDLE, MEMORY, (ENVOY,), 0.30),
    Bar(f"p99 to direct's, {UNLOADED}", UNLOADED, P99, (DIRECT, AGAIN), 2.5),
    _throughput(SATURATED, KERNEL, 0.6),
    _throughput(SET_UP, KERNEL, 0.75),
    *(_throughput(load, ENVOY, 1.0, aim=True) for load in WISHED),
    _throughput(SATURATED, ENVOY, 1.3, aim=True),
    Bar(f"CPU per request to {ENVOY}'s, {SATURATED}", SATURATED, CPU, (ENVOY,), 0.85, aim=True),
    _throughput(SATURATED, KERNEL, 0.75, aim=True),
    _throughput(PIPELINED, KERNEL, 0.75, aim=True),
)


def judged(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Every bar with what was measured. Raises LabError when one could not be measured."""
    return [bar.told(samples) for bar in BARS]
