"""Many connections, greedy ones, and all at once: each through the HAProxies and, in the same run, without them.

The client is the same program in the client's network ("through") and in the proxies' ("direct"), where the names lead
to the nodes themselves. It must never compare with a figure of another machine or another day.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import layout
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.nodes import primary
from lab.observe.haproxies import Usage, measure_usage
from lab.scenarios.scenario import Figures, expect

SIDES = ("through", "direct")
WHEN = ("before", "during")
ROUNDS = 2
SLOW_ROUNDS = 3
CROWD_SECONDS = 300.0
"""A crowd that has not ended by then is ended."""

MESSAGES = 100
TTL_SECONDS = 5.0
NOISE_MS = 5.0
"""How much later than another a request may come with nothing in its way; on a busy machine, what the client met
before the slow ones came."""
TIMES_DIRECT = 2
OWN_KIB_PER_SLOW_SESSION = 40.0
"""Two buffers of 16 KiB, the session itself, and what the allocator rounds up."""
OWN_KIB_PER_IDLE_SESSION = 8.0
"""No buffer: HAProxy has one only while data are on their way."""


class Crowd:
    """A running lab.client."""

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        """Use `crowd`."""
        self._process = process
        self._errors = errors

    def seen(self) -> Figures:
        """Its next figures; raises LabError when it ended without them, or could not do its part."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            last = self._errors.read_text().strip().splitlines()[-1:] or ["nothing"]
            raise LabError(f"the crowd ended early and said: {last[0]}")
        figures: Figures = json.loads(line)
        if "error" in figures:
            raise LabError(str(figures["error"]))
        return figures

    def go_on(self) -> None:
        """Let it begin its next stage."""
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()


