"""Builds the client programs, before there is a sandbox: they need the registries. It must never start one."""

import os
import subprocess
from collections.abc import Callable

from lab.conformance.suite.manifest import BUILDS, Client
from lab.conformance.suite.observe import last_words, shortened

LIMIT_SECONDS = 900.0


def build(client: Client, say: Callable[[str], None]) -> str:
    """Builds a client's program; gives the reason why it cannot be run, empty when it can."""
    if missing := client.missing():
        return f"needs {', '.join(missing)} on PATH"
    home = BUILDS / client.name
    home.mkdir(parents=True, exist_ok=True)
    log = home / "build.log"
    log.write_text("")
    say(f"build {client.name}")
    for words in client.build:
        argv = client.command(words)
        try:
            with log.open("a") as output:
                done = subprocess.run(
                    argv,
                    cwd=client.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=LIMIT_SECONDS,
                    env=os.environ,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return f"was not built in {LIMIT_SECONDS:g} s"
        except OSError as error:
            return f"could not be built: {error}"
        if done.returncode != 0:
            return shortened(f"could not be built: {last_words(log.read_text(errors='replace'))}")
    return ""
