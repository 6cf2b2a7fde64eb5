"""Runs a program and measures the memory of it and of everything that it starts, at its highest moment.

Linux counts a page that several processes share in parts (`Pss` of /proc/PID/smaps_rollup,
https://docs.kernel.org/filesystems/proc.html), so the sum over the processes is what they take together. A peak
between two looks is not seen. It must never wait in the way of the program: it looks from outside.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

LOOK_EVERY_SECONDS = 0.1
KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest sum seen, in MiB, and how many processes made it."""

    mib: float
    processes: int


def peak_of(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Peak:
    """Runs the command to its end; raises LabError with its last words when it fails."""
    highest = Peak(0, 0)
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # its descendants are told from others by their session
        start_new_session=True,
    ) as process:
        last_words = None
        while last_words is None:
            try:
                last_words = process.communicate(timeout=LOOK_EVERY_SECONDS)[1]
            except subprocess.TimeoutExpired:
                sizes = list(sizes_of(process.pid))
                seen = Peak(sum(sizes) / KIB_PER_MIB, len(sizes))
                highest = max(highest, seen, key=lambda peak: peak.mib)
    if process.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {last_words[-500:]}")
    return highest


def sizes_of(session: int) -> Iterator[int]:
    """What each process of a session takes, in KiB; one that ends meanwhile is left out."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            # after the name, which may hold anything: state, parent, group, session
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                yield pss(directory)
        except (FileNotFoundError, ProcessLookupError):
            continue


def pss(directory: Path) -> int:
    """A process's proportional share, in KiB; 0 for one that has ended and waits for its parent."""
    for line in (directory / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
