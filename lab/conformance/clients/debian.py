"""Makes `DIRECTORY/NAME` run a program of a Debian package.

It is the one on PATH when that works. Else a Debian machine's own package manager fetches the packages with all that
this machine lacks for them, and they are unpacked in DIRECTORY: nothing is installed, and no root is needed.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LAST_WORDS = 300


def main(words: Sequence[str]) -> int:
    """Make it so; what cannot be is said in one line."""
    options = _options(words)
    directory: Path = options.into.resolve()
    wrapper = directory / options.program
    if works(wrapper, options.probe):
        return 0
    directory.mkdir(parents=True, exist_ok=True)
    wrapper.unlink(missing_ok=True)
    found = shutil.which(options.program)
    if found is not None and works(Path(found), options.probe):
        wrapper.symlink_to(found)
        return 0
    unpacked = directory / "debian"
    unpack(options.packages, unpacked)
    wrap(unpacked, wrapper, options.arguments)
    if not works(wrapper, options.probe):
        raise SystemExit(f"{options.program} does not run unpacked: install {options.packages[0]}")
    return 0


def works(program: Path, probe: Sequence[str]) -> bool:
    """Whether a program is there, finds its libraries, and passes the probe."""
    if not program.exists():
        return False
    return subprocess.run([program, *probe], capture_output=True, check=False).returncode == 0


def unpack(packages: Sequence[str], into: Path) -> None:
    """With the machine's package lists, else with ones of our own; raises SystemExit when it cannot."""
    if shutil.which("apt-get") is None:
        raise SystemExit(f"no Debian to take {packages[0]} from: put its programs on PATH")
    shutil.rmtree(into, ignore_errors=True)
    lists = into / "lists"
    downloads = into / "downloads"
    for directory in (lists / "state/lists/partial", lists / "cache", downloads / "partial"):
        directory.mkdir(parents=True)
    own = ["-o", f"Dir::State={lists / 'state'}", "-o", f"Dir::Cache={lists / 'cache'}"]
    fetch = [
        *("--yes", "--download-only", "--no-install-recommends", "--reinstall"),
        *("-o", f"Dir::Cache::archives={downloads}", "install", *packages),
    ]
    if _apt(*fetch).returncode != 0:
        # a source that does not answer is no harm as long as the packages are found
        _apt(*own, "update")
        done = _apt(*own, *fetch)
        if done.returncode != 0:
            raise SystemExit(
                f"apt-get could not download {packages[0]}: {done.stderr[-LAST_WORDS:].strip()}"
            )
    for package in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, into], check=True)
    shutil.rmtree(lists)
    shutil.rmtree(downloads)


def wrap(unpacked: Path, wrapper: Path, arguments: str) -> None:
    """A wrapper of its own, so that the libraries reach no other program; {NAME} in `arguments` is an unpacked file."""
    folders = {found.parent for found in (unpacked / "usr" / "lib").rglob("*.so*")}
    program = next(
        found
        for found in sorted(unpacked.rglob(f"{wrapper.name}*"))
        if found.parent.name in ("bin", "sbin") and found.is_file()
    )
    words = re.sub(r"{(.+?)}", lambda name: str(next(unpacked.rglob(name[1]))), arguments)
    wrapper.write_text(
        f"#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(':'.join(sorted(map(str, folders))))}"
        f' exec {shlex.quote(str(program))} {words} "$@"\n'
    )
    wrapper.chmod(0o755)


def _apt(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "--quiet", "-o", "Debug::NoLocking=true", *words]
    if os.geteuid() == 0:
        command[1:1] = ["-o", "APT::Sandbox::User=root"]  # its own user may not write here
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.conformance.clients.debian", description=__doc__
    )
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--probe", type=shlex.split, default=["--version"], help="exit 0: it works")
    parser.add_argument(
        "--arguments", default="", help="the wrapper's; {NAME}: the path of that file"
    )
    parser.add_argument("packages", nargs="+")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
