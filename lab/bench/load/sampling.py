"""What is looked at from outside while a load runs: a process's CPU, its memory, the bytes that it relayed.

It must never ask anything of a proxy while the load runs, only before and after.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from lab.bench.setup.variants import Variant
from lab.host import syscalls as linux
from lab.wait import wait_until

HAPROXY_URL = "http://127.0.0.1:8405/metrics"
ENVOY_URL = "http://127.0.0.1:9901/stats?filter=cx_(r|t)x_bytes_total"
HAPROXY_BYTES = re.compile(
    r'^haproxy_(?:frontend|backend)_bytes_(?:in|out)_total\{proxy="(?:redis|node)"\} (\d+)',
    re.MULTILINE,
)
ENVOY_BYTES = re.compile(r"^redis\.bench\.downstream_cx_[rt]x_bytes_total: (\d+)", re.MULTILINE)
HAPROXY_SESSIONS = re.compile(
    r'^haproxy_frontend_current_sessions\{proxy="redis"\} 0$', re.MULTILINE
)
SECONDS_TO_END = 10
NANOSECONDS_A_MICROSECOND = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """What a proxy has used so far."""

    cpu_us: float
    bytes: int
    kb: int


def look(variant: Variant) -> Look | None:
    """A look at the proxies of a way, all together; None where there is none."""
    if not variant.pids:
        return None
    relayed = sum(relayed_bytes(pid, variant.kind) for pid in variant.pids)
    return Look(sum(map(cpu_us, variant.pids)), relayed, sum(map(private_kb, variant.pids)))


def with_bytes_of_the_gone(variant: Variant, seen: Look | None) -> Look | None:
    """The same look with the bytes of connections that have ended since: HAProxy counts them at their end.

    Raises LabError when they do not end.
    """
    if seen is None:
        return seen
    wait_until(
        lambda: all(HAPROXY_SESSIONS.search(_get(pid, HAPROXY_URL)) for pid in variant.pids),
        timeout_seconds=SECONDS_TO_END,
        what=f"the connections of {variant.name} to end",
    )
    return replace(seen, bytes=sum(relayed_bytes(pid, variant.kind) for pid in variant.pids))


def cpu_us(pid: int) -> float:
    """CPU time of a process and all of its threads so far, user and kernel, as the scheduler counts it."""
    spent = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            spent += int(path.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return spent / NANOSECONDS_A_MICROSECOND


def private_kb(pid: int) -> int:
    """Memory that is this process's own (Private_Clean + Private_Dirty); the kernel's for its sockets is not in it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", text, re.MULTILINE)))


def relayed_bytes(pid: int, kind: str) -> int:
    """Bytes that went into and out of the process so far, by its own counters, on both of its sides."""
    text = _get(pid, HAPROXY_URL if kind == "haproxy" else ENVOY_URL)
    return counted(text, kind)


def counted(text: str, kind: str) -> int:
    """The sum of the byte counters of a proxy's own statistics, on both of its sides.

    Envoy's redis_proxy counts on its clients' side only: requests and answers are the same on the other.
    """
    if kind == "haproxy":
        return sum(map(int, HAPROXY_BYTES.findall(text)))
    return 2 * sum(map(int, ENVOY_BYTES.findall(text)))


def _get(pid: int, url: str) -> str:
    def fetch() -> str:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return str(answer.read().decode())

    return linux.in_network_of(pid, fetch)
