import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from lab import layout
from lab.errors import LabError
from lab.host import programs, sandbox
from lab.wait import wait_until
from tests.support.lab.room import open_room

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        sandbox.command(argv),
        cwd=layout.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def marked(mark: str) -> list[int]:
    """Processes of this machine with `mark` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes() and path.read_bytes():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def test_exit_code_is_the_commands_own() -> None:
    assert run("sh", "-c", "exit 7").returncode == 7
    assert run("sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL
    missing = run("no-such-program")
    assert missing.returncode == 127
    assert "no-such-program" in missing.stderr


def test_inside_there_is_no_network_and_no_other_process() -> None:
    look = "import json, os; print(json.dumps([p for p in os.listdir('/proc') if p.isdigit()]))"
    processes = {int(pid) for pid in json.loads(run(sys.executable, "-c", look).stdout)}
    assert processes == {1, 2}
    assert run("sh", "-c", "tail -n +2 /proc/net/route").stdout == ""


def test_orphans_are_reaped() -> None:
    zombies = "for i in 1 2 3; do (sleep 0.05 & ); done; sleep 0.4; cat /proc/[0-9]*/stat"
    states = [
        line.rpartition(")")[2].split()[0] for line in run("sh", "-c", zombies).stdout.splitlines()
    ]
    assert len(states) >= 2
    assert "Z" not in states


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_nothing_is_left_when_the_outer_process_ends(number: int, mark: str, run_dir: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text()
    # the trap: a child that ignores the polite signals ends too
    script = f"sh -c 'trap \"\" TERM HUP; sleep 300; : {mark}' & wait"
    words = sandbox.command(["sh", "-c", script, mark], pid_file=run_dir / "sandbox.json")
    with programs.running(words, cwd=layout.ROOT) as outer:
        wait_until(lambda: len(marked(mark)) >= 4, timeout_seconds=60, what="the processes inside")
        outer.send_signal(number)
        outer.wait(60)
    wait_until(lambda: not marked(mark), timeout_seconds=60, what="the end of all processes")
    gone = "the end of the sandbox"
    pid_file = run_dir / "sandbox.json"
    wait_until(lambda: sandbox.running(pid_file) is None, timeout_seconds=60, what=gone)
    assert Path("/proc/self/mounts").read_text() == mounts


def test_it_ends_with_the_process_that_started_it_unless_detached(mark: str, run_dir: Path) -> None:
    pid_file = run_dir / "sandbox.json"
    for detached in (False, True):
        words = sandbox.command(
            ["sh", "-c", "sleep 300; :", mark], pid_file=pid_file, detached=detached
        )
        starter = f"import subprocess, sys; subprocess.Popen({words!r}); sys.stdin.read()"
        command = [sys.executable, "-c", starter]
        with programs.running(command, grace_seconds=0, cwd=layout.ROOT, stdin=subprocess.PIPE):
            found = wait_until(
                lambda: sandbox.running(pid_file), timeout_seconds=60, what="the sandbox"
            )
        if detached:
            assert sandbox.running(pid_file) == found
            sandbox.stop(found)
        wait_until(lambda: sandbox.running(pid_file) is None, timeout_seconds=60, what="its end")
        wait_until(lambda: not marked(mark), timeout_seconds=60, what="the end of all processes")


def test_enter_runs_in_the_same_walls_and_the_same_directory(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = [
        "sh",
        "-c",
        "readlink /proc/self/ns/net /proc/self/ns/mnt; cat /proc/1/cmdline | tr '\\0' ' '; echo; pwd",
    ]
    monkeypatch.chdir(layout.ROOT / "lab")
    with open_room(run_dir) as room:
        net, mounts, init, directory = room.run(*look).stdout.splitlines()
        again = room.run(*look).stdout.splitlines()
    assert [net, mounts] == again[:2]
    assert net != str(Path("/proc/self/ns/net").readlink())
    assert mounts != str(Path("/proc/self/ns/mnt").readlink())
    assert "lab.host.sandbox" in init
    assert directory == str(layout.ROOT / "lab")


def test_a_stale_pid_file_is_not_a_sandbox(tmp_path: Path) -> None:
    pid_file = tmp_path / "sandbox.json"
    pid_file.write_text(json.dumps({"pid": os.getpid(), "started": 1, "user_namespace": False}))
    assert sandbox.running(pid_file) is None


def test_root_without_the_right_gets_a_user_namespace(run_dir: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, to take the right from")
    argv = sandbox.command(
        ["sh", "-c", "cat /proc/self/uid_map; sleep 0.5"], pid_file=run_dir / "s.json"
    )
    words = ["setpriv", "--bounding-set=-sys_admin", *argv]
    with programs.running(words, cwd=layout.ROOT, stdout=subprocess.PIPE) as outer:
        found = wait_until(
            lambda: sandbox.running(run_dir / "s.json"), timeout_seconds=60, what="the sandbox"
        )
        said, _ = outer.communicate(timeout=60)
    assert found.user_namespace
    assert said.split() == ["0", "0", "1"]


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"unshare, nsenter, mount.*install util-linux"):
        sandbox.check()
