"""docs/probe.md shows what the command prints, and what the lab measured."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lab.detection import page
from lab.detection.scenarios import CHAPTER
from lab.errors import LabError
from nodeway.cli.doctor_output import show
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.pages.documents import agrees
from tests.support.reports import endpoint, nodes, path, report, row

DETAIL = "10.20.1.5: Connection refused"


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether the page is to be written."""
    return bool(request.config.getoption("--update-golden"))


def test_page_shows_what_doctor_prints(*, update: bool) -> None:
    """A dead proxy: it is the first row, and what to do stands below."""
    first, *others = nodes(3)
    dead = path(first, number=3, verdict=Verdict.DEAD_PROXY, detail=DETAIL, far=False)
    broken = row(first, Verdict.DEAD_PROXY, detail=DETAIL, paths=[dead])
    seen = replace(report(endpoint(*others), broken, *map(row, others)), client="host app-1")
    told = io.StringIO()

    show(Console(file=told, width=100, highlight=False), seen)

    lines = "".join(f"{line.rstrip()}\n" for line in told.getvalue().splitlines())
    command = "nodeway doctor --env prod --username probe"
    agrees(page.PAGE, "doctor", f"```console\n$ {command}\n{lines}```\n", update=update)


def test_page_shows_the_figures_beside_it() -> None:
    """The tables are what the writer makes of docs/probe.json."""
    told = page.PAGE.read_text()

    assert page.with_tables(told, json.loads(page.FIGURES.read_text())) == told, "make anomalies"


def test_page_is_not_written_from_a_run_with_a_broken_promise(tmp_path: Path) -> None:
    scenarios = [{"name": p.__name__, "passed": True, "figures": {}} for p in CHAPTER]
    scenarios[0]["passed"] = False
    told = tmp_path / "report.json"
    told.write_text(json.dumps({"scenarios": scenarios}))

    with pytest.raises(LabError, match=str(scenarios[0]["name"])):
        page.write(told, tmp_path / "probe.md", tmp_path / "figures.json")

    assert not (tmp_path / "figures.json").exists()
