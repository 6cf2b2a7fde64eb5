"""`python -m lab.containers.init`: becomes one container of an ECS task.

lab.containers.container starts it and talks to it over stdin (the specification, later `go`) and stdout (`ready`, or
an error). It ends in the container's own program. When ECS restarts a container, its namespaces exist already: the
specification names the descriptors, and there is no `go`. It changes mounts, limits and capabilities of its own
namespaces only.

Unlike an image it has no root file system of its own (it sees the machine's, read-only when the container asks for
it), no user of its own (a user namespace without root has one user only), and no pid namespace.
"""

import ctypes
import json
import os
import resource
import sys
from pathlib import Path

from lab.host import resolv_conf as names
from lab.host import syscalls as linux

# <linux/prctl.h>, <linux/capability.h>, <linux/mount.h>, <fcntl.h>
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
LAST_CAPABILITY = 63
SYS_MOUNT_SETATTR = 442
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 1

FARGATE_OPEN_FILES = 65_535
"""The soft and hard limit of a Fargate task that sets none
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html)."""

PROTECTED = frozenset(
    {
        "/",
        "/usr",
        "/etc",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/usr/bin",
        "/usr/lib",
        "/dev",
        "/proc",
    }
)
"""No volume may hide these: a program of the machine runs inside."""


class MountAttributes(ctypes.Structure):
    """struct mount_attr of mount_setattr(2)."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def main() -> None:
    """Set the container up, report, wait for its network, and become its program."""
    linux.die_with_parent()
    # both ends close by themselves when the program takes over: that is how the parent knows
    status = os.dup(1)
    try:
        specification = json.loads(sys.stdin.readline())
        if specification["namespaces"]:
            _enter_namespaces(*specification["namespaces"])
        else:
            _make_namespaces(specification, status)
        _set_limits(specification["ulimits"])
        _drop_capabilities(drop_all=specification["drop_all_capabilities"])
        _exec(specification)
    except BaseException as problem:
        os.write(status, f"{type(problem).__name__}: {problem}".encode())
        raise


def _make_namespaces(specification: dict[str, object], status: int) -> None:
    """Make new namespaces; the parent gives them a network after `ready`."""
    linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS)
    linux.make_mounts_private()
    os.write(status, b"ready\n")
    if sys.stdin.readline() != "go\n":
        sys.exit("the runtime gave up before the container had a network")
    _mount_all(specification)


def _enter_namespaces(net: int, mounts: int) -> None:
    """Enter the namespaces that this container had before its program ended."""
    linux.enter(net, linux.CLONE_NEWNET)
    linux.enter(mounts, linux.CLONE_NEWNS)
    for descriptor in (net, mounts):
        os.close(descriptor)


def _exec(specification: dict[str, object]) -> None:
    argv = [str(word) for word in specification["argv"]]  # type: ignore[attr-defined]
    environment = dict(specification["environment"])  # type: ignore[call-overload]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.chdir("/")
    os.execvpe(argv[0], argv, environment)


def _mount_all(specification: dict[str, object]) -> None:
    keep = [str(path) for path in specification["keep"]]  # type: ignore[attr-defined]
    state = Path(str(specification["state"]))
    authorities = Path(str(specification["authorities"]))
    bundle = authorities.read_bytes() if authorities.exists() else b""
    names.use_vpc_resolver(state / "etc")
    _mount_empty("/etc/ssl", keep)
    certificates = Path("/etc/ssl/certs")
    certificates.mkdir()
    (certificates / "ca-certificates.crt").write_bytes(bundle)
    _mount_empty("/tmp", keep)  # noqa: S108 - this container's own
    for path in specification["volumes"]:  # type: ignore[attr-defined]
        _mount_volume(str(path), keep)
    if specification["read_only_root"]:
        _mount_root_read_only(except_for=[str(path) for path in specification["volumes"]])  # type: ignore[attr-defined]


def _mount_empty(path: str, keep: list[str]) -> None:
    """Mount an empty file system over `path`; what lies below it and is needed to run stays reachable."""
    held = [(kept, os.open(kept, os.O_PATH)) for kept in keep if kept.startswith(path + "/")]
    linux.mount("tmpfs", path, "tmpfs")
    for kept, descriptor in held:
        Path(kept).mkdir(parents=True, exist_ok=True)
        linux.mount(f"/proc/self/fd/{descriptor}", kept, None, linux.MS_BIND | linux.MS_REC)
        os.close(descriptor)


def _mount_volume(path: str, keep: list[str]) -> None:
    """Mount a task's empty volume; where the machine has no such directory, over the nearest one above it."""
    place = Path(path)
    while not place.is_dir():
        place = place.parent
    if str(place) in PROTECTED:
        raise RuntimeError(
            f"volume at {path}: the lab cannot make that directory on this machine ({place} is in use)"
        )
    _mount_empty(str(place), keep)
    Path(path).mkdir(parents=True, exist_ok=True)


def _mount_root_read_only(*, except_for: list[str]) -> None:
    """Make every mount read-only, and so /tmp, but for the task's volumes (readonlyRootFilesystem)."""
    _set_read_only("/", on=True)
    for path in except_for:
        place = Path(path)
        while not os.path.ismount(place):
            place = place.parent
        _set_read_only(str(place), on=False)


def _set_read_only(path: str, *, on: bool) -> None:
    attributes = MountAttributes(
        MOUNT_ATTR_RDONLY if on else 0, 0 if on else MOUNT_ATTR_RDONLY, 0, 0
    )
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(SYS_MOUNT_SETATTR),
        ctypes.c_int(AT_FDCWD),
        path.encode(),
        ctypes.c_uint(AT_RECURSIVE if on else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(
            number, f"make {path} {'read-only' if on else 'writable'}: {os.strerror(number)}"
        )


def _set_limits(ulimits: list[dict[str, object]]) -> None:
    """Set the container's ulimits, at most as high as the machine allows."""
    wanted = {"nofile": (FARGATE_OPEN_FILES, FARGATE_OPEN_FILES)}
    wanted |= {
        str(u["name"]): (int(str(u["softLimit"])), int(str(u["hardLimit"]))) for u in ulimits
    }
    for name, (soft, hard) in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            allowed = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (min(soft, allowed), min(hard, allowed)))


def _drop_capabilities(*, drop_all: bool) -> None:
    """Forbid new privileges; with linuxParameters.capabilities.drop ALL also drop all capabilities."""
    libc = ctypes.CDLL(None, use_errno=True)
    if drop_all:
        # fails from the first number that this kernel does not know
        for capability in range(LAST_CAPABILITY + 1):
            if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
                break
    libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)


if __name__ == "__main__":
    main()
