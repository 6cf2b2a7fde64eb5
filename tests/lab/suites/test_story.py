"""The story as a person plays it, cut short, and a lab for one command: nothing may stay behind."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from lab import layout
from lab.host import programs, run_directory
from lab.host.foreground import INTERRUPTED
from lab.scenarios import deploy as deploy_scenarios
from lab.scenarios.basics import STORY
from lab.scenarios.resync import CHAPTER
from lab.wait import wait_until
from tests.support.lab.command import NODEWAY, left_behind, nodeway, own_run_directory

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


@pytest.fixture(autouse=True)
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No lab is up."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        yield


def test_story_keeps_every_promise() -> None:
    """`make lab` exits 0, reports each scenario as passed with its figures, and leaves nothing."""
    told = nodeway("lab", "story")
    report = json.loads((layout.ROOT / "build" / "lab" / "report.json").read_text())

    assert told.returncode == 0, told.stdout + told.stderr
    assert [one["name"] for one in report["scenarios"]][: len(STORY)] == [
        play.__name__ for play in STORY
    ]
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}
    assert {play.__name__ for play in STORY} <= figures.keys()
    works = figures["per_node_works"]
    assert (works["nodes"], works["slots_covered"], works["tls_verified"]) == (6, 16384, True)
    assert works["keys_read_back"] == works["keys_written"] >= 10_000
    assert set(works["commands"].values()) == {"ok"}
    assert "MOVED" in figures["single_haproxy_fails_on_moved"]["moved"]
    assert not layout.run_dir().exists()
    assert left_behind() == []


def test_interrupted_lab_leaves_nothing() -> None:
    """Ctrl-C half-way: no process, no run directory."""
    with programs.running(
        [NODEWAY, "lab", "story"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_until(
            (layout.run_dir() / "cache.json").exists,
            timeout_seconds=60,
            what="the lab to have begun",
        )
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == INTERRUPTED

    def gone() -> bool:
        return not left_behind()

    wait_until(gone, timeout_seconds=20, what="all of the lab's processes to be gone")
    assert not layout.run_dir().exists()
    assert not run_directory.pid_file().exists()


def test_lab_run_starts_a_lab_for_one_command_when_none_is_up() -> None:
    """No lab needed beforehand; the exit code is still the command's own."""
    done = nodeway("lab", "run", "--", "sh", "-c", 'test -n "$LAB_PASSWORD" && exit 9')

    assert done.returncode == 9, done.stderr
    assert not layout.run_dir().exists()


def test_resync_chapter_keeps_every_promise() -> None:
    """The topology changes, sources lie and fail, while a client writes: each scenario passes, with its figures."""
    told = nodeway("lab", "story", "--chapter", "resync", timeout=600)
    report = json.loads((layout.ROOT / "build" / "lab" / "report.json").read_text())
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}

    assert told.returncode == 0, told.stdout + told.stderr
    assert {play.__name__ for play in CHAPTER} <= figures.keys()
    assert figures["scale_out_without_deploy"]["errors"] == 0
    assert figures["burst_of_500_events"]["runs"] <= 5
    assert figures["scale_in_keeps_writes"]["lost_acknowledged"] == 0


def test_deploy_chapter_keeps_every_promise() -> None:
    """Deploys, a bad one and the end of it all, while a client writes: each scenario passes, with its figures."""
    told = nodeway("lab", "story", "--chapter", "deploy", timeout=600)
    report = json.loads((layout.ROOT / "build" / "lab" / "report.json").read_text())
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}

    assert told.returncode == 0, told.stdout + told.stderr
    assert {play.__name__ for play in deploy_scenarios.CHAPTER} <= figures.keys()
    assert figures["change_one_node_changes_one_node"]["tasks_started"] == 1
    assert figures["bad_deploy_rolls_back"]["failed"] == 0
    assert figures["rolling_change_goes_in_waves"]["rolled"] == 6
    assert figures["destroy_leaves_nothing"]["left_later"] == {}