@contextmanager
def crowd(world: World, side: str, *words: str) -> Iterator[Crowd]:
    """A crowd on one side for the time of the block."""
    argv = [sys.executable, "-m", "lab.client", *words]
    command = world.client_command if side == "through" else world.command_beside_proxies
    program, environment = command(argv)
    path = world.run_dir / "logs" / "crowd.err"
    with (
        path.open("w") as errors,
        subprocess.Popen(
            program,
            cwd=layout.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        watch = threading.Timer(CROWD_SECONDS, process.kill)
        watch.start()
        try:
            yield Crowd(process, path)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.cancel()


def idle_connections_10000_then_pubsub(world: World) -> Figures:
    """10,000 idle connections, then pub/sub on top: none is cut, and every message arrives."""
    return idle_connections(world, 10_000)


def idle_connections_600_then_pubsub(world: World) -> Figures:
    """600 idle connections, then pub/sub on top: none is cut, and every message arrives."""
    return idle_connections(world, 600)


def idle_connections(world: World, connections: int) -> Figures:
    """So many connections over all nodes' names, idle, then pub/sub; HAProxy's sessions and memory beside."""
    names = [node.hostname for node in world.cluster.nodes]
    words = ["idle", "--connections", str(connections), "--messages", str(MESSAGES)]
    seen: Figures = {}
    for side in SIDES:
        before = _usage(world, names)
        with crowd(world, side, *words, "--names", *names) as clients:
            clients.seen()
            more = _usage(world, names).since(before)
            clients.go_on()
            seen[side] = clients.seen()
        if side == "through":
            seen["haproxies"] = _per_session(more)
        else:
            seen["haproxies"]["sessions_of_direct_clients"] = more.sessions
    for side in SIDES:
        _whole(side, seen, connections, len(names))
    sessions = seen["haproxies"]["sessions"]
    expect(sessions == connections, f"the HAProxies must count {connections} sessions", seen)
    expect(
        seen["haproxies"]["sessions_of_direct_clients"] == 0,
        "the direct clients must not come through a HAProxy",
        seen,
    )
    expect(
        seen["haproxies"]["own_kib_per_session"] <= OWN_KIB_PER_IDLE_SESSION,
        f"an idle session must cost a HAProxy at most {OWN_KIB_PER_IDLE_SESSION} KiB",
        seen,
    )
    return seen


def _whole(side: str, seen: Figures, connections: int, nodes: int) -> None:
    figures = seen[side]
    for kind in ("opened", "still_open", "answered_at_the_end"):
        expect(figures[kind] == connections, f"{side}: {kind} must be {connections}", seen)
    messages = MESSAGES * nodes
    expect(
        figures["messages_delivered"] == messages,
        f"{side}: {messages} messages must arrive",
        seen,
    )
    expect(figures["messages_twice"] == 0, f"{side}: no message may arrive twice", seen)


def slow_client_does_not_hurt_others(world: World) -> Figures:
    """Clients that ask for much and never read: the others of that node go on, and no HAProxy stores for them."""
    name = primary(world, "0001").hostname
    rounds: dict[str, list[Figures]] = {side: [] for side in SIDES}
    grown: list[Figures] = []
    for _ in range(SLOW_ROUNDS):
        for side in SIDES:
            with crowd(world, side, "slow", "--names", name) as clients:
                clients.seen()
                before = _usage(world, [name])
                clients.go_on()
                figures = clients.seen()
                more = _usage(world, [name]).since(before)
                clients.go_on()
                rounds[side].append(clients.seen())
            if side == "through":
                grown.append(_per_slow_session(more, figures["slow_clients"]))
    seen: Figures = {
        "node": name,
        **{side: _best(rounds[side], _p99_beside_slow_ones) for side in SIDES},
        "haproxy": max(grown, key=lambda one: float(one["own_kib_per_slow_session"])),
        "p99_ms_beside_slow_ones": {
            side: [_p99_beside_slow_ones(one) for one in rounds[side]] for side in SIDES
        },
    }
    errors = [one[when]["errors"] for side in SIDES for one in rounds[side] for when in WHEN]
    expect(not any(errors), "the other client must see no error", seen)
    for one in rounds["through"]:
        expect(
            one["slow_clients_still_connected"] == one["slow_clients"],
            "the slow clients' sessions must not be cut meanwhile",
            {**seen, "round": one},
        )
    noise = max(NOISE_MS, float(seen["through"]["before"]["p99_ms"]))
    most = TIMES_DIRECT * _p99_beside_slow_ones(seen["direct"]) + noise
    expect(
        _p99_beside_slow_ones(seen["through"]) <= most,
        f"p99 beside slow clients through HAProxy must be at most {most:.1f} ms",
        seen,
    )
    expect(
        seen["haproxy"]["own_kib_per_slow_session"] <= OWN_KIB_PER_SLOW_SESSION,
        f"a slow session must cost HAProxy itself at most {OWN_KIB_PER_SLOW_SESSION} KiB",
        seen,
    )
    expect(
        seen["haproxy"]["kernel_kib_per_slow_session"] <= seen["haproxy"]["kernel_kib_at_most"],
        "its sockets must hold no more than the kernel's limits for one of each",
        seen,
    )
    return seen


def connection_storm(world: World) -> Figures:
    """2,000 connections are lost at once and come back at once: all are back, about as soon as without HAProxies."""
    return storm(world, 2_000)


def storm(world: World, connections: int) -> Figures:
    """So many connections over all nodes' names, lost and back, each side in turn."""
    names = [node.hostname for node in world.cluster.nodes]
    words = ["storm", "--connections", str(connections), "--names", *names]
    rounds: dict[str, list[Figures]] = {side: [] for side in SIDES}
    for _ in range(ROUNDS):
        for side in SIDES:
            with crowd(world, side, *words) as clients:
                rounds[side].append(clients.seen())
    seen: Figures = {
        **{side: _best(rounds[side], _seconds) for side in SIDES},
        "seconds_of_each_round": {side: [_seconds(one) for one in rounds[side]] for side in SIDES},
    }
    for side in SIDES:
        back = [one["back"] for one in rounds[side]]
        expect(
            back == [connections] * ROUNDS, f"{side}: {connections} must be back, got {back}", seen
        )
    most = TIMES_DIRECT * _seconds(seen["direct"]) + TTL_SECONDS
    expect(
        _seconds(seen["through"]) <= most,
        f"all must be back through the HAProxies after {most:.1f} s at most",
        seen,
    )
    return seen


def _seconds(figures: Figures) -> float:
    return float(figures["seconds_until_all_back"])


def _p99_beside_slow_ones(figures: Figures) -> float:
    return float(figures["during"]["p99_ms"])


def _best(rounds: Sequence[Figures], of: Callable[[Figures], float]) -> Figures:
    """The best round: what else the machine does meanwhile can only make one worse."""
    return min(rounds, key=of)


def _usage(world: World, names: Sequence[str]) -> Usage:
    """The usage of the HAProxies behind these names."""
    records = Product().records()
    return measure_usage(world.run_dir, {address for name in names for address in records[name]})


def _per_session(more: Usage) -> dict[str, Any]:
    sessions = max(1, more.sessions)
    return {
        "sessions": more.sessions,
        "own_kib_per_session": round(more.own_kib / sessions, 2),
        "kernel_queues_kib_per_session": round(more.kernel_kib / sessions, 2),
    }


def _per_slow_session(more: Usage, sessions: int) -> dict[str, Any]:
    return {
        "own_kib_per_slow_session": round(more.own_kib / sessions, 1),
        "kernel_kib_per_slow_session": round(more.kernel_kib / sessions),
        "kernel_kib_at_most": _kernel_kib_at_most(),
    }


def _kernel_kib_at_most() -> int:
    """What one socket may receive and another may send before it must wait: the kernel's limits."""
    limits = (Path(f"/proc/sys/net/ipv4/tcp_{kind}") for kind in ("rmem", "wmem"))
    return sum(int(limit.read_text().split()[2]) for limit in limits) // 1024
