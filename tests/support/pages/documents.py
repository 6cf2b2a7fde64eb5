"""Documents with blocks that tests write: what stands between two marks is what the code says."""

import re
from pathlib import Path


def block(document: Path, name: str) -> str:
    """The part of a document between two marks."""
    pattern = rf"<!-- {name} -->\n(.*?)<!-- /{name} -->"
    found = re.search(pattern, document.read_text(), re.DOTALL)
    assert found is not None, f"{document.name} has no block {name}"
    return found.group(1)


def agrees(document: Path, name: str, wanted: str, *, update: bool) -> None:
    """The document's block is what the code says; with --update-golden it becomes so."""
    said = block(document, name)
    if update:
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        text = document.read_text().replace(f"{start}{said}{end}", f"{start}{wanted}{end}")
        document.write_text(text)
        return
    assert said == wanted, f"{document.name}, {name}: run pytest with --update-golden"
