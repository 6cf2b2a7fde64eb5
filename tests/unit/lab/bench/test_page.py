"""docs/performance.md and its plots are what the benchmark writes from docs/performance.json."""

import json
from pathlib import Path

import pytest

from lab.bench.report import page, plots
from lab.layout import ROOT

FIGURES = json.loads(page.FIGURES.read_text())


def test_the_page_says_what_the_figures_say() -> None:
    assert page.PAGE.read_text() == page.written(FIGURES), "run: make bench"


def test_the_plots_show_what_the_figures_say(tmp_path: Path) -> None:
    drawn = plots.write_all(FIGURES["report"], tmp_path, "svg")

    assert {path.name for path in drawn} == {
        path.name for path in page.IMAGES.glob("performance-*")
    }
    for path in drawn:
        assert path.read_text() == (page.IMAGES / path.name).read_text()


def test_the_page_names_every_way_that_was_not_possible() -> None:
    text = page.written(FIGURES)

    missing = [row for row in FIGURES["report"]["rows"] if "not_possible" in row]
    assert missing
    assert all(f"not possible: {row['not_possible']}" in text for row in missing)


@pytest.mark.parametrize(("load", "warned"), [(1.4, False), (1.6, True)])
def test_the_page_warns_when_the_machine_had_other_work(load: float, *, warned: bool) -> None:
    machine = FIGURES["report"]["machine"] | {"load_before": load, "cores": 2}

    text = page.written(FIGURES | {"report": FIGURES["report"] | {"machine": machine}})

    assert ("busy with other work" in text) == warned


def test_every_make_target_of_the_page_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert "\nbench: " in makefile
    assert "\nbench-tune: " in makefile


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.98765, "0.988"), (12345.6, "12,346"), (100.4, "100")]
)
def test_figures_on_the_page_have_three_digits(value: float | None, shown: str) -> None:
    assert page.number(value) == shown
