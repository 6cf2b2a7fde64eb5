"""The benchmark's programs: redis-server with TLS, redis-benchmark and nft.

Those on PATH are used when all are there. Else a Debian machine's package manager fetches the packages, which are
unpacked into build/bench: nothing is installed, and no root is needed. A wrapper gives each program its libraries.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab import layout
from lab.errors import LabError

NEEDED = ("redis-server", "redis-benchmark", "nft")
PACKAGES = (
    *("redis-server", "redis-tools", "nftables"),
    *("liblua5.1-0", "libjemalloc2", "liblzf1", "lua-cjson", "lua-bitop", "libatomic1"),
    *("libnftables1", "libmnl0", "libnftnl11", "libjansson4", "libxtables12"),
    *("libedit2", "libgmp10", "libbsd0"),
)
HOME = layout.ROOT / "build" / "bench"
BINARIES = HOME / "bin"
LAST_WORDS = 300


def search_path() -> str:
    """A PATH that has all programs; fetches them if necessary. Raises LabError."""
    own = os.environ["PATH"]
    if all(map(works, NEEDED)):
        return own
    wrapped = os.pathsep.join([str(BINARIES), own])
    if not all(works(str(BINARIES / name)) for name in NEEDED):
        _fetch()
    return wrapped


def works(program: str) -> bool:
    """Whether a program is on PATH and finds its libraries."""
    if shutil.which(program) is None:
        return False
    said = subprocess.run([program, "--version"], capture_output=True, check=False)
    return said.returncode == 0


def version(program: str, search_path: str) -> str:
    """The first line of a program's version text; `search_path` is the PATH."""
    found = shutil.which(program, path=search_path) or program
    said = subprocess.run([found, "-v"], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).strip().splitlines()[0]


def _fetch() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise LabError(
            f"the benchmark needs {', '.join(NEEDED)} on PATH (redis-server 7 or later with TLS):"
            " install Redis and nftables"
        )
    unpacked = HOME / "debian"
    shutil.rmtree(unpacked, ignore_errors=True)
    packages = HOME / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    _download(packages)
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    shutil.rmtree(packages)
    _wrap(unpacked)
    if missing := [name for name in NEEDED if not works(str(BINARIES / name))]:
        raise LabError(
            f"{', '.join(missing)} of this machine's packages do not run unpacked: install redis and nftables"
        )


def _download(directory: Path) -> None:
    """With the machine's package lists, else with ones of our own."""
    lists = HOME / "apt"
    for kind in ("state/lists/partial", "cache/archives/partial"):
        (lists / kind).mkdir(parents=True, exist_ok=True)
    own = ["-o", f"Dir::State={lists / 'state'}", "-o", f"Dir::Cache={lists / 'cache'}"]
    if _apt(directory, "download", *PACKAGES).returncode == 0:
        return
    # a source that does not answer is no harm as long as the packages are found
    _apt(directory, *own, "update")
    done = _apt(directory, *own, "download", *PACKAGES)
    if done.returncode != 0:
        raise LabError(
            f"apt-get could not download {', '.join(PACKAGES[:3])}: {done.stderr[-LAST_WORDS:].strip()};"
            f" put {', '.join(NEEDED)} on PATH"
        )


def _apt(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", *words]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def _wrap(unpacked: Path) -> None:
    folders = {found.parent for found in (unpacked / "usr" / "lib").rglob("*.so*")}
    libraries = ":".join(sorted(map(str, folders)))
    shutil.rmtree(BINARIES, ignore_errors=True)
    BINARIES.mkdir(parents=True)
    for name in NEEDED:
        program = next(
            found for found in unpacked.rglob(name) if found.parent.name in ("bin", "sbin")
        )
        wrapper = BINARIES / name
        wrapper.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{program}" "$@"\n')
        wrapper.chmod(0o755)
