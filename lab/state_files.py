"""State files of the run directory: other processes read them at any time, so never half of one."""

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any, *, mode: int = 0o644) -> None:
    """Replace a file by `value` as JSON, in one step."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.touch(mode=mode)
    fresh.write_text(json.dumps(value, indent=1))
    fresh.replace(path)
