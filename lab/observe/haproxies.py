"""Sessions and memory of running HAProxies: sessions from HAProxy's own metrics, memory from the kernel.

A session takes memory of the process and of the kernel, for its sockets. HAProxy decides on the first only.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_INET
from typing import Any

import psutil
from pyroute2 import DiagSocket

from lab.containers import container as containers
from lab.errors import LabError
from lab.host import syscalls as linux

OPS_PORT = 8405
SESSIONS = 'haproxy_frontend_current_sessions{proxy="redis"} '
ANSWER_SECONDS = 10
BYTES_PER_KIB = 1024
# <linux/inet_diag.h>, <linux/sock_diag.h>: the extension, and the fields of its answer that are memory
WANT_MEMORY = 1 << 6
RECEIVED, WAITS_TO_BE_SENT = 0, 5
FIELD_BYTES = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """Sessions and memory (KiB) of some HAProxies together at one moment."""

    sessions: int
    own_kib: int
    """Memory of the processes, with shared pages in parts (PSS)."""
    kernel_kib: float
    """Data in the queues of the processes' sockets."""

    def since(self, before: "Usage") -> "Usage":
        """The increase since an earlier measurement."""
        return Usage(
            self.sessions - before.sessions,
            self.own_kib - before.own_kib,
            self.kernel_kib - before.kernel_kib,
        )


def measure_usage(run_dir: Path, addresses: Collection[str]) -> Usage:
    """The usage of the HAProxies with these addresses; raises LabError when one of them does not run."""
    found = [one for one in containers.running(run_dir) if one.address in addresses]
    if len(found) != len(addresses):
        msg = f"HAProxies at {sorted(addresses)}: {len(found)} of {len(addresses)} run"
        raise LabError(msg)
    return Usage(
        sum(sessions_in(read_metrics(one.pid)) for one in found),
        sum(psutil.Process(one.pid).memory_full_info().pss for one in found) // BYTES_PER_KIB,
        sum(queued_kib(linux.in_network_of(one.pid, _sockets)) for one in found),
    )


def sessions_in(metrics: str) -> int:
    """The clients' sessions, of HAProxy's own metrics; raises LabError when they do not say."""
    for line in metrics.splitlines():
        if line.startswith(SESSIONS):
            return int(line.removeprefix(SESSIONS))
    raise LabError(f"HAProxy's metrics have no {SESSIONS.strip()}")


def queued_kib(memory: Collection[bytes]) -> float:
    """What sockets hold, of the kernel's answers about them (struct of u32, SK_MEMINFO_*)."""
    total = 0
    for answer in memory:
        fields = struct.unpack(f"={len(answer) // FIELD_BYTES}I", answer)
        total += fields[RECEIVED] + fields[WAITS_TO_BE_SENT]
    return total / BYTES_PER_KIB


def read_statistics(pid: int, port: int, path: str) -> str:
    """A page of statistics of a proxy on its own loopback; raises LabError."""

    def read() -> str:
        connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError as error:
            raise LabError(f"the proxy's statistics cannot be read: {error}") from error
        finally:
            connection.close()

    return linux.in_network_of(pid, read)


def read_metrics(pid: int) -> str:
    """A HAProxy's own metrics; raises LabError."""
    return read_statistics(pid, OPS_PORT, "/metrics")


def _sockets() -> list[bytes]:
    with DiagSocket() as kernel:
        kernel.bind()
        sockets: tuple[Any, ...] = kernel.get_sock_stats(family=AF_INET, extensions=WANT_MEMORY)
    # a socket that only waits for its last packets has no queues
    said = (one.get_attr("INET_DIAG_SKMEMINFO") for one in sockets)
    return [bytes.fromhex(text.replace(":", "")) for text in said if text]
