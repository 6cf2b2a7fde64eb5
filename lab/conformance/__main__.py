"""`make conformance`: builds the clients, runs them in all access modes in a sandbox, judges, writes, prints.

The exit code is 1 when a cell is not as expected, or none was run.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lab import layout
from lab.cluster.node import find_server
from lab.conformance.report import page, report
from lab.conformance.report.report import Cells
from lab.conformance.run.programs import build
from lab.conformance.suite.manifest import Client, select_clients
from lab.conformance.suite.modes import select_modes
from lab.conformance.suite.verdicts import Observation
from lab.errors import LabError
from lab.host import run_directory, sandbox
from lab.host.foreground import INTERRUPTED, run_in_new_lab
from lab.report.progress import Progress
from lab.report.versions import read_proxy_versions, read_version
from lab.state_files import write_json

WIDTH_WITHOUT_TERMINAL = 160


def build_clients(clients: Sequence[Client], console: Console) -> dict[str, str]:
    """Builds the clients; returns the reason of each that cannot be run."""
    not_run = {}
    with Progress(console) as progress:
        for client in clients:
            if reason := build(client, progress.log):
                progress.log(f"not run: {client.name}: {reason}")
                not_run[client.name] = reason
    return not_run


def run_in_sandbox(clients: Sequence[str], modes: Sequence[str]) -> report.Observed:
    """What was seen of these clients in these modes; what was not reached is missing. Raises LabError."""
    report.OBSERVED.unlink(missing_ok=True)
    request = json.dumps({"clients": clients, "ways": modes, "output": str(report.OBSERVED)})
    words = [sys.executable, "-m", "lab.conformance.run.session", request]
    code = run_in_new_lab(words, cwd=layout.ROOT)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if not report.OBSERVED.exists():
        logs = os.path.relpath(run_directory.logs())
        raise LabError(f"nothing was run (exit code {code}); logs in {logs}")
    lines = map(json.loads, report.OBSERVED.read_text().splitlines())
    return {(way, client, name): Observation(**values) for way, client, name, values in lines}


def collect_versions(clients: Sequence[Client]) -> dict[str, str]:
    """By the program's name: the lab's own, and what the clients need. Raises LabError without a server."""
    server = Path(find_server().path)
    found = {
        server.name: read_version(str(server)),
        "python": ".".join(map(str, sys.version_info[:3])),
        "node": read_version(str(Path(sys.executable).parent / "node")),
        **read_proxy_versions(),
    }
    for program in sorted({program for client in clients for program in client.needs}):
        if path := shutil.which(program):
            found.setdefault(program, read_version(path))
    return {program: version for program, version in found.items() if version}


def print_cells(cells: Cells, console: Console) -> None:
    """Prints the matrix, and of each client what is not as expected."""
    for mode in dict.fromkeys(mode for mode, _, _ in cells):
        names = {client: client for one, client, _ in cells if one == mode}
        console.print(page.matrix(cells, mode, names).to_terminal())
    console.print("opt: with an option; Envoy, client: fails as expected, by whose limit")
    for line in dict.fromkeys(report.describe_unexpected(cells)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    unexpected = len(report.find_unexpected(cells))
    path = os.path.relpath(report.REPORT)
    console.print(f"{len(cells)} cells, {unexpected} not as expected; written to {path}")


def main(words: Sequence[str]) -> int:
    """Builds, runs, judges, writes and prints; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.conformance")
    parser.add_argument("--client", action="append", default=[], metavar="NAME")
    parser.add_argument("--way", action="append", default=[], metavar="WAY")
    options = parser.parse_args(words)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        clients = select_clients(options.client)
        modes = select_modes(options.way)
        sandbox.check()
        report.REPORT.parent.mkdir(parents=True, exist_ok=True)
        not_run = build_clients(clients, console)
        names = [client.name for client in clients if client.name not in not_run]
        seen = run_in_sandbox(names, [mode.value for mode in modes]) if names else {}
        cells = report.judge_cells(modes, clients, not_run, seen)
        made = report.make_report(cells, clients, collect_versions(clients))
        write_json(report.REPORT, made)
    except LabError as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("conformance: interrupted; nothing of it stays\n")
        return INTERRUPTED
    print_cells(cells, console)
    return 0 if report.is_good(cells) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
