"""`make bench-synth`: the cost of a synth of 6, 50 and 500 nodes (500 is ElastiCache's most), beside an empty CDK app.

The real `cdk synth --quiet` runs on the real app.py (lab/bench/product/sized_app.py), each time into a new directory.
Writes build/bench/synth.json, prints a table, and exits with 1 for a missed threshold.

Wall time: all apps in turn, REPETITIONS times, so that other work of the machine affects them alike; the median counts.
Memory: one more run of each before the timed ones, of the whole process tree; it also warms up the caches.

Growth is linear when a further node costs about the same in a large app as in a small one: CPU seconds per node from
250 to 500, divided by those from 6 to 250. A straight line gives 1, n log n about 1.2, a square about 3. Shared startup
work gives less than 1. The least CPU seconds of the repetitions count, of the whole tree: other programs on the machine
change them less than wall time, and only upwards.
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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from lab import layout
from lab.bench.product.sized_app import SizedApp, write_app
from lab.errors import LabError
from lab.report.publish import open_console, publish
from lab.report.table import Table
from lab.report.threshold import Threshold

EMPTY = 0
SIZES = (6, 50, 500)
MIDDLE = 250
REPETITIONS = 3
REPORT = layout.ROOT / "build" / "bench" / "synth.json"
SAMPLE_SECONDS = 0.1
SYNTH_SECONDS = 900
BYTES_PER_MIB = 1024 * 1024
HEADINGS = (
    *("nodes", "wall s", "empty apps", "CPU s", "MiB", "templates", "most resources"),
    "most bytes",
)
TITLE = f"cdk synth, median of {REPETITIONS}; memory of the whole process tree"
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
    bytes: list[int] = field(default_factory=list)
    """Of each template."""
    resources: list[int] = field(default_factory=list)
    """Of each template."""


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


def run(measured: Measured, *, sample: bool) -> None:
    """One synth. With `sample` its memory and templates count, else its times. Raises LabError with its last words.

    Memory is the highest of its process tree, with shared pages in parts (PSS); a peak between two samples is not seen.
    """
    highest, errors = 0, None
    cpu, began = children_cpu(), time.monotonic()
    with (
        tempfile.TemporaryDirectory() as output,
        psutil.Popen(
            command(measured, output),
            cwd=measured.app.directory,
            env=variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        while errors is None:
            try:
                pause = SAMPLE_SECONDS if sample else SYNTH_SECONDS
                errors = process.communicate(timeout=pause)[1]
            except subprocess.TimeoutExpired:
                highest = max(highest, tree_pss(process))
                if time.monotonic() - began > SYNTH_SECONDS:
                    process.kill()
        seconds, cpu_seconds = time.monotonic() - began, children_cpu() - cpu
        if process.returncode != 0:
            raise LabError(f"a measured run failed: {errors[-500:]}")
        if not sample:
            measured.seconds.append(seconds)
            measured.cpu_seconds.append(cpu_seconds)
            return
        measured.peak_mb = round(highest / BYTES_PER_MIB, 1)
        for file in Path(output).glob("*.template.json"):
            text = file.read_bytes()
            measured.bytes.append(len(text))
            measured.resources.append(len(json.loads(text).get("Resources", {})))


def tree_pss(process: psutil.Process) -> int:
    """The memory (bytes) of a process and its descendants now; one that ends meanwhile is left out."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
    return total


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
    for number in range(1 + REPETITIONS):
        console.print(f"round {number + 1} of {1 + REPETITIONS}: {len(found)} apps", style="dim")
        for measured in found.values():
            run(measured, sample=number == 0)
    return found


def row(nodes: int, measured: Measured, empty_seconds: float) -> Row:
    """The figures of one size; bytes are decimal, `peak_mb` is MiB."""
    seconds = statistics.median(measured.seconds)
    return {
        "nodes": nodes,
        "seconds": round(seconds, 2),
        "ratio_to_empty": round(seconds / empty_seconds, 2),
        "cpu_seconds": round(statistics.median(measured.cpu_seconds), 2),
        "peak_mb": measured.peak_mb,
        "templates": len(measured.bytes),
        "max_resources": max(measured.resources),
        "max_bytes": max(measured.bytes),
    }


def growth(found: dict[int, Measured]) -> float:
    """CPU seconds per node in the upper half of the sizes, divided by those in the lower half."""
    few, most = min(SIZES), max(SIZES)
    cpu = {nodes: min(found[nodes].cpu_seconds) for nodes in (few, MIDDLE, most)}
    lower = (cpu[MIDDLE] - cpu[few]) / (MIDDLE - few)
    upper = (cpu[most] - cpu[MIDDLE]) / (most - MIDDLE)
    return round(upper / lower, 2) if lower > 0 else float("inf")


def check_thresholds(rows: Sequence[Row], linear: float) -> list[Threshold]:
    """The thresholds of the rows with nodes; a template must stay below CloudFormation's limits.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    most = max(rows, key=lambda one: int(one["nodes"]))
    resources, size = (max(one[key] for one in rows) for key in ("max_resources", "max_bytes"))
    return [
        Threshold(f"wall time of {most['nodes']} nodes, in empty apps", most["ratio_to_empty"], 4),
        Threshold("resources of the largest template", resources, 499),
        Threshold("bytes of the largest template", size, 999_999),
        Threshold("CPU per node in the upper half of the sizes to the lower", linear, 1.5),
    ]


def main() -> int:
    """Measures, writes and prints; gives the exit code."""
    console = open_console()
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = measure(Path(directory), console)
        except LabError as error:
            sys.stderr.write(f"bench-synth: {error}\n")
            return 1
    empty_seconds = statistics.median(found[EMPTY].seconds)
    empty, *rows = (row(nodes, found[nodes], empty_seconds) for nodes in (EMPTY, *SIZES))
    cells = [
        [str(one["nodes"] or "empty app"), *(f"{value:,}" for value in list(one.values())[1:])]
        for one in (empty, *rows)
    ]
    report = {"rows": rows, "empty": empty}
    table = Table(HEADINGS, cells, title=TITLE)
    return publish(console, REPORT, report, [table], check_thresholds(rows, growth(found)))


if __name__ == "__main__":
    sys.exit(main())
