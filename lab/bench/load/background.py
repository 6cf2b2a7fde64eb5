"""Who is there beside the load generator: subscribers, or connections that do nothing (lab.bench.load.connections)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lab import layout
from lab.bench.setup.site import Site
from lab.errors import LabError

LAST_WORDS = 300


class Wanted(Protocol):
    """What a load says of its company."""

    @property
    def crowd(self) -> int:
        """Idle connections."""

    @property
    def subscribers(self) -> int:
        """Connections that are subscribed."""


class Company:
    """The process that holds the connections; None when a load has no company."""

    def __init__(self, process: subprocess.Popen[str] | None, messages: int) -> None:
        self._process = process
        self._messages = messages

    def messages_per_second(self) -> float:
        """What all subscribers together got in a second, once each has every message. Raises LabError."""
        if self._process is None:
            raise LabError("this load has no subscribers")
        return self._messages / float(_line(self._process))


@contextmanager
def of(site: Site, address: str, load: Wanted, requests: int) -> Iterator[Company]:
    """The company of a load over one way, there before the block and gone after it. Raises LabError."""
    connections = load.crowd or load.subscribers
    if not connections:
        yield Company(None, 0)
        return
    told = {
        "address": address,
        "name": site.first.node.hostname,
        "authority": str(site.world.run_dir / "ca.pem"),
        "connections": connections,
        "channel": site.first.channel if load.subscribers else "",
        "messages": requests,
    }
    argv = [sys.executable, "-m", "lab.bench.load.connections", json.dumps(told)]
    words, environment = site.world.client_command(argv)
    process = subprocess.Popen(
        words,
        cwd=layout.ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if _line(process) != "ready":
            raise LabError("the crowd did not get ready")
        yield Company(process, load.subscribers * requests)
    finally:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    """What the crowd says next; raises LabError with its last words when it has ended."""
    said = process.stdout.readline().strip() if process.stdout else ""
    if not said:
        last = process.communicate()[1][-LAST_WORDS:].strip()
        raise LabError(f"the benchmark's connections ended: {last}")
    return said
