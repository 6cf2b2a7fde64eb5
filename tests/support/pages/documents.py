"""Documents with blocks that tests write: what is between two marks is what the code gives."""

from pathlib import Path

from lab.report.page import read_block, replace_blocks


def agrees(document: Path, name: str, wanted: str, *, update: bool) -> None:
    """The document's block is what the code gives; with --update-golden it becomes so."""
    text = document.read_text()
    if update:
        document.write_text(replace_blocks(text, {name: wanted}))
    assert update or read_block(text, name) == wanted, (
        f"{document.name}, {name}: run pytest with --update-golden"
    )
