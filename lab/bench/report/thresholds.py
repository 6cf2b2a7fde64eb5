"""The thresholds of the HAProxies as deployed, each a ratio to another variant in the same round."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Ratios:
    """Ratios of the HAProxies' figures to other variants', as thresholds. Methods raise LabError for a missing one."""

    samples: Sequence[Sample]

    def at_most(
        self, what: str, load: str, figure: str, limit: float, *to: str, aim: bool = False
    ) -> Threshold:
        """A figure that may be at most `limit` times the mean of the variants `to`."""
        found = ratios(self.samples, load, figure, HAPROXY, to)
        if not found:
            raise LabError(f"not measured: {what}")
        middle, low, high = (round_figure(value) for value in astuple(spread(found)))
        return Threshold(what, middle, limit, aim=aim, low=low, high=high)

    def throughput(self, load: str, to: str, limit: float, *, aim: bool = False) -> Threshold:
        """Requests per second of at least `limit` times those of the variant `to`."""
        threshold = self.at_most(
            f"requests/s to {to}'s, {load}", load, REQUESTS, limit, to, aim=aim
        )
        return replace(threshold, at_least=True)


def check_thresholds(samples: Sequence[Sample]) -> list[Threshold]:
    """All thresholds with their measured values; raises LabError when one was not measured."""
    of = Ratios(samples)
    # Envoy cannot carry a fan-out at all
    plain = [load.name for load in LOADS if load.name not in {PIPELINED, FAN_OUT, *AIMS}]
    return [
        *(of.throughput(load, ENVOY, 1.0) for load in plain),
        of.throughput(PIPELINED, ENVOY, 1.6),
        of.at_most(f"CPU per request to {ENVOY}'s, {PIPELINED}", PIPELINED, CPU, 0.40, ENVOY),
        of.at_most(f"memory per connection to {ENVOY}'s", IDLE, MEMORY, 0.30, ENVOY),
        of.at_most(f"p99 to direct's, {UNLOADED}", UNLOADED, P99, 2.5, DIRECT, AGAIN),
        of.throughput(SATURATED, KERNEL, 0.6),
        of.throughput(SET_UP, KERNEL, 0.75),
        *(of.throughput(load, ENVOY, 1.0, aim=True) for load in AIMS),
        of.throughput(SATURATED, ENVOY, 1.3, aim=True),
        of.at_most(
            f"CPU per request to {ENVOY}'s, {SATURATED}", SATURATED, CPU, 0.85, ENVOY, aim=True
        ),
        of.throughput(SATURATED, KERNEL, 0.75, aim=True),
        of.throughput(PIPELINED, KERNEL, 0.75, aim=True),
    ]
