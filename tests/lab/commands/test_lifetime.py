"""A lab for one command ends with it, also when it is interrupted."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from lab import layout
from lab.host import programs, run_directory
from lab.host.foreground import INTERRUPTED
from lab.wait import wait_until
from tests.support.lab.command import NODEWAY, left_behind, nodeway, own_run_directory

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


@pytest.fixture(autouse=True)
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No lab is up."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        yield


def test_interrupted_suite_leaves_nothing() -> None:
    """Ctrl-C half-way: no process, no run directory."""
    with programs.running(
        [NODEWAY, "lab", "suite"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_until(
            (layout.run_dir() / "cache.json").exists,
            timeout_seconds=180,
            what="the lab to have begun",
        )
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == INTERRUPTED

    wait_until(lambda: not left_behind(), timeout_seconds=60, what="the end of all its processes")
    assert not layout.run_dir().exists()
    assert not run_directory.pid_file().exists()


def test_lab_run_starts_a_lab_for_one_command_when_none_is_up() -> None:
    """No lab needed beforehand; the exit code is still the command's own."""
    done = nodeway("lab", "run", "--", "sh", "-c", 'test -n "$LAB_PASSWORD" && exit 9')

    assert done.returncode == 9, done.stderr
    assert not layout.run_dir().exists()
