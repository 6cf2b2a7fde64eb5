"""The sandbox: new network, mount and process namespaces, and a user namespace for users other than root.

`python -m lab.host.sandbox [--pid-file FILE] [--detached] -- COMMAND...` runs COMMAND in it as the child of a small
init that reaps orphans. When the command or this process ends, for whatever reason, the kernel ends everything
inside: no process, namespace or mount stays. Root is not needed.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab import layout
from lab.errors import LabError
from lab.host import syscalls as linux

PROGRAMS = ("unshare", "nsenter", "mount", "env", "sleep")
"""Programs of the machine that the lab runs: util-linux and coreutils."""

SWITCHES = (
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=96000"),
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""Kernel settings that keep ordinary users from making namespaces: file, the value that does, the way out."""

CANNOT = 125
"""Exit code for walls that could not be built, as of env(1) and docker-run(1)."""

CHECK_SECONDS = 30
NOT_FOUND = 127
"""Exit code for a command that does not exist, as of a shell."""

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
FROM_KERNEL = 0x80  # SI_KERNEL of <asm-generic/siginfo.h>: a key of the terminal, which the whole group receives


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, seen from outside of it."""

    pid: int
    """Its first process (the init)."""
    user_namespace: bool


def command(
    argv: Sequence[str], *, pid_file: Path | None = None, detached: bool = False
) -> list[str]:
    """The command line that runs `argv` in a new sandbox.

    The sandbox ends with the thread that starts the command line, unless `detached`. While it runs, `pid_file` holds
    what `running` needs. The lab's package must be in the working directory or on Python's path.
    """
    options = ["--detached"] * detached
    if pid_file is not None:
        options += ["--pid-file", str(pid_file)]
    return [sys.executable, "-m", "lab.host.sandbox", *options, "--", *argv]


def check() -> None:
    """Raise LabError, in one line with the remedy, when this machine cannot build a sandbox."""
    if sys.platform != "linux":
        raise LabError(
            f"the lab needs Linux (network namespaces); this is {sys.platform}: use a Linux VM or container"
        )
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise LabError(
            f"the lab needs {', '.join(missing)} on PATH: install util-linux and coreutils"
        )
    probe = subprocess.run(
        command(["true"]),
        cwd=layout.ROOT,
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
        check=False,
    )
    if probe.returncode != 0:
        raise LabError(
            f"this machine lets no namespaces be made ({probe.stderr.strip()}): {_way_out()}"
        )


def enter(pid: int, argv: Sequence[str], *, user_namespace: bool) -> list[str]:
    """The command line that runs `argv` inside a running sandbox (`Sandbox.pid`), from outside of it.

    It starts in the current directory, as the same user that started the sandbox.
    """
    user = ["--user", "--preserve-credentials"] * user_namespace
    spaces = ["--net", "--mount", "--pid"]
    # a change of the mount namespace resets the working directory to /
    return [
        "nsenter",
        f"--target={pid}",
        *user,
        *spaces,
        "--",
        "env",
        f"--chdir={Path.cwd()}",
        *argv,
    ]


def running(pid_file: Path) -> Sandbox | None:
    """The sandbox that `pid_file` describes, if it still runs."""
    try:
        found = json.loads(pid_file.read_text())
        if linux.started_at(found["pid"]) == found["started"] and linux.alive(found["pid"]):
            return Sandbox(found["pid"], found["user_namespace"])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def stop(sandbox: Sandbox) -> None:
    """Ask a running sandbox to end (SIGTERM to its command); wait for the end with `running`."""
    with suppress(ProcessLookupError):
        os.kill(sandbox.pid, signal.SIGTERM)


def _way_out() -> str:
    for name, refusing, setting in SWITCHES:
        path = Path("/proc/sys") / name
        if path.exists() and path.read_text().strip() == refusing:
            return f"{name.replace('/', '.')} is {refusing}; allow it with `sudo sysctl {setting}`, or run as root"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "a container's seccomp profile forbids it; run the container with --privileged"
    return "run as root, or on a machine that allows user namespaces"


def _unshare() -> bool:
    """Move into a new process namespace (for children); returns whether that needed a user namespace."""
    if os.geteuid() == 0:
        # root of a container may lack the right, and yet be allowed a user namespace
        with suppress(PermissionError):
            linux.unshare(linux.CLONE_NEWPID)
            return False
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER)
    # user_namespaces(7): without the right, a gid_map only after this
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    linux.unshare(linux.CLONE_NEWPID)
    return True


def _fork(work: Callable[[], int]) -> int:
    """A child that dies with this process, does `work` and ends with its exit code."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = CANNOT
    try:
        linux.die_with_parent()
        if os.getppid() in (
            parent,
            0,
        ):  # 0: the parent lives outside of our process namespace
            code = work()
    except OSError as failure:
        print(f"sandbox: {failure}", file=sys.stderr, flush=True)
    except BaseException:  # noqa: BLE001 - a fork must never run on into its parent's code
        traceback.print_exc()
    os._exit(code)


def _attend(child: int) -> int:
    """Reap every child and forward signals, until `child` ends; returns its exit code as a shell would."""
    while True:
        info = signal.sigwaitinfo({signal.SIGCHLD, *FORWARDED})
        if info.si_signo != signal.SIGCHLD:
            if info.si_code != FROM_KERNEL or info.si_signo == signal.SIGHUP:
                os.kill(child, info.si_signo)
            continue
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def _init(argv: Sequence[str]) -> int:
    """The first process inside: build the other namespaces, run the command, reap."""
    linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS)
    linux.make_mounts_private()
    linux.mount("proc", "/proc", "proc")

    def run() -> int:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        try:
            os.execvp(argv[0], list(argv))
        except FileNotFoundError:
            print(f"sandbox: no command {argv[0]}", file=sys.stderr, flush=True)
            return NOT_FOUND

    return _attend(_fork(run))


def main(words: Sequence[str]) -> int:
    """Run a command in a new sandbox; returns its exit code, or 125 when the sandbox could not be built."""
    parser = argparse.ArgumentParser(prog="python -m lab.host.sandbox")
    parser.add_argument("--pid-file", type=Path)
    parser.add_argument("--detached", action="store_true")
    parser.add_argument("argv", nargs="+", metavar="COMMAND")
    options = parser.parse_args(words)
    if not options.detached:
        linux.die_with_parent()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, *FORWARDED])
    try:
        user_namespace = _unshare()
    except OSError as failure:
        print(f"sandbox: {failure}", file=sys.stderr)
        return CANNOT
    child = _fork(lambda: _init(options.argv))
    pid_file: Path | None = options.pid_file
    if pid_file is not None:
        facts = {
            "pid": child,
            "started": linux.started_at(child),
            "user_namespace": user_namespace,
        }
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = pid_file.with_suffix(".new")
        fresh.write_text(json.dumps(facts))
        fresh.replace(pid_file)
    try:
        return _attend(child)
    finally:
        if pid_file is not None:
            pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
