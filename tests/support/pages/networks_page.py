"""The environments that docs/networks.md shows: what is documented is what the tests build."""

import json
import re
from typing import Any

from lab.layout import ROOT

PAGE = ROOT / "docs" / "networks.md"
NODES = [
    f"sessions-000{shard}-00{member}.sessions.a1b2c3.use1.cache.amazonaws.com"
    for shard in (1, 2)
    for member in (1, 2)
]


def environments() -> dict[str, dict[str, Any]]:
    """Each block of the page, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL):
        found |= json.loads(f"{{{text}}}")
    return found


def offline(block: dict[str, Any]) -> dict[str, Any]:
    """The block with nodes by hand, so that nobody asks AWS for them."""
    clusters = [
        one if one.get("proxy") == "none" else {**one, "nodes": NODES} for one in block["clusters"]
    ]
    return {**block, "clusters": clusters}
