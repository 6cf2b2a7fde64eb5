"""Runs a client's program in the client's network. It must never judge what the program says."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import Ended
from lab.host import network
from nodeway.client.slots import tags

SLOT_KEYS = "slot-keys.txt"
LAST_WORDS_SECONDS = 10.0


def write_slot_keys(run_dir: Path) -> Path:
    """A hash tag for each slot, one a line, for programs that choose the slots of their keys."""
    path = run_dir / SLOT_KEYS
    path.write_text("".join(f"{tag}\n" for tag in tags()))
    return path


def start(
    client: Client, mode: str, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[str]:
    """Starts a client's program in a mode; what it says on standard error goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        return subprocess.Popen(
            [
                *network.inside("client", directory=client.directory),
                *client.command([*client.run, mode]),
            ],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            # with all that it starts, so that all of it can be ended
            start_new_session=True,
        )


def run(
    client: Client, mode: str, environment: Mapping[str, str], log: Path, limit_seconds: float
) -> Ended:
    """Runs a client's program in a mode to its end, or to that of its time."""
    process = start(client, mode, environment, log)
    try:
        said, _ = process.communicate(timeout=limit_seconds)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        kill(process)
        said, code = _said(process), None
    return Ended(said, log.read_text(errors="replace"), code, limit_seconds)


def kill(process: subprocess.Popen[str]) -> None:
    """Ends a program at once, with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _said(killed: subprocess.Popen[str]) -> str:
    try:
        return killed.communicate(timeout=LAST_WORDS_SECONDS)[0]
    except subprocess.TimeoutExpired:
        # something that left its process group holds the pipe
        return ""
