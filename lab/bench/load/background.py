"""Background load beside the load generator: subscribers or idle connections (lab.bench.load.connections)."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import layout
from lab.bench.setup.testbed import Testbed
from lab.errors import LabError
from lab.host import programs

ERROR_CHARACTERS = 300
MESSAGE_BYTES = 1024


@contextmanager
def background_load(
    testbed: Testbed, address: str, connections: int, messages: int
) -> Iterator[Callable[[], str]]:
    """So many connections during the block; with `messages` they subscribe and expect so many each.

    Gives a function that reads the next line of the process: the seconds from the first byte of all messages to the
    last. Both raise LabError with the last words of a process that has ended.
    """
    options = {
        "address": address,
        "name": testbed.first.node.hostname,
        "ca_file": testbed.ca_file,
        "connections": connections,
        "channel": testbed.first.channel if messages else "",
        "messages": messages,
        "message_bytes": MESSAGE_BYTES,
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

        def read_line() -> str:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line:
                last = process.communicate()[1][-ERROR_CHARACTERS:].strip()
                raise LabError(f"the benchmark's connections ended: {last}")
            return line

        read_line()
        yield read_line
