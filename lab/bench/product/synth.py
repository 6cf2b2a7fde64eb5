"""`make bench-synth`: what a synth of 6, 50 and 500 nodes costs (500 is ElastiCache's most), beside an empty CDK app.

The real `cdk synth --quiet` on the real app.py (lab/bench/product/sized_app.py), each time into a new directory. Writes
build/bench/synth.json, prints a table, and fails unless every bar is met. It must never lower a bar by itself.

Wall time: all apps in turn, REPETITIONS times over, so that a busy moment of the machine hits them alike; the median
counts. Memory: one more run of each, before the timed ones (it warms the caches up), of the whole process tree.

Growth is linear when a node more costs about the same in a large app as in a small one. Between 6 and 50 nodes is too
little time to tell it from noise, so there is a size in the middle: CPU seconds a node from 250 to 500, over those
from 6 to 250. A straight line gives 1, n log n about 1.2, a square about 3; the bar is 1.5, and less than 1 is what
start-up work that is shared leaves. CPU seconds of the whole tree, and the least of the repetitions: another program
on the machine moves them less than wall time, and only upwards.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lab import layout
from lab.bench.product.sized_app import SizedApp, write_app
from lab.errors import LabError
from lab.host.memory import peak_of

EMPTY = 0
SIZES = (6, 50, 500)
MIDDLE = 250
REPETITIONS = 3
REPORT = layout.ROOT / "build" / "bench" / "synth.json"
EMPTY_APP = """import aws_cdk as cdk

app = cdk.App()
cdk.Stack(app, "empty")
app.synth()
"""

Row = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """An app, and what its runs gave."""

    app: SizedApp
    peak_mb: float = 0
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    templates: dict[str, int] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it may be at most."""

    what: str
    value: float
    at_most: float

    @property
    def met(self) -> bool:
        """Whether the figure is not above the bar."""
        return self.value <= self.at_most


def command(measured: Measured, output: str) -> list[str]:
    """The real one, as `make synth` starts it."""
    cdk = str(Path(sys.executable).parent / "cdk")
    chosen = ["--context", f"env={measured.app.environment}"] if measured.app.environment else []
    return [cdk, "synth", *chosen, "--quiet", "--no-notices", "--output", output]


def variables() -> dict[str, str]:
    """The environment of each run: no credentials, so that nothing asks AWS."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def weigh(measured: Measured) -> None:
    """The run that is measured for its memory, and its templates."""
    with tempfile.TemporaryDirectory() as output:
        peak = peak_of(
            command(measured, output), cwd=measured.app.directory, environment=variables()
        )
        measured.peak_mb = round(peak.mib, 1)
        for file in sorted(Path(output).glob("*.template.json")):
            text = file.read_bytes()
            measured.templates[file.name] = len(text)
            measured.resources[file.name] = len(json.loads(text).get("Resources", {}))


def clock(measured: Measured) -> None:
    """One timed run; raises LabError with its last words when it fails."""
    with tempfile.TemporaryDirectory() as output:
        cpu, began = children_cpu(), time.monotonic()
        done = subprocess.run(
            command(measured, output),
            cwd=measured.app.directory,
            env=variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        measured.seconds.append(time.monotonic() - began)
        measured.cpu_seconds.append(children_cpu() - cpu)
    if done.returncode != 0:
        raise LabError(f"a timed run failed: {done.stderr[-500:]}")


def children_cpu() -> float:
    """CPU seconds of every child so far, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(directory: Path, console: Console) -> dict[int, Measured]:
    """Every app, by its number of nodes; raises LabError."""
    empty = directory / "empty"
    empty.mkdir()
    (empty / "app.py").write_text(EMPTY_APP)
    (empty / "cdk.json").write_text(json.dumps({"app": "python3 app.py"}))
    found = {EMPTY: Measured(SizedApp(empty, ""))} | {
        nodes: Measured(write_app(directory / str(nodes), nodes))
        for nodes in sorted({*SIZES, MIDDLE})
    }
    rounds = [weigh, *[clock] * REPETITIONS]
    for number, step in enumerate(rounds):
        console.print(f"round {number + 1} of {len(rounds)}: {len(found)} apps", style="dim")
        for measured in found.values():
            step(measured)
    return found


