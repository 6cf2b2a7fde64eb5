"""Background load beside the load generator: subscribers or idle connections (lab.bench.load.connections)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lab import layout
from lab.bench.setup.testbed import Testbed
from lab.errors import LabError
from lab.host import programs

ERROR_CHARACTERS = 300


class BackgroundLoad:
    """The process that has the connections."""

    def __init__(self, process: subprocess.Popen[str], messages: int) -> None:
        self._process = process
        self._messages = messages

    def read_line(self) -> str:
        """The next line of the process; raises LabError with its last words when it has ended."""
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not line:
            last = self._process.communicate()[1][-ERROR_CHARACTERS:].strip()
            raise LabError(f"the benchmark's connections ended: {last}")
        return line

    def messages_per_second(self) -> float:
        """Messages that all subscribers got per second, once each has every message. Raises LabError."""
        return self._messages / float(self.read_line())


@contextmanager
def background_load(
    testbed: Testbed, address: str, connections: int, messages: int
) -> Iterator[BackgroundLoad]:
    """So many connections during the block; with `messages` they subscribe and expect so many each. Raises LabError."""
    options = {
        "address": address,
        "name": testbed.first.node.hostname,
        "ca_file": testbed.ca_file,
        "connections": connections,
        "channel": testbed.first.channel if messages else "",
        "messages": messages,
    }
    argv = [sys.executable, "-m", "lab.bench.load.connections", json.dumps(options)]
    words, environment = testbed.world.client_command(argv)
    with programs.running(
        words,
        grace_seconds=0,
        cwd=layout.ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        load = BackgroundLoad(process, messages * connections)
        if load.read_line() != "ready":
            raise LabError("the benchmark's connections did not get ready")
        yield load
