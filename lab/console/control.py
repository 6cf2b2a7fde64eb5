"""The lab from outside of its sandbox: the story, up, down, a command in the client's network, events by hand.

Nothing of a lab outlives it: the sandbox takes its processes, networks and mounts along, and the run
directory goes last. The logs of
the latest lab stay in build/lab/logs.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import layout
from lab.deployment.modes import Way
from lab.errors import LabError
from lab.host import sandbox
from lab.wait import wait_until

UP_SECONDS = 240
DOWN_SECONDS = 30
INTERRUPTED = 130


def pid_file() -> Path:
    """Says where the running sandbox is; beside the run directory, since that is made anew for each lab."""
    return layout.run_dir().with_suffix(".pid")


def logs() -> Path:
    """Where the logs of the latest lab are once it is gone."""
    return layout.run_dir().parent / "logs"


def current() -> sandbox.Sandbox:
    """The lab that is up; raises LabError when none is."""
    found = sandbox.running(pid_file())
    if found is None:
        msg = "no lab is up: start one with `nodeway lab up`"
        raise LabError(msg)
    return found


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else starts a lab in this run directory meanwhile; raises LabError when somebody does."""
    path = layout.run_dir().with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"another lab is being started or played in {shown(layout.run_dir().parent)}: wait for its end"
            raise LabError(msg) from None
        if sandbox.running(pid_file()) is not None:
            msg = "a lab is up already: end it with `nodeway lab down`, or use it with `nodeway lab run -- COMMAND`"
            raise LabError(msg)
        yield


@contextmanager
def fresh() -> Iterator[None]:
    """An empty run directory before, none after; raises LabError when the machine cannot, or a lab is up."""
    sandbox.check()
    with alone():
        prepare()
        try:
            yield
        finally:
            clear()


def prepare() -> None:
    """An empty run directory for a new lab."""
    clear()
    (layout.run_dir() / "logs").mkdir(parents=True)


def clear() -> None:
    """Removes the run directory; its logs move to `logs()`."""
    run_dir = layout.run_dir()
    if (run_dir / "logs").exists():
        shutil.rmtree(logs(), ignore_errors=True)
        shutil.move(run_dir / "logs", logs())
    shutil.rmtree(run_dir, ignore_errors=True)
    pid_file().unlink(missing_ok=True)


def story(chapter: str) -> int:
    """Plays a chapter of the story in a lab of its own; gives its exit code."""
    with fresh():
        return call(
            sandbox.command(
                [sys.executable, "-m", "lab.console.story", chapter], pid_file=pid_file()
            ),
            cwd=layout.ROOT,
        )


def up() -> None:
    """Starts a lab that stays, and waits until the product is deployed in it; raises LabError when it does not come."""
    sandbox.check()
    with alone():
        begin()


def begin() -> None:
    """Starts it; `up` keeps others away meanwhile."""
    prepare()
    log = layout.run_dir() / "logs" / "lab.log"
    words = sandbox.command(
        [sys.executable, "-m", "lab.console.stay"], pid_file=pid_file(), detached=True
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            words,
            cwd=layout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    told = 0

    def ready() -> bool:
        nonlocal told
        lines = log.read_text().splitlines()
        for line in lines[told:]:
            sys.stderr.write(f"{line}\n")
        told = len(lines)
        if process.poll() is not None:
            msg = f"the lab ended with exit code {process.returncode}; its logs are in {shown(logs())}"
            raise LabError(msg)
        return (layout.run_dir() / "ready").exists()

    try:
        wait_until(ready, timeout_seconds=UP_SECONDS, what="the lab to be up")
    except BaseException:
        process.terminate()
        process.wait()
        clear()
        raise


def down() -> None:
    """Ends the lab that is up, and waits until nothing of it is left; raises LabError when none is up."""
    sandbox.stop(current())
    wait_until(
        lambda: sandbox.running(pid_file()) is None,
        timeout_seconds=DOWN_SECONDS,
        what="the lab to end",
    )
    clear()


def run(argv: Sequence[str], way: Way = Way.PER_NODE) -> int:
    """Runs a command in the client's network, in the lab that is up or in one for its time; gives the
    command's exit code.
    """
    words = [sys.executable, "-m", "lab.console.agent", "client", way.value, *argv]
    found = sandbox.running(pid_file())
    if found is not None:
        return call(sandbox.enter(found.pid, words, user_namespace=found.user_namespace))
    with fresh():
        words = [sys.executable, "-m", "lab.console.agent", "start-for", way.value, *argv]
        return call(sandbox.command(words, pid_file=pid_file()))


def beside_aws(argv: Sequence[str]) -> int:
    """Runs a command beside the fake AWS of the lab that is up; gives its exit code."""
    return ask("aws", *argv)


def ask(*words: str) -> int:
    """Runs one of lab.console.agent's commands in the lab that is up; gives its exit code."""
    found = current()
    argv = [sys.executable, "-m", "lab.console.agent", *words]
    return call(sandbox.enter(found.pid, argv, user_namespace=found.user_namespace))


def call(
    words: Sequence[str], cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Runs a program in the foreground to its end, also when we are interrupted: the terminal tells it, too.

    Gives its exit code as a shell would: 128 and the signal's number for one that was killed.
    """
    process = subprocess.Popen(words, cwd=cwd or Path.cwd(), env=environment or os.environ)
    previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code
    finally:
        signal.signal(signal.SIGTERM, previous)


def shown(path: Path) -> str:
    """A path as a person types it."""
    return os.path.relpath(path)


def state() -> dict[str, object]:
    """Whether a lab is up, for machines."""
    found = sandbox.running(pid_file())
    return {"up": found is not None} | (
        json.loads((layout.run_dir() / "ready").read_text()) if found else {}
    )
