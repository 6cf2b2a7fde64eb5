"""Pages of the documentation: their generated blocks, and the parts that tests compare with the code."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.layout import ROOT
from lab.report.page import read_block, replace_blocks
from lab.report.table import Table
from lab.scenarios.scenario import Scenario

README = ROOT / "README.md"
DOCS = ROOT / "docs"
CheckBlock = Callable[[Path, str, str], None]
"""Compares a block of a page with the text that the code gives; `--update-golden` writes the text."""


def check_block(page: Path, name: str, text: str, *, update: bool) -> None:
    """Fails unless the block has this text; `update` writes it first."""
    if update:
        page.write_text(replace_blocks(page.read_text(), {name: text}))
    assert read_block(page.read_text(), name) == text, (
        f"{page.name}, {name}: run pytest with --update-golden"
    )


def scenario_table(scenarios: Iterable[Scenario]) -> str:
    """A row for each scenario: its name, and the first paragraph of its docstring without the full stop."""
    rows = []
    for one in scenarios:
        summary = " ".join(str(one.__doc__).split("\n\n", maxsplit=1)[0].split())
        rows.append((f"`{one.__name__}`", summary.removesuffix(".")))
    return Table(("scenario", "what it shows"), rows, left=2).to_markdown() + "\n"


def prose(text: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> list[str]:
    """The anchors of a page: its own, and those that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return [
        *re.findall(r'<a id="([\w-]+)">', text),
        *(re.sub(r"[^\w -]", "", one.lower()).strip().replace(" ", "-") for one in headings),
    ]
