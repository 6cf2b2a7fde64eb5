"""State files of the run directory, which other processes read at any time."""

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any, *, mode: int = 0o644) -> None:
    """Replace a file by `value` as JSON, atomically."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.touch(mode=mode)
    fresh.write_text(json.dumps(value, indent=1))
    fresh.replace(path)
