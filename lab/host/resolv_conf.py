"""Name look-ups of a mount namespace, by the VPC's resolver only.

All changes are mounts, which end with the namespace; no file of the machine changes.
"""

import os
from pathlib import Path

from lab.errors import LabError
from lab.host import syscalls as linux
from lab.layout import RESOLVER

FILES = {
    "resolv.conf": f"nameserver {RESOLVER}\noptions timeout:1 attempts:3\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n",
    "hosts": "127.0.0.1 localhost\n",
}
DAEMONS = ("/run/nscd", "/run/systemd/resolve")
"""Where caching daemons of the machine listen; glibc would ask them before it asks our resolver."""


def use_vpc_resolver(directory: Path) -> None:
    """Mount the lab's name-service files, written to `directory`, over those of /etc.

    The caller must be in a mount namespace of its own. Raises LabError when /etc/resolv.conf does not exist.
    """
    for daemon in DAEMONS:
        if Path(daemon).is_dir():
            linux.mount("tmpfs", daemon, "tmpfs")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        target = Path(os.path.realpath(f"/etc/{name}"))
        if name == "nsswitch.conf" and not target.exists():
            continue
        _ensure_exists(target)
        ours = directory / name
        ours.write_text(text)
        linux.mount(str(ours), str(target), None, linux.MS_BIND)


def _ensure_exists(target: Path) -> None:
    """Make a file to mount over, where a link of /etc leads to nothing because its daemon's directory is hidden."""
    if target.exists():
        return
    ancestor = next(p for p in target.parents if p.exists())
    if ancestor in (Path("/"), Path("/etc")):
        raise LabError(
            f"{target} does not exist and the lab mounts its own over it: create an empty one"
        )
    if str(ancestor) not in DAEMONS:
        linux.mount("tmpfs", str(ancestor), "tmpfs")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
