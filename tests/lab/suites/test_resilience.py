"""The short faults, by the command: each keeps its limits and loses no write by the HAProxies."""

import json
from collections.abc import Iterator

import pytest

from lab.console.suites import report_file
from lab.resilience.suite import DEPLOYS, SHORT_SUITE
from tests.support.lab.command import left_behind, nodeway, own_run_directory

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]
FAULTS = [fault.__name__ for fault in SHORT_SUITE if fault not in DEPLOYS]


@pytest.fixture(autouse=True)
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No lab is up."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        yield


def test_short_faults_keep_their_limits() -> None:
    told = nodeway("lab", "suite", "faults-short", timeout=800)
    report = json.loads(report_file("faults-short").read_text())
    figures = {one["name"]: one["figures"] for one in report["scenarios"] if one["passed"]}

    assert told.returncode == 0, told.stdout + told.stderr
    assert set(FAULTS) <= figures.keys()
    for name in FAULTS:
        for who in ("pooled", "fresh"):
            seen = figures[name][who]
            assert seen["lost_acknowledged"] == 0, (name, who, seen)
            assert seen["longest_gap_seconds"] <= seen["limit_seconds"], (name, who, seen)
            assert seen["acknowledged"] > 0
    assert figures["failover_graceful"]["pooled"]["lost_on_failover"] == 0
    assert left_behind() == []
