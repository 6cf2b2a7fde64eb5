"""The run directory of a lab: one lab at a time, made empty before it, removed after it.

The logs of the latest lab stay in `logs()`.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import layout
from lab.errors import LabError
from lab.host import sandbox


def pid_file() -> Path:
    """The file that names the running sandbox. It is beside the run directory, which each lab makes anew."""
    return layout.run_dir().with_suffix(".pid")


def logs() -> Path:
    """The directory of the latest lab's logs after its end."""
    return layout.run_dir().parent / "logs"


def running() -> sandbox.Sandbox | None:
    """The lab that is up, if there is one."""
    return sandbox.running(pid_file())


@contextmanager
def exclusive() -> Iterator[None]:
    """Keep others from starting a lab in this run directory; raises LabError when there is one already."""
    path = layout.run_dir().with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            directory = os.path.relpath(layout.run_dir().parent)
            msg = f"another lab is being started or played in {directory}: wait for its end"
            raise LabError(msg) from None
        if running() is not None:
            msg = "a lab is up already: end it with `nodeway lab down`, or use it with `nodeway lab run -- COMMAND`"
            raise LabError(msg)
        yield


@contextmanager
def fresh() -> Iterator[None]:
    """An empty run directory, removed at the end; raises LabError when no lab can be started."""
    sandbox.check()
    with exclusive():
        prepare()
        try:
            yield
        finally:
            clear()


def prepare() -> None:
    """Make an empty run directory for a new lab."""
    clear()
    (layout.run_dir() / "logs").mkdir(parents=True)


def clear() -> None:
    """Remove the run directory; its logs move to `logs()`."""
    run_dir = layout.run_dir()
    if (run_dir / "logs").exists():
        shutil.rmtree(logs(), ignore_errors=True)
        shutil.move(run_dir / "logs", logs())
    shutil.rmtree(run_dir, ignore_errors=True)
    pid_file().unlink(missing_ok=True)
