"""The benchmark's command, and docs/performance.md with its plots, which it writes from docs/performance.json."""

import json
from pathlib import Path

import pytest

from lab.bench import __main__ as bench
from lab.bench.report import page, plots
from lab.report.page import replace_blocks

FIGURES = json.loads(page.FIGURES.read_text())


def test_the_page_shows_the_figures_beside_it() -> None:
    text = page.PAGE.read_text()

    assert replace_blocks(text, page.blocks(FIGURES)) == text, "run: make bench"


def test_the_plots_show_the_figures(tmp_path: Path) -> None:
    drawn = plots.write_all(FIGURES["report"], tmp_path)

    assert {path.name for path in drawn} == {
        path.name for path in page.IMAGES.glob("performance-*")
    }
    for path in drawn:
        assert path.read_text() == (page.IMAGES / path.name).read_text()


def test_the_page_names_every_variant_that_was_not_possible() -> None:
    text = page.blocks(FIGURES)["loads"]

    missing = [row for row in FIGURES["report"]["rows"] if "not_possible" in row]
    assert missing
    assert all(f"not possible: {row['not_possible']}" in text for row in missing)


@pytest.mark.parametrize(("load", "warned"), [(1.4, False), (1.6, True)])
def test_the_page_warns_when_the_machine_had_other_work(load: float, *, warned: bool) -> None:
    machine = FIGURES["report"]["machine"] | {"load_before": load, "cores": 2}

    text = page.blocks(FIGURES | {"report": FIGURES["report"] | {"machine": machine}})

    assert ("busy with other work" in text["thresholds"]) == warned


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_refuses_a_number_of_rounds_that_measures_nothing(
    rounds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main([f"--rounds={rounds}"])

    assert ended.value.code == 2
    assert f"'{rounds}'; allowed: a whole number from 1" in capsys.readouterr().err
