"""Shared HAProxies deployed by the real CDK command, with a client that writes while things happen."""

import json
from collections.abc import Iterator

import pytest

from lab import layout
from lab.scenarios.shared import CHAPTER
from tests.support.lab.command import left_behind, nodeway, own_run_directory

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


@pytest.fixture(autouse=True)
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No lab is up."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        yield


def test_shared_chapter_keeps_every_promise() -> None:
    """Two tasks and one record serve every node; a lost task and a new shard cost the client no write."""
    told = nodeway("lab", "story", "--chapter", "shared", timeout=600)
    report = json.loads((layout.ROOT / "build" / "lab" / "report.json").read_text())
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}

    assert told.returncode == 0, told.stdout + told.stderr
    assert {play.__name__ for play in CHAPTER} <= figures.keys()
    works = figures["shared_serves_sni_clients"]
    assert (works["nodes"], works["slots_covered"], works["tls_verified"]) == (6, 16384, True)
    assert (works["records"], works["haproxies"]) == (1, 2)
    assert works["without_a_name"] == works["with_a_foreign_name"] == "closed"
    assert figures["shared_lost_haproxy"]["lost_acknowledged"] == 0
    assert figures["shared_scale_out"]["errors"] == 0
    assert not layout.run_dir().exists()
    assert left_behind() == []
