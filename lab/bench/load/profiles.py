"""The loads, and one measured run of one of them over one way.

redis-benchmark makes all traffic but that of subscribers and idle connections, which it has none of
(lab.bench.load.connections),
and of new connections (lab.bench.load.connect_rate says why).
It must never compare: that is lab.bench.report.statistics'.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from lab.bench.load import background as company
from lab.bench.load import redis_benchmark
from lab.bench.load import sampling as measure
from lab.bench.load.redis_benchmark import Figures, Shape
from lab.bench.setup.site import Shard, Site
from lab.bench.setup.variants import Variant
from lab.cluster.node import ask

CONNECTIONS = 48
PIPELINE = 16
CROWD = 1000
SUBSCRIBERS = 50
MESSAGE_BYTES = 1024
KEYS = 100
SMALL, MEDIUM, LARGE = 64, 1024, 65_536
RUN_SECONDS = 1.2
FIRST = 0
"""The round in which a proxy has never had many connections: it keeps memory that it once had."""
FIRST_GUESS = 2000
MOST_MESSAGES = 6000
"""A slow subscriber's output buffer is 8 MiB before the node cuts it off."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load: how redis-benchmark asks, and what goes on beside it."""

    name: str
    what: str
    clients: int = CONNECTIONS
    pipeline: int = 1
    value: int = SMALL
    everywhere: bool = False
    """On all shards at once, a load generator for each, with its share of the connections."""
    dials: bool = False
    """A new connection for each request."""
    crowd: int = 0
    subscribers: int = 0

    def shape(self, shard: Shard, of: int) -> Shape:
        """How redis-benchmark is told to ask one of so many shards."""
        read = ("GET", f"{shard.keys}{self.value}:__rand_int__")
        publish = ("SPUBLISH", shard.channel, "x" * MESSAGE_BYTES)
        command = publish if self.subscribers else read
        return Shape(command, self.clients // of, self.pipeline, KEYS)


UNLOADED, SATURATED, PIPELINED, MEDIUM_VALUES, LARGE_VALUES, FAN_OUT, IDLE, SET_UP = (
    *("unloaded", "saturated", "pipelined", "1 KB values", "64 KB values"),
    *("fan-out", "mostly idle", "set-up"),
)
LOADS = (
    Load(UNLOADED, "one connection, one request at a time", clients=1),
    Load(SATURATED, f"{CONNECTIONS} connections over all shards, no pipelining", everywhere=True),
    Load(
        PIPELINED,
        f"{CONNECTIONS} connections over all shards, {PIPELINE} requests in flight on each",
        pipeline=PIPELINE,
        everywhere=True,
    ),
    Load(
        MEDIUM_VALUES,
        f"{CONNECTIONS} connections over all shards, values of 1 KB",
        value=MEDIUM,
        everywhere=True,
    ),
    Load(
        LARGE_VALUES,
        "15 connections over all shards, values of 64 KB",
        clients=15,
        value=LARGE,
        everywhere=True,
    ),
    Load(
        FAN_OUT,
        f"one publisher, {SUBSCRIBERS} subscribers, messages of 1 KB",
        clients=1,
        subscribers=SUBSCRIBERS,
    ),
    Load(IDLE, f"{CROWD} idle connections, and one that asks", clients=1, crowd=CROWD),
    Load(
        SET_UP,
        "8 at a time: a new connection, its TLS handshake, one request",
        clients=8,
        dials=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One run. Milliseconds; None: does not apply, or cannot be seen with this load.

    `bytes`: what went in and out of the proxy for a request, which copies each of them once.
    """

    round: int
    variant: str
    load: str
    requests_per_second: float
    p50: float | None = None
    p99: float | None = None
    p999: float | None = None
    cpu_us: float | None = None
    bytes: float | None = None
    kb_per_connection: float | None = None


def calibrated(site: Site, variant: Variant, load: Load) -> int:
    """How many requests take about RUN_SECONDS over this way."""
    count = FIRST_GUESS // 10 if load.dials else FIRST_GUESS
    for _ in range(2):
        rate = sample(site, variant, load, count).requests_per_second
        rate /= load.subscribers or 1
        count = max(load.clients * load.pipeline, int(rate * RUN_SECONDS))
    return min(count, MOST_MESSAGES) if load.subscribers else count


def sample(site: Site, variant: Variant, load: Load, requests: int, number: int = 0) -> Sample:
    """One measured run. A message that reaches a subscriber is a request of its own. Raises LabError."""
    with company.of(site, variant.address, load, requests) as beside:
        before = measure.look(variant)
        figures = _asked(site, variant, load, requests)
        if load.subscribers:
            figures = Figures(beside.messages_per_second())
            requests *= load.subscribers
        after = measure.look(variant)
    if load.subscribers:
        after = measure.with_bytes_of_the_gone(variant, after)
    told = Sample(number, variant.name, load.name, **asdict(figures))
    if before is None or after is None:
        return told
    return replace(
        told,
        cpu_us=(after.cpu_us - before.cpu_us) / requests,
        bytes=(after.bytes - before.bytes) / requests,
        kb_per_connection=(after.kb - variant.kb) / load.crowd
        if load.crowd and number == FIRST
        else None,
    )


def _asked(site: Site, variant: Variant, load: Load, requests: int) -> Figures:
    if load.dials:
        return _dialled(site, variant, load, requests)
    shards = site.shards if load.everywhere else (site.first,)
    share = requests // len(shards)
    with ThreadPoolExecutor(len(shards)) as threads:
        runs = [
            threads.submit(
                redis_benchmark.run, site, shard, address, load.shape(shard, len(shards)), share
            )
            for shard, address in zip(shards, variant.addresses, strict=False)
        ]
        return redis_benchmark.together([run.result() for run in runs], share)


def _dialled(site: Site, variant: Variant, load: Load, requests: int) -> Figures:
    told = {
        "address": variant.address,
        "name": site.first.node.hostname,
        "authority": str(site.world.run_dir / "ca.pem"),
        "clients": load.clients,
        "requests": requests,
        "key": f"{site.first.keys}{load.value}:{0:012d}",
    }
    done = site.world.client(
        [sys.executable, "-m", "lab.bench.load.connect_rate", json.dumps(told)]
    )
    return Figures(**json.loads(done.stdout))


def fill(site: Site) -> None:
    """The values that the loads read."""
    for shard in site.shards:
        node = site.connection(shard)
        for size in (SMALL, MEDIUM, LARGE):
            for number in range(KEYS):
                ask(node, "SET", f"{shard.keys}{size}:{number:012d}", "x" * size)