def row(nodes: int, measured: Measured, empty_seconds: float) -> Row:
    """What is told of one size; MB and bytes are decimal, `peak_mb` is MiB."""
    seconds = statistics.median(measured.seconds)
    return {
        "nodes": nodes,
        "seconds": round(seconds, 2),
        "ratio_to_empty": round(seconds / empty_seconds, 2),
        "cpu_seconds": round(statistics.median(measured.cpu_seconds), 2),
        "peak_mb": measured.peak_mb,
        "templates": len(measured.templates),
        "max_resources": max(measured.resources.values()),
        "max_bytes": max(measured.templates.values()),
    }


def rounded(values: Sequence[float]) -> list[float]:
    """For people and files."""
    return [round(value, 2) for value in values]


def growth(found: dict[int, Measured]) -> float:
    """CPU seconds a node in the upper half of the sizes, over those in the lower half."""
    few, most = min(SIZES), max(SIZES)
    cpu = {nodes: min(found[nodes].cpu_seconds) for nodes in (few, MIDDLE, most)}
    lower = (cpu[MIDDLE] - cpu[few]) / (MIDDLE - few)
    upper = (cpu[most] - cpu[MIDDLE]) / (most - MIDDLE)
    return round(upper / lower, 2) if lower > 0 else float("inf")


def bars(rows: Sequence[Row], linear: float) -> list[Bar]:
    """The bars of the rows with nodes; a template's are CloudFormation's limits, and it must be below them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    most = max(rows, key=lambda one: int(one["nodes"]))
    return [
        Bar(f"wall time of {most['nodes']} nodes, in empty apps", most["ratio_to_empty"], 4),
        Bar("resources of the largest template", max(one["max_resources"] for one in rows), 499),
        Bar("bytes of the largest template", max(one["max_bytes"] for one in rows), 999_999),
        Bar("CPU of a node more in a large app, in those of a small one", linear, 1.5),
    ]


def table(rows: Sequence[Row], empty: Row) -> Table:
    """The rows for a person."""
    shown = Table(
        title=f"cdk synth, median of {REPETITIONS}; memory of the whole process tree",
        title_justify="left",
    )
    heads = ("nodes", "wall s", "empty apps", "CPU s", "MiB", "templates", "most resources")
    for head in (*heads, "most bytes"):
        shown.add_column(head, justify="right")
    for one in (empty, *rows):
        name = str(one["nodes"] or "empty app")
        shown.add_row(name, *(f"{value:,}" for key, value in one.items() if key != "nodes"))
    return shown


def main() -> int:
    """Measures, prints, writes; gives 0 when every bar is met."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with tempfile.TemporaryDirectory() as made:
        try:
            found = measure(Path(made), console)
        except LabError as error:
            sys.stderr.write(f"bench-synth: {error}\n")
            return 1
    empty_seconds = statistics.median(found[EMPTY].seconds)
    rows = [row(nodes, found[nodes], empty_seconds) for nodes in SIZES]
    empty = row(EMPTY, found[EMPTY], empty_seconds)
    judged = bars(rows, growth(found))
    told = [
        {"what": bar.what, "value": bar.value, "at_most": bar.at_most, "met": bar.met}
        for bar in judged
    ]
    runs = {
        str(nodes): {"wall": rounded(one.seconds), "cpu": rounded(one.cpu_seconds)}
        for nodes, one in found.items()
    }
    report = {"rows": rows, "empty": empty, "bars": told, "seconds_of_each_run": runs}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    console.print(table(rows, empty))
    for bar in judged:
        mark = "met" if bar.met else "NOT MET"
        console.print(f"{mark}: {bar.what}: {bar.value:g}, at most {bar.at_most:g}")
    console.print(f"written to {os.path.relpath(REPORT)}")
    return 0 if all(bar.met for bar in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
