"""What proxies use during a load: CPU time, memory and relayed bytes, read before and after the load only."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from lab.bench.setup.variants import Variant
from lab.observe.haproxies import read_metrics, read_statistics, sessions_in
from lab.wait import wait_until

ENVOY_PORT, ENVOY_STATISTICS = 9901, "/stats?filter=cx_(r|t)x_bytes_total"
HAPROXY_BYTES = re.compile(
    r'^haproxy_(?:frontend|backend)_bytes_(?:in|out)_total\{proxy="(?:redis|node)"\} (\d+)',
    re.MULTILINE,
)
ENVOY_BYTES = re.compile(r"^redis\.bench\.downstream_cx_[rt]x_bytes_total: (\d+)", re.MULTILINE)
SECONDS_TO_END = 10
NANOSECONDS_PER_MICROSECOND = 1000
BYTES_PER_KIB = 1024


@dataclass(frozen=True, slots=True)
class ProxyUsage:
    """Totals of a variant's proxies since their start; `kib` is their private memory now."""

    cpu_us: float
    bytes: int
    kib: int


def measure_proxies(variant: Variant) -> ProxyUsage | None:
    """The usage of all proxies of a variant together; None when it has none."""
    if not variant.pids:
        return None
    return ProxyUsage(
        sum(map(cpu_us, variant.pids)), relayed_bytes(variant), private_kib(variant.pids)
    )


def wait_for_final_bytes(variant: Variant, usage: ProxyUsage) -> ProxyUsage:
    """Waits until the variant has no connections, and gives the usage with its bytes then; raises LabError.

    HAProxy counts the bytes of a connection at its end.
    """
    wait_until(
        lambda: not any(sessions_in(read_metrics(pid)) for pid in variant.pids),
        timeout_seconds=SECONDS_TO_END,
        what=f"the connections of {variant.name} to end",
    )
    return replace(usage, bytes=relayed_bytes(variant))


def cpu_us(pid: int) -> float:
    """CPU time of a process and all of its threads, user and kernel; the scheduler counts it in nanoseconds."""
    spent = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            spent += int(path.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return spent / NANOSECONDS_PER_MICROSECOND


def private_kib(pids: tuple[int, ...]) -> int:
    """Private memory of processes together (USS); the kernel's memory for their sockets is not in it."""
    return int(sum(psutil.Process(pid).memory_full_info().uss for pid in pids)) // BYTES_PER_KIB


def relayed_bytes(variant: Variant) -> int:
    """Bytes into and out of the proxies, by their own counters, on both of their sides."""

    def read(pid: int) -> str:
        if variant.kind == "haproxy":
            return read_metrics(pid)
        return read_statistics(pid, ENVOY_PORT, ENVOY_STATISTICS)

    return sum(count_bytes(read(pid), variant.kind) for pid in variant.pids)


def count_bytes(text: str, kind: str) -> int:
    """The sum of the byte counters of a proxy's statistics, on both of its sides.

    Envoy's redis_proxy counts on its clients' side only; its other side has the same requests and answers.
    """
    if kind == "haproxy":
        return sum(map(int, HAPROXY_BYTES.findall(text)))
    return 2 * sum(map(int, ENVOY_BYTES.findall(text)))
