"""Builds a client's program, and runs it in the client's network."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.conformance.suite.manifest import BUILDS, Client
from lab.conformance.suite.observe import Ended, find_error_line, shorten
from lab.host import network
from lab.host.programs import end
from nodeway.client.slots import hash_tags

SLOT_KEYS = "slot-keys.txt"
BUILD_SECONDS = 900.0
LAST_OUTPUT_SECONDS = 10.0


def build(client: Client, log_progress: Callable[[str], None]) -> str:
    """Builds a client's program outside of the sandbox, as that needs the registries.

    Returns the reason why it cannot be run, empty when it can.
    """
    if missing := client.missing():
        return f"needs {', '.join(missing)} on PATH"
    log = BUILDS / client.name / "build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    log_progress(f"build {client.name}")
    for words in client.build:
        try:
            with log.open("a") as output:
                done = subprocess.run(
                    client.command(words),
                    cwd=client.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=BUILD_SECONDS,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return f"was not built in {BUILD_SECONDS:g} s"
        except OSError as error:
            return f"could not be built: {error}"
        if done.returncode != 0:
            reason = find_error_line(log.read_text(errors="replace"))
            return shorten(f"could not be built: {reason}")
    return ""


def write_slot_keys(run_dir: Path) -> Path:
    """A file with a hash tag for each slot, one a line, by which programs choose the slots of their keys."""
    path = run_dir / SLOT_KEYS
    path.write_text("".join(f"{tag}\n" for tag in hash_tags()))
    return path


def start(
    client: Client, action: str, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[str]:
    """Starts a client's program with `commands`, `connect` or `load`; its standard error goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        return subprocess.Popen(
            [
                *network.inside("client", directory=client.directory),
                *client.command([*client.run, action]),
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
    client: Client, action: str, environment: Mapping[str, str], log: Path, limit_seconds: float
) -> Ended:
    """Runs a client's program to its end, or until its time is over."""
    process = start(client, action, environment, log)
    try:
        output, _ = process.communicate(timeout=limit_seconds)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        end(process, grace_seconds=0)
        output, code = _read_last_output(process), None
    return Ended(output, log.read_text(errors="replace"), code, limit_seconds)


def _read_last_output(killed: subprocess.Popen[str]) -> str:
    try:
        return killed.communicate(timeout=LAST_OUTPUT_SECONDS)[0]
    except subprocess.TimeoutExpired:
        # something that left its process group holds the pipe
        return ""
