"""The loads, and one measured run of one of them over one variant.

redis-benchmark makes all traffic but that of subscribers, of idle and of new connections (lab.bench.load.connections).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace

from lab import layout
from lab.bench.load import redis_benchmark
from lab.bench.load.redis_benchmark import Result
from lab.bench.load.sampling import measure_proxies, wait_for_final_bytes
from lab.bench.setup.testbed import Shard, Testbed
from lab.bench.setup.variants import Variant
from lab.cluster.node import ask
from lab.errors import LabError
from lab.faults.network import sustain
from lab.host import programs
from lab.observe.steady_state import control

CONNECTIONS = 48
PIPELINE = 16
IDLE_CONNECTIONS = 1000
SUBSCRIBERS = 50
MESSAGE_BYTES = 1024
KEYS = 100
SMALL, MEDIUM, LARGE = 64, 1024, 65_536
RUN_SECONDS = 1.2
HAPROXY_COUNTS_SECONDS = 6.0
"""HAProxy adds an open connection's bytes to its counters every 5 s (option contstats)."""
FIRST = 0
"""The round whose memory counts: a proxy keeps memory that it once had."""
FIRST_GUESS = 2000
ERROR_CHARACTERS = 300
CONNECTIONS_PROGRAM = "lab.bench.load.connections"
MOST_MESSAGES = 6000
"""A slow subscriber's output buffer is 8 MiB before the node cuts it off."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load: the requests of redis-benchmark, and the connections beside it."""

    name: str
    what: str
    clients: int = CONNECTIONS
    pipeline: int = 1
    value: int = SMALL
    everywhere: bool = False
    """On all shards at once, with a load generator and a share of the connections for each."""
    dials: bool = False
    """A new connection for each request."""
    idle_connections: int = 0
    subscribers: int = 0

    def options(self, shard: Shard, shards: int, requests: int) -> list[str]:
        """The options of redis-benchmark for one of `shards` shards."""
        read = ("GET", f"{shard.keys}{self.value}:__rand_int__")
        publish = ("SPUBLISH", shard.channel, "x" * MESSAGE_BYTES)
        numbers = {
            "-c": self.clients // shards,
            "-P": self.pipeline,
            "-n": requests,
            "-r": KEYS,
        }
        words = [word for option, number in numbers.items() for word in (option, str(number))]
        return [*words, *(publish if self.subscribers else read)]


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
    Load(
        IDLE,
        f"{IDLE_CONNECTIONS} idle connections, and one that asks",
        clients=1,
        idle_connections=IDLE_CONNECTIONS,
    ),
    Load(
        SET_UP,
        "8 at a time: a new connection, its TLS handshake, one request",
        clients=8,
        dials=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One run. Latencies are in milliseconds; None: not applicable, or not measurable with this load.

    `bytes`: bytes into and out of the proxy for a request. `kb_per_connection` is in KiB.
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


def calibrate(testbed: Testbed, variant: Variant, load: Load) -> int:
    """The number of requests that take about RUN_SECONDS over this variant."""
    count = FIRST_GUESS // 10 if load.dials else FIRST_GUESS
    for _ in range(2):
        rate = measure(testbed, variant, load, count).requests_per_second
        rate /= load.subscribers or 1
        count = max(load.clients * load.pipeline, int(rate * RUN_SECONDS))
    return min(count, MOST_MESSAGES) if load.subscribers else count


def measure(
    testbed: Testbed, variant: Variant, load: Load, requests: int, number: int = 0
) -> Sample:
    """One measured run in round `number`. A message to a subscriber counts as a request. Raises LabError."""
    connections = load.idle_connections or load.subscribers
    messages = requests if load.subscribers else 0
    with (
        background_load(testbed, variant.address, connections, messages)
        if connections
        else nullcontext()
    ) as background:
        if load.idle_connections and variant.kind == "haproxy":
            sustain(HAPROXY_COUNTS_SECONDS)
        before = measure_proxies(variant)
        result = _run(testbed, variant, load, requests)
        if background and load.subscribers:
            requests *= load.subscribers
            result = Result(requests / float(background()))
        after = measure_proxies(variant)
    if after and load.subscribers:
        after = wait_for_final_bytes(variant, after)
    sample = Sample(number, variant.name, load.name, **asdict(result))
    if before is None or after is None:
        return sample
    memory = None
    if load.idle_connections and number == FIRST:
        memory = (after.kib - variant.idle_kib) / load.idle_connections
    return replace(
        sample,
        cpu_us=(after.cpu_us - before.cpu_us) / requests,
        bytes=(after.bytes - before.bytes) / requests,
        kb_per_connection=memory,
    )


def _run(testbed: Testbed, variant: Variant, load: Load, requests: int) -> Result:
    if load.dials:
        return _run_new_connections(testbed, variant, load, requests)
    shards = testbed.shards if load.everywhere else (testbed.first,)
    share = requests // len(shards)

    def run(shard: Shard, address: str) -> Result:
        options = load.options(shard, len(shards), share)
        return redis_benchmark.run(testbed, shard, address, options)

    with ThreadPoolExecutor(len(shards)) as threads:
        results = list(threads.map(run, shards, variant.addresses))
    return redis_benchmark.combine(results, share)


def _run_new_connections(testbed: Testbed, variant: Variant, load: Load, requests: int) -> Result:
    options = {
        "address": variant.address,
        "name": testbed.first.node.hostname,
        "ca_file": testbed.ca_file,
        "clients": load.clients,
        "requests": requests,
        "key": f"{testbed.first.keys}{load.value}:{0:012d}",
    }
    program = [sys.executable, "-m", CONNECTIONS_PROGRAM, json.dumps(options)]
    return Result(**json.loads(testbed.world.client(program).stdout))


@contextmanager
def background_load(
    testbed: Testbed, address: str, connections: int, messages: int
) -> Iterator[Callable[[], str]]:
    """So many connections during the block; with `messages` they subscribe and expect so many each.

    Gives a function that reads the next line of the process: the seconds from the first byte of all messages to the
    last. Both raise LabError with the last words of a process that has ended.
    """
    options = {
        "address": address,
        "name": testbed.first.node.hostname,
        "ca_file": testbed.ca_file,
        "connections": connections,
        "channel": testbed.first.channel if messages else "",
        "messages": messages,
        "message_bytes": MESSAGE_BYTES,
    }
    argv = [sys.executable, "-m", CONNECTIONS_PROGRAM, json.dumps(options)]
    words, environment = testbed.world.client_command(argv)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with programs.running(
        words, grace_seconds=0, cwd=layout.ROOT, env=environment, **pipes
    ) as process:

        def read_line() -> str:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line:
                last = programs.read_rest(process)[1][-ERROR_CHARACTERS:].strip()
                raise LabError(f"the benchmark's connections ended: {last}")
            return line

        read_line()
        yield read_line


def write_values(testbed: Testbed) -> None:
    """Writes the values that the loads read."""
    for shard in testbed.shards:
        with control(testbed.world, shard.node) as node:
            for size in (SMALL, MEDIUM, LARGE):
                for number in range(KEYS):
                    ask(node, "SET", f"{shard.keys}{size}:{number:012d}", "x" * size)
