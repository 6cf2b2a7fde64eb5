"""Many connections through the HAProxies and, in the same run, direct: idle ones, slow readers, reconnecting ones.

The client is lab.client. It runs in the clients' network ("through"), and in the proxies' network ("direct"), where the
names lead to the nodes themselves.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lab import layout
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.nodes import primary
from lab.host import programs
from lab.observe.haproxies import Usage, measure_usage
from lab.report.threshold import Threshold
from lab.resilience.limits import TIMES_DIRECT, TTL_SECONDS
from lab.scenarios.scenario import Figures, expect

SIDES = ("through", "direct")
ROUNDS = 2
SLOW_ROUNDS = 3
CLIENT_SECONDS = 300.0
"""A client that has not ended by then is killed."""
IDLE_CONNECTIONS, RECONNECTIONS = 10_000, 2_000
MESSAGES = 100
NOISE_MS = 5.0
"""How much later a request may come without any fault; on a busy machine it is the p99 before the slow readers."""
OWN_KIB_PER_SLOW_SESSION = 40.0
"""Two buffers of 16 KiB, the session itself, and the allocator's rounding."""
OWN_KIB_PER_IDLE_SESSION = 8.0
"""No buffer: HAProxy has one only while it forwards data."""


class Client:
    """A running lab.client, whose stages each print one line of figures and wait for a line of input."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Use `run_client`."""
        self._process = process

    def read_figures(self) -> Figures:
        """The figures of the current stage; raises LabError when the client failed or ended."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            last = programs.read_rest(self._process)[1].strip().splitlines()[-1:] or ["nothing"]
            raise LabError(f"lab.client ended early, its last line: {last[0]}")
        figures: Figures = json.loads(line)
        if "error" in figures:
            raise LabError(str(figures["error"]))
        return figures

    def start_next_stage(self) -> None:
        """Lets the client begin its next stage."""
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()


@contextmanager
def run_client(world: World, side: str, *words: str) -> Iterator[Client]:
    """A client on one side for the time of the block, at most CLIENT_SECONDS."""
    command = world.client_command if side == "through" else world.command_beside_proxies
    program, environment = command([sys.executable, "-m", "lab.client", *words])
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with programs.running(program, cwd=layout.ROOT, env=environment, **pipes) as process:
        watch = threading.Timer(CLIENT_SECONDS, process.kill)
        watch.start()
        try:
            yield Client(process)
        finally:
            watch.cancel()


def idle_connections_10000_then_pubsub(world: World) -> Figures:
    """10,000 idle connections, then pub/sub on top: none is cut, and every message arrives."""
    names = [node.hostname for node in world.cluster.nodes]
    words = ["idle", "--connections", str(IDLE_CONNECTIONS), "--messages", str(MESSAGES)]
    seen: Figures = {}
    usage: dict[str, Usage] = {}
    for side in SIDES:
        before = _usage(world, names)
        with run_client(world, side, *words, "--names", *names) as client:
            client.read_figures()
            usage[side] = _usage(world, names).since(before)
            client.start_next_stage()
            seen[side] = client.read_figures()
    through = usage["through"]
    sessions = max(1, through.sessions)
    seen["haproxies"] = {
        "sessions": through.sessions,
        "own_kib_per_session": round(through.own_kib / sessions, 2),
        "sessions_of_direct_clients": usage["direct"].sessions,
    }
    for side in SIDES:
        _expect_counts(
            f"{side}: ",
            seen[side],
            {
                **dict.fromkeys(("opened", "still_open", "answered_at_the_end"), IDLE_CONNECTIONS),
                "messages_delivered": MESSAGES * len(names),
                "messages_twice": 0,
            },
            seen,
        )
    counts = {"sessions": IDLE_CONNECTIONS, "sessions_of_direct_clients": 0}
    _expect_counts("HAProxies: ", seen["haproxies"], counts, seen)
    own = seen["haproxies"]["own_kib_per_session"]
    _expect_met(Threshold("KiB per idle session", own, OWN_KIB_PER_IDLE_SESSION), seen)
    return seen


def slow_client_does_not_hurt_others(world: World) -> Figures:
    """Clients that ask for much and never read: the others of that node go on, and no HAProxy stores for them."""
    name = primary(world, "0001").hostname
    rounds: dict[str, list[Figures]] = {side: [] for side in SIDES}
    memory: list[Figures] = []
    for _ in range(SLOW_ROUNDS):
        for side in SIDES:
            with run_client(world, side, "slow", "--names", name) as client:
                client.read_figures()
                before = _usage(world, [name])
                client.start_next_stage()
                slow_clients = client.read_figures()["slow_clients"]
                usage = _usage(world, [name]).since(before)
                client.start_next_stage()
                rounds[side].append(client.read_figures())
            if side == "through":
                own, kernel = (kib / slow_clients for kib in (usage.own_kib, usage.kernel_kib))
                memory.append(
                    {
                        "own_kib_per_slow_session": round(own, 1),
                        "kernel_kib_per_slow_session": round(kernel),
                    }
                )
    p99 = {side: [one["during"]["p99_ms"] for one in rounds[side]] for side in SIDES}
    seen: Figures = {
        "node": name,
        **{side: _best(rounds[side], p99[side]) for side in SIDES},
        "haproxy": max(memory, key=lambda one: float(one["own_kib_per_slow_session"])),
        "p99_ms_beside_slow_ones": p99,
    }
    errors = sum(
        one[when]["errors"]
        for side in SIDES
        for one in rounds[side]
        for when in ("before", "during")
    )
    expect(errors == 0, "the other client must see no error", seen)
    for one in rounds["through"]:
        connected = {"slow_clients_still_connected": one["slow_clients"]}
        _expect_counts("slow sessions must stay: ", one, connected, {**seen, "round": one})
    noise = max(NOISE_MS, float(seen["through"]["before"]["p99_ms"]))
    limit = round(TIMES_DIRECT * min(p99["direct"]) + noise, 1)
    own = seen["haproxy"]["own_kib_per_slow_session"]
    for threshold in (
        Threshold("p99 in ms beside slow clients through HAProxy", min(p99["through"]), limit),
        Threshold("KiB of HAProxy per slow session", own, OWN_KIB_PER_SLOW_SESSION),
    ):
        _expect_met(threshold, seen)
    return seen


def connection_storm(world: World) -> Figures:
    """2,000 connections are lost at once and come back at once: all are back, about as soon as without HAProxies."""
    names = [node.hostname for node in world.cluster.nodes]
    words = ["storm", "--connections", str(RECONNECTIONS), "--names", *names]
    rounds: dict[str, list[Figures]] = {side: [] for side in SIDES}
    for _ in range(ROUNDS):
        for side in SIDES:
            with run_client(world, side, *words) as client:
                rounds[side].append(client.read_figures())
    seconds = {side: [one["seconds_until_all_back"] for one in rounds[side]] for side in SIDES}
    seen: Figures = {
        **{side: _best(rounds[side], seconds[side]) for side in SIDES},
        "seconds_of_each_round": seconds,
    }
    for side in SIDES:
        for one in rounds[side]:
            _expect_counts(f"{side}: ", one, {"back": RECONNECTIONS}, seen)
    limit = round(TIMES_DIRECT * min(seconds["direct"]) + TTL_SECONDS, 1)
    what = "seconds until all are back through the HAProxies"
    _expect_met(Threshold(what, min(seconds["through"]), limit), seen)
    return seen


def _expect_counts(prefix: str, part: Figures, counts: Mapping[str, int], seen: Figures) -> None:
    for name, count in counts.items():
        expect(part[name] == count, f"{prefix}{name} must be {count}, got {part[name]}", seen)


def _expect_met(threshold: Threshold, seen: Figures) -> None:
    expect(threshold.met, str(threshold), seen)


def _best(rounds: Sequence[Figures], values: Sequence[float]) -> Figures:
    """The round with the least value: other work on the machine can only make a round worse."""
    return rounds[values.index(min(values))]


def _usage(world: World, names: Sequence[str]) -> Usage:
    """The usage of the HAProxies behind these names."""
    records = Product().records()
    return measure_usage(world.run_dir, {address for name in names for address in records[name]})
