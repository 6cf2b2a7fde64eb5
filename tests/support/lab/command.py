"""The command `nodeway` as a person runs it, and what a lab may have left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import layout

NODEWAY = str(Path(sys.executable).parent / "nodeway")


def nodeway(*words: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    """The command for people, to its end."""
    return subprocess.run(
        [NODEWAY, *words], capture_output=True, text=True, timeout=timeout, check=False
    )


def left_behind() -> list[str]:
    """Processes that say in their environment or arguments that they are of this lab's run directory."""
    mark = str(layout.run_dir()).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            running = (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if running and mark in told and int(process.name) != os.getpid():
            found.append(told.decode(errors="replace"))
    return found


@contextmanager
def own_run_directory(run_dir: Path) -> Iterator[None]:
    """A run directory of our own, so that a lab that somebody has up is left alone."""
    before = os.environ.get("LAB_RUN_DIR")
    os.environ["LAB_RUN_DIR"] = str(run_dir)
    yield
    if before is None:
        del os.environ["LAB_RUN_DIR"]
    else:
        os.environ["LAB_RUN_DIR"] = before
