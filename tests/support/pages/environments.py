"""The environments that pages of docs/ show: the tests build what is documented."""

import json
import re
from typing import Any

from lab.layout import ROOT

NODES = [
    f"sessions-000{shard}-00{member}.sessions.a1b2c3.use1.cache.amazonaws.com"
    for shard in (1, 2)
    for member in (1, 2)
]


def environments(page: str = "networks") -> dict[str, dict[str, Any]]:
    """Each block of JSON of docs/PAGE.md, by the environment's name."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    found: dict[str, dict[str, Any]] = {}
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        found |= json.loads(f"{{{block}}}")
    return found


def offline(block: dict[str, Any]) -> dict[str, Any]:
    """The block with nodes by hand, so that nobody asks AWS for them."""
    clusters = [
        one if one.get("proxy") == "none" else {**one, "nodes": NODES} for one in block["clusters"]
    ]
    return {**block, "clusters": clusters}
