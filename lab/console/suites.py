"""`python -m lab.console.suites NAME`: runs the scenarios of a suite in this sandbox, one after the other.

A table and a report come at the end; the exit code is 1 when a scenario failed or was not reached.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab import layout
from lab.deployment.world import World
from lab.detection import scenarios as probe_scenarios
from lab.errors import LabError
from lab.host.foreground import INTERRUPTED
from lab.report.progress import Progress
from lab.report.publish import open_console
from lab.report.table import Table
from lab.resilience import suite as faults
from lab.resilience.report import terminal_table as faults_table
from lab.scenarios import basics, deploy, envoy, resync, shared
from lab.scenarios.scenario import Result, Scenario, run

SUITES: Mapping[str, Sequence[Scenario]] = {
    "main": basics.SUITE,
    "resync": resync.SUITE,
    "deploy": deploy.SUITE,
    "faults": faults.SUITE,
    "faults-short": faults.SHORT_SUITE,
    "envoy": envoy.SUITE,
    "shared": shared.SUITE,
    "probe": probe_scenarios.SUITE,
}
SHOWN = {
    "error": "client saw",
    "moved": "node said",
    "nodes": "nodes",
    "slots_covered": "slots",
    "keys_read_back": "keys read back",
    "tls_verified": "TLS verified",
    "outcomes": "outcomes",
    "acknowledged": "writes",
    "errors": "errors",
    "longest_gap_seconds": "longest gap (s)",
    "lost_acknowledged": "lost",
    "records": "records",
    "slots_moved": "slots moved",
    "envoys": "Envoys",
    "haproxies": "HAProxies",
    "redirects": "redirects followed by Envoy",
    "runs": "runs",
    "seconds_from_available_to_writes": "s from available to writes",
    "real_names_asked_too_early": "names asked too early",
    "in_our_zone_after_seconds": "s until our name is known",
    "seconds_until_gone": "s until gone",
    "steps": "stand-in steps",
    "diff": "cdk diff",
    "untouched": "services untouched",
    "tasks_started": "tasks started",
    "exit_code": "cdk's exit code",
    "rolled": "services rolled",
    "left": "left",
    "false_verdicts": "false verdicts",
    "slowest_run_seconds": "slowest run (s)",
    "faults": "faults named",
    "expected": "expected",
}
"""The figures that the table shows, and their names there; the report has all."""
SHORT_LIST = 3
"""A longer list is shown as its length."""


def main(name: str) -> int:
    """Runs a suite; gives the exit code."""
    console = open_console()
    suite = SUITES[name]
    results: list[Result] = []
    try:
        with Progress(console) as progress:
            world = World.start(layout.run_dir(), progress.log)
            for number, scenario in enumerate(suite):
                purpose = str(scenario.__doc__).partition(":")[0].partition(".")[0]
                progress.step(number, len(suite), f"{scenario.__name__}: {purpose}")
                result = run(scenario, world)
                results.append(result)
                progress.log(f"{mark(result)} {result.name} in {result.seconds:.1f} s")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.print("[red]interrupted[/red]: nothing of the lab stays")
        return INTERRUPTED
    except LabError as error:
        console.print(f"[red]the lab could not go on[/red]: {error}")
    report = report_file(name)
    write_report(report, results)
    is_faults = suite in (faults.SUITE, faults.SHORT_SUITE)
    console.print(faults_table(results) if is_faults else table(results).to_terminal())
    console.print(f"report: {os.path.relpath(report, layout.ROOT)}")
    return 0 if len(results) == len(suite) and all(result.passed for result in results) else 1


def report_file(suite: str) -> Path:
    """Where a suite's report is: beside the run directory, so in build/lab."""
    return layout.run_dir().with_name(f"{'report' if suite == 'main' else suite}.json")


def write_report(report: Path, results: Sequence[Result]) -> None:
    """Writes the results as JSON, whole or not at all."""
    report.parent.mkdir(parents=True, exist_ok=True)
    scratch = report.with_suffix(".new")
    document = {"scenarios": [asdict(result) for result in results]}
    scratch.write_text(json.dumps(document, indent=2) + "\n")
    scratch.replace(report)


def table(results: Sequence[Result]) -> Table:
    """The results for a person."""
    return Table(
        ("scenario", "result", "figures", "s"),
        [
            (one.name, mark(one), render_figures(one.figures), f"{one.seconds:.1f}")
            for one in results
        ],
        left=3,
        title="Nodeway lab: real Valkey, HAProxy, CDK CLI, DNS and Lambda package",
    )


def mark(result: Result) -> str:
    """Whether a scenario passed, in rich's markup."""
    return "[green]ok[/green]" if result.passed else "[red]FAILED[/red]"


def render_figures(figures: Mapping[str, Any]) -> str:
    """The figures of a scenario as one line."""
    return ", ".join(
        f"{label}: {render_figure(figures[name])}"
        for name, label in SHOWN.items()
        if name in figures
    )


def render_figure(value: object) -> str:
    """A figure for a person."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list() | tuple() if len(value) > SHORT_LIST:
            return str(len(value))
        case list() | tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
