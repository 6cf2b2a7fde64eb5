"""The environment that docs/shared.md shows: what is documented is what the tests build."""

import json
import re
from typing import Any

from lab.layout import ROOT

PAGE = ROOT / "docs" / "shared.md"


def environment() -> dict[str, Any]:
    """The block of the page."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    block: dict[str, Any] = json.loads(f"{{{text}}}")["shared"]
    return block
