"""The lab from outside of its sandbox: suites, up, down, commands in the client's network, events.

Nothing outlives a lab: its processes, networks and mounts end with the sandbox, and the run directory is removed.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from lab import layout
from lab.deployment.modes import AccessMode
from lab.errors import LabError
from lab.host import programs, run_directory, sandbox
from lab.host.foreground import run_foreground, run_in_new_lab
from lab.wait import wait_until

UP_SECONDS = 600
DOWN_SECONDS = 90


def current() -> sandbox.Sandbox:
    """The lab that is up; raises LabError when none is."""
    found = run_directory.running()
    if found is None:
        msg = "no lab is up: start one with `nodeway lab up`"
        raise LabError(msg)
    return found


def run_suite(name: str) -> int:
    """Run a suite in a lab of its own; returns its exit code."""
    return run_in_new_lab([sys.executable, "-m", "lab.console.suites", name], cwd=layout.ROOT)


def up() -> None:
    """Start a lab that stays, and wait until the product is deployed; raises LabError when that fails."""
    sandbox.check()
    with run_directory.exclusive():
        begin()


def begin() -> None:
    """Start it, while `up` keeps others away."""
    run_directory.prepare()
    log = layout.run_dir() / "logs" / "lab.log"
    words = sandbox.command(
        [sys.executable, "-m", "lab.console.stay"], pid_file=run_directory.pid_file(), detached=True
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
            logs = os.path.relpath(run_directory.logs())
            msg = f"the lab ended with exit code {process.returncode}; its logs are in {logs}"
            raise LabError(msg)
        return (layout.run_dir() / "ready").exists()

    try:
        wait_until(ready, timeout_seconds=UP_SECONDS, what="the lab to be up")
    except BaseException:
        programs.end(process)
        run_directory.clear()
        raise


def down() -> None:
    """End the lab that is up, and wait for the end; raises LabError when none is up."""
    sandbox.stop(current())
    wait_until(
        lambda: run_directory.running() is None,
        timeout_seconds=DOWN_SECONDS,
        what="the lab to end",
    )
    run_directory.clear()


def run(argv: Sequence[str], mode: AccessMode = AccessMode.PER_NODE) -> int:
    """Run a command in the client's network, in the lab that is up or in one for this command.

    Returns the command's exit code.
    """
    words = [sys.executable, "-m", "lab.console.agent", "client", mode.value, *argv]
    found = run_directory.running()
    if found is not None:
        return run_foreground(sandbox.enter(found.pid, words, user_namespace=found.user_namespace))
    return run_in_new_lab(
        [sys.executable, "-m", "lab.console.agent", "start-for", mode.value, *argv]
    )


def beside_aws(argv: Sequence[str]) -> int:
    """Run a command beside the fake AWS of the lab that is up; returns its exit code."""
    return ask("aws", *argv)


def ask(*words: str) -> int:
    """Run a request of lab.console.agent in the lab that is up; returns its exit code."""
    found = current()
    argv = [sys.executable, "-m", "lab.console.agent", *words]
    return run_foreground(sandbox.enter(found.pid, argv, user_namespace=found.user_namespace))
