"""`make bench-resync`: what a run of the resync costs with 6, 50 and 500 nodes (ElastiCache's most).

The real adapters, over HTTP on loopback, against an emulated account (bench_account.py). Writes
build/bench/resync.json, prints a table, and fails unless every bar is met. It must never lower a bar by itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from lab import layout
from lab.bench.product.account import Emulator, emulator, write_cluster, write_tasks, zone_name
from lab.bench.product.emulator import ECS_CLUSTER
from lab.errors import LabError

SIZES = (6, 50, 500)
GROUP = "bench"
REPORT = layout.ROOT / "build" / "bench" / "resync.json"
FIRST_FILL, NO_OP, TENTH = "first fill", "no-op", "10 % change"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure at 500 nodes may be at most."""

    what: str
    case: str
    figure: str
    at_most: float

    def of(self, rows: list[Row]) -> float:
        """The figure; an AWS call by its name, or one of a row's own."""
        row = next(r for r in rows if r["nodes"] == max(SIZES) and r["case"] == self.case)
        return float(
            row["aws_calls"].get(self.figure, 0) if "." in self.figure else row[self.figure]
        )


BARS = (
    Bar("AWS calls of a no-op", NO_OP, "calls", 25),
    Bar("own CPU seconds of a no-op", NO_OP, "cpu_seconds", 3),
    Bar("changes sent for a first fill", FIRST_FILL, "route53.ChangeResourceRecordSets", 6),
    *(
        Bar(f"MiB beyond boto3, {case}", case, "peak_mb", 128)
        for case in (FIRST_FILL, NO_OP, TENTH)
    ),
)


def cases(directory: Path, nodes: int) -> Iterator[tuple[str, int]]:
    """The cases in turn, and how many changes each must make; between them the world moves on."""
    replaced = max(1, nodes // 10)
    write_cluster(directory, GROUP, nodes)
    write_tasks(directory, GROUP, nodes)
    # an A and a TXT each, for the configuration endpoint, too; and the SOA
    yield FIRST_FILL, 2 * (nodes + 1) + 1
    yield NO_OP, 0
    write_tasks(directory, GROUP, nodes, replaced=replaced)
    # the first nodes' addresses are among the configuration endpoint's eight
    yield TENTH, replaced + 1


def rows_of(nodes: int) -> Iterator[Row]:
    """A row for each case; raises LabError when a run did not do what the case is about."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        with emulator(directory) as account:
            variables = settings(account)
            for case, changes in cases(directory, nodes):
                before = account.cpu_seconds
                row = run(account, variables)
                told = {"nodes": nodes, "case": case} | row
                if (row["changes"], row["refused"], row["problems"]) != (changes, 0, []):
                    raise LabError(
                        f"the run was not the one to measure ({changes} changes): {told}"
                    )
                yield told | {"emulator_seconds": round(account.cpu_seconds - before, 3)}


def settings(account: Emulator) -> dict[str, str]:
    """The environment of a function in this account, with a zone made for it."""
    keys = account.environment()
    route53 = boto3.client(
        "route53",
        endpoint_url=account.endpoint,
        region_name=layout.REGION,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    zone = route53.create_hosted_zone(
        Name=zone_name(GROUP),
        CallerReference="bench",
        VPC={"VPCRegion": layout.REGION, "VPCId": layout.CLIENT_VPC.vpc_id},
    )
    stand_in = {
        "task_definition": "bench-stand-in",
        "subnets": [layout.PROXY_SUBNETS[0].subnet_id],
        "security_group": layout.CACHE_SECURITY_GROUP,
        "parking_zone_id": "Z0000000000000",
        "parking_zone_name": "bench.parking.internal",
    }
    return {
        "REPLICATION_GROUP_ID": GROUP,
        "HOSTED_ZONE_ID": zone["HostedZone"]["Id"].rpartition("/")[2],
        "ZONE_NAME": zone_name(GROUP),
        "ECS_CLUSTER": ECS_CLUSTER,
        "OWNER": f"nodeway/bench/{GROUP}",
        "PROXY_VPC_ID": layout.PROXY_VPC.vpc_id,
        "STAND_IN": json.dumps(stand_in),
    }


def run(account: Emulator, variables: dict[str, str]) -> Row:
    """One measured run; raises LabError with its last words when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.bench.product.run", json.dumps(variables)],
        cwd=layout.ROOT,
        env={"PATH": os.environ["PATH"], **account.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"a measured run failed: {done.stderr[-500:]}")
    row: Row = json.loads(done.stdout)
    return row


def table(rows: list[Row]) -> Table:
    """The rows for a person."""
    shown = Table(
        title="A run of the resync: calls and bytes on the wire; CPU, wall time and memory beyond"
        " an interpreter with boto3; the emulator's own CPU is part of the wall time",
        title_justify="left",
    )
    for column in ("nodes", "case", "changes", "calls", "KiB", "own CPU s", "emulator s", "wall s"):
        shown.add_column(column, justify="left" if column == "case" else "right")
    shown.add_column("MiB", justify="right")
    shown.add_column("AWS calls by name")
    for row in rows:
        calls = ", ".join(
            f"{name.partition('.')[2]} {count}" for name, count in row["aws_calls"].items()
        )
        figures = [row["nodes"], row["case"], row["changes"], row["calls"], row["bytes"] // 1024]
        figures += [row[key] for key in ("cpu_seconds", "emulator_seconds", "wall_seconds")]
        shown.add_row(*map(str, figures), str(row["peak_mb"]), calls)
    return shown


def main() -> int:
    """Measures, prints, writes; gives 0 when every bar is met."""
    console = Console(width=None if sys.stdout.isatty() else 200)
    rows: list[Row] = []
    try:
        for nodes in SIZES:
            rows += rows_of(nodes)
    except LabError as error:
        sys.stderr.write(f"bench-resync: {error}\n")
        return 1
    bars = [(bar, bar.of(rows)) for bar in BARS]
    told = [
        {"what": bar.what, "value": value, "at_most": bar.at_most, "met": value <= bar.at_most}
        for bar, value in bars
    ]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"rows": rows, "bars": told}, indent=2) + "\n")
    console.print(table(rows))
    for bar, value in bars:
        mark = "met" if value <= bar.at_most else "NOT MET"
        console.print(
            f"{mark}: {bar.what} at {max(SIZES)} nodes: {value:g}, at most {bar.at_most:g}"
        )
    console.print(f"written to {os.path.relpath(REPORT)}")
    return 0 if all(value <= bar.at_most for bar, value in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
