"""`make conformance`: builds the clients, plays all ways in a sandbox, judges, writes, and says what was seen.

It must never end well when a cell is not as expected: the exit code is 1 then. A cell that was not run is no pass.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from lab import layout
from lab.conformance.report import report, table
from lab.conformance.report.versions import versions
from lab.conformance.suite import build as building
from lab.conformance.suite import manifest as clients
from lab.conformance.suite import modes as ways
from lab.conformance.suite.manifest import Client
from lab.errors import LabError
from lab.host import run_directory, sandbox
from lab.host.foreground import INTERRUPTED, run_in_new_lab
from lab.report.progress import Progress

WIDTH_WITHOUT_TERMINAL = 160


def built(asked: Sequence[Client], console: Console) -> dict[str, str]:
    """Builds the clients; gives the reason of each that cannot be run."""
    not_run = {}
    with Progress(console) as teller:
        for client in asked:
            if reason := building.build(client, teller.log):
                teller.log(f"not run: {client.name}: {reason}")
                not_run[client.name] = reason
    return not_run


def played(names: Sequence[str], chosen: Sequence[str]) -> report.Observed:
    """What the sandbox saw of these clients and ways; what it did not come to is not there. Raises LabError."""
    report.OBSERVED.unlink(missing_ok=True)
    asked = json.dumps({"clients": names, "ways": chosen, "output": str(report.OBSERVED)})
    words = [sys.executable, "-m", "lab.conformance.run.session", asked]
    code = run_in_new_lab(words, cwd=layout.ROOT)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if not report.OBSERVED.exists():
        msg = f"nothing was played (exit code {code}); logs in {os.path.relpath(run_directory.logs())}"
        raise LabError(msg)
    seen: report.Observed = json.loads(report.OBSERVED.read_text())
    report.OBSERVED.unlink()
    return seen


def told(made: dict[str, Any], console: Console) -> int:
    """Prints the matrix and what is behind it; gives the exit code."""
    cells = report.read(made)
    for one in table.tables(cells):
        console.print(one)
    console.print(table.LEGEND, highlight=False)
    for line in table.lines(cells):
        console.print(line, highlight=False, soft_wrap=True)
    wrong = report.wrong(cells)
    console.print(
        f"{len(cells)} cells, {len(wrong)} not as expected; written to {os.path.relpath(report.REPORT)}"
    )
    return 0 if report.good(cells) else 1


def main(words: Sequence[str]) -> int:
    """Builds, plays, judges, writes; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.conformance")
    parser.add_argument("--client", action="append", default=[], metavar="NAME")
    parser.add_argument("--way", action="append", default=[], metavar="WAY")
    options = parser.parse_args(words)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        asked = clients.chosen(options.client)
        chosen = [way.name for way in ways.chosen(options.way)]
        sandbox.check()
        not_run = built(asked, console)
        names = [client.name for client in asked if client.name not in not_run]
        seen = played(names, chosen) if names else {}
        found = report.cells(chosen, asked, not_run, seen)
        pinned = {client.name: client.version for client in asked}
        made = report.made(found, pinned, versions(asked))
        report.write(made)
    except LabError as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("conformance: interrupted; nothing of it stays\n")
        return INTERRUPTED
    return told(made, console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
