"""The thresholds of the HAProxies as deployed, each a ratio to another variant in the same round."""

from collections.abc import Sequence

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
from lab.bench.report.statistics import ratios
from lab.bench.setup.variants import AGAIN, DIRECT, ENVOY, HAPROXY, KERNEL
from lab.errors import LabError
from lab.report.figures import round_figure, spread
from lab.report.threshold import Threshold

AIMS = (SATURATED, MEDIUM_VALUES, SET_UP)
"""Loads in which Envoy saves the node work that no pass-through can save; docs/performance.md has the reasons."""
REQUESTS, CPU, MEMORY, P99 = "requests_per_second", "cpu_us", "kb_per_connection", "p99"


def check_thresholds(samples: Sequence[Sample]) -> list[Threshold]:
    """All thresholds with their measured values; raises LabError when one was not measured."""

    def compare(
        what: str, load: str, figure: str, limit: float, *to: str, **kind: bool
    ) -> Threshold:
        """A figure that may be at most `limit` times the mean of the variants `to`."""
        found = ratios(samples, load, figure, HAPROXY, to)
        if not found:
            raise LabError(f"not measured: {what}")
        middle, low, high = map(round_figure, spread(found))
        return Threshold(what, middle, limit, low=low, high=high, **kind)

    def throughput(load: str, to: str, limit: float, *, aim: bool = False) -> Threshold:
        """Requests per second of at least `limit` times those of the variant `to`."""
        what = f"requests/s to {to}'s, {load}"
        return compare(what, load, REQUESTS, limit, to, at_least=True, aim=aim)

    # Envoy cannot carry a fan-out at all
    plain = [load.name for load in LOADS if load.name not in {PIPELINED, FAN_OUT, *AIMS}]
    cpu = f"CPU per request to {ENVOY}'s"
    return [
        *(throughput(load, ENVOY, 1.0) for load in plain),
        throughput(PIPELINED, ENVOY, 1.6),
        compare(f"{cpu}, {PIPELINED}", PIPELINED, CPU, 0.40, ENVOY),
        compare(f"memory per connection to {ENVOY}'s", IDLE, MEMORY, 0.30, ENVOY),
        compare(f"p99 to direct's, {UNLOADED}", UNLOADED, P99, 2.5, DIRECT, AGAIN),
        throughput(SATURATED, KERNEL, 0.6),
        throughput(SET_UP, KERNEL, 0.75),
        *(throughput(load, ENVOY, 1.0, aim=True) for load in AIMS),
        throughput(SATURATED, ENVOY, 1.3, aim=True),
        compare(f"{cpu}, {SATURATED}", SATURATED, CPU, 0.85, ENVOY, aim=True),
        throughput(SATURATED, KERNEL, 0.75, aim=True),
        throughput(PIPELINED, KERNEL, 0.75, aim=True),
    ]
