"""The memory of the own process."""

from pathlib import Path

KIB_PER_MIB = 1024


def peak_mib() -> float:
    """The largest resident memory of this process since it began to run its program, in MiB (VmHWM, proc(5))."""
    status = Path("/proc/self/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / KIB_PER_MIB
