"""Runs redis-benchmark in the client's network, and parses its output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lab import layout
from lab.bench.setup.testbed import Shard, Testbed
from lab.errors import LabError

THROUGHPUT = re.compile(r"throughput summary: ([\d.]+) requests per second")
LATENCY = re.compile(
    r"latency summary \(msec\):\s+avg +min +p50 +p95 +p99 +max\s+"
    r"\S+ +\S+ +(?P<p50>[\d.]+) +\S+ +(?P<p99>[\d.]+) +\S+"
)
P999 = 99.9
STEP = re.compile(r"^([\d.]+)% <= ([\d.]+) milliseconds", re.MULTILINE)
ERROR_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Result:
    """One run: requests per second, and latencies in milliseconds."""

    requests_per_second: float
    p50: float | None = None
    p99: float | None = None
    p999: float | None = None


def parse(text: str) -> Result:
    """The figures in redis-benchmark's report; raises LabError when there are none.

    p99.9 is the first step of its histogram that reaches 99.9 %.
    """
    rate, latency = THROUGHPUT.search(text), LATENCY.search(text)
    slow = (float(at) for percent, at in STEP.findall(text) if float(percent) >= P999)
    slowest = next(slow, None)
    if rate is None or latency is None or slowest is None:
        raise LabError(f"redis-benchmark reported no figures: {text[-ERROR_CHARACTERS:].strip()!r}")
    return Result(float(rate[1]), float(latency["p50"]), float(latency["p99"]), slowest)


def combine(parts: Sequence[Result], requests: int) -> Result:
    """One result of runs side by side with `requests` each: the time is the longest, each latency the mean."""
    seconds = max(requests / part.requests_per_second for part in parts)
    latencies = {
        name: fmean(getattr(part, name) for part in parts) for name in ("p50", "p99", "p999")
    }
    return Result(len(parts) * requests / seconds, **latencies)


def run(testbed: Testbed, shard: Shard, address: str, options: Sequence[str]) -> Result:
    """One run against an address with these options; raises LabError with its last words when it fails."""
    done = testbed.world.client(
        [
            *("redis-benchmark", "-h", address, "-p", str(layout.PORT), "--tls"),
            *("--sni", shard.node.hostname, "--cacert", testbed.ca_file, "--precision", "3"),
            *options,
        ]
    )
    if "rror" in done.stdout + done.stderr:
        last = (done.stderr or done.stdout)[-ERROR_CHARACTERS:].strip()
        raise LabError(f"redis-benchmark: {last!r}")
    return parse(done.stdout)
