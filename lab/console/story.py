"""`python -m lab.console.story`: the whole story in this sandbox, told while it goes on, with a table and a report
at the end.

It must never end well when an expectation failed: the exit code is 1 then.
"""

import json
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lab import layout
from lab.deployment.world import World
from lab.detection import scenarios as anomaly_scenarios
from lab.errors import LabError
from lab.host.foreground import INTERRUPTED
from lab.resilience import suite as faults
from lab.resilience.report import terminal_table as faults_table
from lab.scenarios import deploy as deploy_scenarios
from lab.scenarios import envoy as envoy_scenarios
from lab.scenarios import resync as resync_scenarios
from lab.scenarios import shared as shared_scenarios
from lab.scenarios.basics import STORY
from lab.scenarios.scenario import Result, run

REPORT = layout.ROOT / "build" / "lab" / "report.json"
FAULTS_REPORT = REPORT.with_name("faults.json")
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
WIDTH_WITHOUT_TERMINAL = 140


class Teller:
    """Says what is going on: a spinner with the step on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = ExitStack()
        self._began = time.monotonic()

    def step(self, what: str) -> None:
        """A step begins."""
        self._status.close()
        self._console.print(
            f"[dim]{time.monotonic() - self._began:5.1f}s[/dim] {what}", highlight=False
        )
        if self._console.is_terminal:
            self._status.enter_context(self._console.status(what))

    def stop(self) -> None:
        """Nothing goes on any more."""
        self._status.close()

    def result(self, result: Result) -> None:
        """A scenario ended."""
        self._status.close()
        mark = "[green]ok[/green]" if result.passed else "[red]FAILED[/red]"
        self._console.print(f"       {mark} in {result.seconds:.1f} s", highlight=False)


CHAPTERS = {
    "main": STORY,
    "resync": resync_scenarios.CHAPTER,
    "deploy": deploy_scenarios.CHAPTER,
    "faults": faults.SUITE,
    "faults-short": faults.SHORT_SUITE,
    "envoy": envoy_scenarios.CHAPTER,
    "shared": shared_scenarios.CHAPTER,
    "probe": anomaly_scenarios.SUITE,
}


def main(chapter: str) -> int:
    """Tells a chapter of the story; gives the exit code."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    teller = Teller(console)
    plays = CHAPTERS[chapter]
    results: list[Result] = []
    try:
        world = World.start(layout.run_dir(), teller.step)
        for play in plays:
            teller.step(f"{play.__name__}: {str(play.__doc__).partition(':')[0].partition('.')[0]}")
            result = run(play.__name__, play, world)
            results.append(result)
            teller.result(result)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        teller.stop()
        console.print("[red]interrupted[/red]: nothing of the lab stays", highlight=False)
        return INTERRUPTED
    except LabError as error:
        teller.stop()
        console.print(f"[red]the lab could not go on[/red]: {error}", highlight=False)
    of_faults = chapter.startswith("faults")
    report = FAULTS_REPORT if of_faults else REPORT
    write_report(report, results, {play.__name__ for play in plays})
    console.print(faults_table(results) if of_faults else table(results))
    console.print(f"report: {report.relative_to(layout.ROOT)}", highlight=False)
    return 0 if len(results) == len(plays) and all(result.passed for result in results) else 1


def write_report(report: Path, results: list[Result], chapter: set[str]) -> None:
    """The machine's form of the table, whole or not at all; what other chapters reported stays."""
    report.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(report.read_text())["scenarios"] if report.exists() else []
    others = [one for one in before if one["name"] not in chapter]
    scratch = report.with_suffix(".new")
    told = {"scenarios": [*(asdict(result) for result in results), *others]}
    scratch.write_text(json.dumps(told, indent=2) + "\n")
    scratch.replace(report)


def table(results: list[Result]) -> Table:
    """The results for a person."""
    shown = Table(
        title="Nodeway lab: real Valkey, HAProxy, CDK CLI, DNS and Lambda package",
        title_justify="left",
    )
    shown.add_column("scenario", no_wrap=True)
    shown.add_column("result")
    shown.add_column("s", justify="right")
    shown.add_column("what was seen", overflow="fold")
    for result in results:
        verdict = "[green]ok[/green]" if result.passed else "[red]FAILED[/red]"
        shown.add_row(result.name, verdict, f"{result.seconds:.1f}", seen(result.figures))
    return shown


def seen(figures: dict[str, Any]) -> str:
    """The figures of a scenario as one line."""
    parts = (f"{label}: {text(figures[name])}" for name, label in SHOWN.items() if name in figures)
    return ", ".join(parts)


def text(value: object) -> str:
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
