"""The benchmark's programs: redis-server with TLS, redis-benchmark and nft; and where its files are.

Each is the one on PATH if that works. Else a Debian machine's package manager fetches it into build/bench: nothing is
installed, and no root is needed.
"""

import os

from lab import layout
from lab.conformance.clients import debian
from lab.errors import LabError

PACKAGES = {
    "redis-server": ("redis-server", "redis-tools"),
    "redis-benchmark": ("redis-tools",),
    "nft": ("nftables",),
}
"""Each program with its Debian packages."""
HOME = layout.ROOT / "build" / "bench"


def search_path() -> str:
    """A PATH that has all programs; fetches them if necessary. Raises LabError."""
    folders = []
    for program, packages in PACKAGES.items():
        folder = HOME / "programs" / program
        try:
            debian.main(["--into", str(folder), "--program", program, *packages])
        except SystemExit as failed:
            raise LabError(str(failed)) from None
        folders.append(str(folder))
    return os.pathsep.join([*folders, os.environ["PATH"]])
