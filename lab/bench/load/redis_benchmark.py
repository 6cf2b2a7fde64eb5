"""Runs redis-benchmark in the client's network, and parses its output."""

import re
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
DEADLINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Result:
    """One run: requests per second, and latencies in milliseconds."""

    requests_per_second: float
    p50: float | None = None
    p99: float | None = None
    p999: float | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Options of redis-benchmark."""

    command: tuple[str, ...]
    clients: int
    pipeline: int
    keys: int


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

    def mean(found: Iterable[float | None]) -> float:
        return statistics.fmean(one for one in found if one is not None)

    return Result(
        len(parts) * requests / seconds,
        mean(part.p50 for part in parts),
        mean(part.p99 for part in parts),
        mean(part.p999 for part in parts),
    )


def run(testbed: Testbed, shard: Shard, address: str, shape: Shape, requests: int) -> Result:
    """One run against an address; raises LabError with its last words when it fails."""
    words = [
        *("redis-benchmark", "-h", address, "-p", str(layout.PORT), "--tls"),
        *("--sni", shard.node.hostname, "--cacert", testbed.ca_file),
        *("-c", str(shape.clients), "-P", str(shape.pipeline), "-n", str(requests)),
        *("-r", str(shape.keys)),
        *("--precision", "3", *shape.command),
    ]
    command, environment = testbed.world.client_command(words)
    try:
        # redis-benchmark never ends when a connection is closed in the handshake
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"redis-benchmark did not end in {DEADLINE_SECONDS} s") from None
    if done.returncode != 0 or "rror" in done.stdout + done.stderr:
        raise LabError(
            f"redis-benchmark: {(done.stderr or done.stdout)[-ERROR_CHARACTERS:].strip()!r}"
        )
    return parse(done.stdout)
