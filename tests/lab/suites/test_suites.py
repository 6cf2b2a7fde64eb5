"""The suites as a person runs them: every scenario passes, with its figures, and nothing stays behind."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import layout
from lab.console.suites import SUITES, report_file
from tests.support.lab.command import left_behind, nodeway, own_run_directory

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


@pytest.fixture(autouse=True)
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No lab is up."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        yield


def run_suite(name: str) -> dict[str, dict[str, Any]]:
    """Scenario to its figures, of a run in which every scenario passed."""
    done = nodeway("lab", "suite", name, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not layout.run_dir().exists()
    assert left_behind() == []
    report = json.loads(report_file(name).read_text())
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}
    assert list(figures) == [scenario.__name__ for scenario in SUITES[name]]
    return figures


def test_main() -> None:
    """`make lab`: the main job from nothing to a scale-out."""
    figures = run_suite("main")

    works = figures["per_node_works"]
    assert (works["nodes"], works["slots_covered"], works["tls_verified"]) == (6, 16384, True)
    assert works["keys_read_back"] == works["keys_written"] >= 10_000
    assert set(works["commands"].values()) == {"ok"}
    assert "MOVED" in figures["single_haproxy_fails_on_moved"]["moved"]


def test_resync() -> None:
    """The topology changes, sources lie and fail, while a client writes."""
    figures = run_suite("resync")

    assert figures["scale_out_without_deploy"]["errors"] == 0
    assert figures["burst_of_500_events"]["runs"] <= 5
    assert figures["scale_in_keeps_writes"]["lost_acknowledged"] == 0


def test_deploy() -> None:
    """Deploys, a bad one and the end of it all, while a client writes."""
    figures = run_suite("deploy")

    assert figures["change_one_node_changes_one_node"]["tasks_started"] == 1
    assert figures["bad_deploy_rolls_back"]["failed"] == 0
    assert figures["rolling_change_goes_in_waves"]["rolled"] == 6
    assert figures["destroy_leaves_nothing"]["left_later"] == {}


def test_shared() -> None:
    """Two tasks and one record serve every node; a lost task and a new shard cost the client no write."""
    figures = run_suite("shared")

    works = figures["shared_serves_sni_clients"]
    assert (works["nodes"], works["slots_covered"], works["tls_verified"]) == (6, 16384, True)
    assert (works["records"], works["haproxies"]) == (1, 2)
    assert works["without_a_name"] == works["with_a_foreign_name"] == "closed"
    assert figures["shared_lost_haproxy"]["lost_acknowledged"] == 0
    assert figures["shared_scale_out"]["errors"] == 0
