"""The end of a measurement: its report as a file, its tables and thresholds on the terminal, and its exit code."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from lab import layout
from lab.report.page import format_json
from lab.report.table import Table
from lab.report.threshold import Threshold

WIDTH_WITHOUT_TERMINAL = 200


def open_console() -> Console:
    """The console of a command; wide enough for every table where the output is no terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def publish(
    console: Console,
    path: Path,
    report: Mapping[str, Any],
    tables: Sequence[Table],
    thresholds: Sequence[Threshold] = (),
) -> int:
    """Writes the report with its thresholds, prints tables and thresholds; gives 1 when a threshold failed, else 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {**report, "thresholds": [asdict(one) for one in thresholds]}
    path.write_text(format_json(whole) + "\n")
    for table in tables:
        console.print(table.to_terminal())
    for one in thresholds:
        console.print(str(one), markup=False)
    console.print(f"written to {path.relative_to(layout.ROOT)}")
    return int(any(one.failed for one in thresholds))
