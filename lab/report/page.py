"""Generated blocks of a Markdown page, and the figures beside the page that they are generated from.

A block is what stands between the lines `<!-- NAME -->` and `<!-- /NAME -->`.
"""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lab.errors import LabError

LINE_LENGTH, ROW_LENGTH = 240, 600


def read_block(page: str, name: str) -> str:
    """The text of a block; raises LabError when the page does not have it exactly once."""
    found = re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
    if len(found) != 1:
        raise LabError(f"the page has {len(found)} blocks {name}; needs 1")
    return str(found[0])


def replace_blocks(page: str, blocks: Mapping[str, str]) -> str:
    """The page with new texts in its blocks; raises LabError for a block that the page does not have."""
    for name, text in blocks.items():
        old, new = read_block(page, name), text.strip("\n") + "\n"
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        page = page.replace(start + old + end, start + new + end)
    return page


def write_page(page: Path, figures: Any, blocks: Mapping[str, str]) -> None:
    """Writes the blocks into the page, and the figures as JSON beside it, under its name; raises LabError."""
    text = replace_blocks(page.read_text(), blocks)
    page.with_suffix(".json").write_text(format_json(figures) + "\n")
    page.write_text(text)


def format_json(value: Any, indent: int = 0) -> str:
    """The value as JSON with one row a line: a part is on one line if it fits there, or if it is a flat row."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(line) + indent <= LINE_LENGTH:
        return line
    parts = list(value.values()) if isinstance(value, dict) else value
    if len(line) <= ROW_LENGTH and not any(isinstance(part, dict | list) for part in parts):
        return line
    keys = (
        [f"{json.dumps(key)}: " for key in value] if isinstance(value, dict) else [""] * len(parts)
    )
    inner = ",\n".join(
        " " * (indent + 1) + key + format_json(part, indent + 1)
        for key, part in zip(keys, parts, strict=True)
    )
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n{inner}\n{' ' * indent}{end}"


def passed_figures(report: Path, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """The figures of these scenarios of a run's report, by name; raises LabError unless each has passed."""
    results = {one["name"]: one for one in json.loads(report.read_text())["scenarios"]}
    failed = [name for name in names if not results.get(name, {}).get("passed")]
    if failed:
        raise LabError(
            f"a page needs a run in which all passed; these did not: {', '.join(failed)}"
        )
    return {name: results[name]["figures"] for name in names}
