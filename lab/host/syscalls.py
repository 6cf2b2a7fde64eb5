"""System calls for namespaces, mounts and signals that Python 3.11 has no function for."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

# <linux/sched.h>, <sys/mount.h>, <sys/prctl.h>
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1

T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move the calling process into new namespaces (unshare(2)); raises OSError."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    """Mount without options (mount(2)); raises OSError."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        None,
    )
    _check(result, f"mount {source} on {target}")


def make_mounts_private() -> None:
    """Hide this namespace's later mounts from all others."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def enter(namespace: int, kind: int) -> None:
    """Move the calling thread into a namespace that is open as this descriptor (setns(2)); raises OSError."""
    _check(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(kind)), "enter a namespace")


def die_with_parent() -> None:
    """The kernel kills this process when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG)."""
    result = _libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    _check(result, "prctl(PR_SET_PDEATHSIG)")


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        # the state follows the name, which is in brackets and may hold anything (proc(5))
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_lines() -> dict[int, str]:
    """The arguments of every process, by process id."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            arguments = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[int(path.parent.name)] = arguments.strip()
    return found


def started_at(pid: int) -> int:
    """When a process started, in clock ticks since boot; tells it from a later one of the same pid."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def in_network_of(pid: int, work: Callable[[], T]) -> T:
    """Do `work` inside the network namespace of process `pid`; its sockets stay there.

    It runs in a thread of its own, since setns(2) moves one thread.
    """

    def run() -> T:
        with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
            enter(namespace.fileno(), CLONE_NEWNET)
        return work()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()
