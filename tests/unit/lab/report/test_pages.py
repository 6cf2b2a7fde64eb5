"""Generated blocks of pages, and the figures beside them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.detection import report as detection
from lab.detection.scenarios import SUITE
from lab.errors import LabError
from lab.report.page import format_json, read_block, replace_blocks, write_page
from lab.resilience import report as resilience

TEXT = "# T\n\n<!-- a -->\nold\n<!-- /a -->\n\nbetween\n\n<!-- b -->\n<!-- /b -->\n"


def test_blocks_are_replaced_and_all_other_text_stays() -> None:
    page = replace_blocks(TEXT, {"a": "new", "b": "one\ntwo\n"})

    assert page == TEXT.replace("old", "new").replace("<!-- b -->\n", "<!-- b -->\none\ntwo\n")
    assert read_block(page, "b") == "one\ntwo\n"


@pytest.mark.parametrize(("text", "count"), [("", 0), (TEXT + TEXT, 2)])
def test_a_block_that_is_not_there_once_is_an_error(text: str, count: int) -> None:
    with pytest.raises(LabError, match=f"{count} blocks a"):
        replace_blocks(text, {"a": "new"})


def test_figures_are_not_written_beside_a_page_without_their_block(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT)

    with pytest.raises(LabError, match="0 blocks other"):
        write_page(page, {}, {"other": ""})

    assert list(tmp_path.iterdir()) == [page]


def test_json_has_one_row_a_line() -> None:
    rows = [{"name": f"{number}" * 100, "list": [number]} for number in range(3)]
    value = {"rows": rows, "machine": {"cores": 2}, "text": "ä" * 300}

    text = format_json(value)

    assert json.loads(text) == value
    assert len(text.splitlines()) == 2 + 2 + len(rows) + 2


@pytest.mark.parametrize(
    ("names", "write"),
    [
        (list(resilience.FAULTS), resilience.write),
        ([one.__name__ for one in SUITE], detection.write),
    ],
)
def test_page_is_not_written_from_a_run_with_a_failed_scenario(
    names: list[str], write: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    scenarios = [{"name": name, "passed": name != names[0], "figures": {}} for name in names]
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"scenarios": scenarios}))

    with pytest.raises(LabError, match=f"did not: {names[0]}$"):
        write(report, tmp_path / "page.md")

    assert list(tmp_path.iterdir()) == [report]
