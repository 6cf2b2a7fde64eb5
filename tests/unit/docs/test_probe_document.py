"""docs/probe.md shows what the command prints, and what the lab measured."""

import io
import json
from dataclasses import replace

from rich.console import Console

from lab.detection import report as detection
from lab.report.page import replace_blocks
from nodeway.cli.doctor_output import print_table
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.pages.documents import CheckBlock
from tests.support.reports import endpoint, nodes, path, report, row

DETAIL = "10.20.1.5: Connection refused"


def test_page_shows_what_doctor_prints(agrees: CheckBlock) -> None:
    """A dead proxy: it is the first row, and what to do stands below."""
    first, *others = nodes(3)
    dead = path(first, number=3, verdict=Verdict.DEAD_PROXY, detail=DETAIL, far=False)
    broken = row(first, Verdict.DEAD_PROXY, detail=DETAIL, paths=[dead])
    seen = replace(report(endpoint(*others), broken, *map(row, others)), client="host app-1")
    told = io.StringIO()

    print_table(Console(file=told, width=100, highlight=False), seen)

    lines = "".join(f"{line.rstrip()}\n" for line in told.getvalue().splitlines())
    command = "nodeway doctor --env prod --username probe"
    agrees(detection.PAGE, "doctor", f"```console\n$ {command}\n{lines}```\n")


def test_page_shows_the_figures_beside_it() -> None:
    """The tables are what the writer makes of docs/probe.json."""
    text = detection.PAGE.read_text()
    summary = json.loads(detection.PAGE.with_suffix(".json").read_text())

    assert replace_blocks(text, detection.blocks(summary)) == text, "make anomalies"
