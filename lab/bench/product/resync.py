"""`make bench-resync`: the cost of a resync run with 6, 50 and 500 nodes (ElastiCache's most).

The real adapters run over HTTP on loopback against an emulated account (lab/bench/product/account.py). Writes
build/bench/resync.json, prints a table, and exits with 1 for a missed threshold.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from lab import layout
from lab.bench.product.account import Emulator, emulator, write_cluster, write_tasks
from lab.bench.product.emulator import ECS_CLUSTER
from lab.errors import LabError
from lab.report.publish import open_console, publish
from lab.report.table import Table
from lab.report.threshold import Threshold

SIZES = (6, 50, 500)
REPORT = layout.ROOT / "build" / "bench" / "resync.json"
RUN_SECONDS = 300
FIRST_FILL, NO_OP, TENTH = "first fill", "no-op", "10 % change"
HEADINGS = (
    *("case", "nodes", "changes", "calls", "KiB", "own CPU s", "emulator s", "wall s", "MiB"),
    "AWS calls by name",
)
TITLE = (
    "A run of the resync: calls and bytes on the wire; CPU, wall time and memory beyond"
    " an interpreter with boto3; the emulator's own CPU is part of the wall time"
)

Row = dict[str, Any]


def check_thresholds(rows: list[Row]) -> list[Threshold]:
    """The thresholds of the largest size."""
    by_case = {row["case"]: row for row in rows if row["nodes"] == max(SIZES)}
    fill, no_op = by_case[FIRST_FILL], by_case[NO_OP]
    record_calls = fill["aws_calls"].get("route53.ChangeResourceRecordSets", 0)
    of = f"at {max(SIZES)} nodes"
    return [
        Threshold(f"AWS calls of a no-op {of}", no_op["calls"], 25),
        Threshold(f"own CPU seconds of a no-op {of}", no_op["cpu_seconds"], 3),
        Threshold(f"changes sent for a first fill {of}", record_calls, 6),
        *(
            Threshold(f"MiB beyond boto3, {case} {of}", row["peak_mb"], 128)
            for case, row in by_case.items()
        ),
    ]


def cases(directory: Path, nodes: int) -> Iterator[tuple[str, int]]:
    """Each case with its number of changes; before the last one a tenth of the HAProxies are replaced."""
    replaced = max(1, nodes // 10)
    write_cluster(directory, nodes)
    write_tasks(directory, nodes)
    # an A and a TXT for each node and the configuration endpoint, and the SOA
    yield FIRST_FILL, 2 * (nodes + 1) + 1
    yield NO_OP, 0
    write_tasks(directory, nodes, replaced=replaced)
    # the first nodes' addresses are among the configuration endpoint's eight
    yield TENTH, replaced + 1


def measure(nodes: int) -> Iterator[Row]:
    """A row for each case; raises LabError when a run did not make the changes of its case."""
    with tempfile.TemporaryDirectory() as directory, emulator(Path(directory)) as account:
        variables = function_environment(account)
        for case, changes in cases(Path(directory), nodes):
            before = account.cpu_seconds
            row = {"nodes": nodes, "case": case} | run(account, variables)
            if (row["changes"], row["refused"], row["problems"]) != (changes, 0, []):
                raise LabError(f"the run must make {changes} changes, got: {row}")
            yield row | {"emulator_seconds": round(account.cpu_seconds - before, 3)}


def function_environment(account: Emulator) -> dict[str, str]:
    """The environment of the resync function in this account, with a new zone."""
    route53 = boto3.client(
        "route53",
        endpoint_url=account.environment["AWS_ENDPOINT_URL"],
        region_name=layout.REGION,
        aws_access_key_id=account.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=account.environment["AWS_SECRET_ACCESS_KEY"],
    )
    zone = route53.create_hosted_zone(
        Name=layout.ZONE,
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
        "REPLICATION_GROUP_ID": layout.REPLICATION_GROUP,
        "HOSTED_ZONE_ID": zone["HostedZone"]["Id"].rpartition("/")[2],
        "ZONE_NAME": layout.ZONE,
        "ECS_CLUSTER": ECS_CLUSTER,
        "OWNER": f"nodeway/bench/{layout.REPLICATION_GROUP}",
        "PROXY_VPC_ID": layout.PROXY_VPC.vpc_id,
        "STAND_IN": json.dumps(stand_in),
    }


def run(account: Emulator, variables: dict[str, str]) -> Row:
    """One measured run in a process of its own; raises LabError with its last words when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.bench.product.run", json.dumps(variables)],
        cwd=layout.ROOT,
        env={"PATH": os.environ["PATH"], **account.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    if done.returncode != 0:
        raise LabError(f"a measured run failed: {done.stderr[-500:]}")
    row: Row = json.loads(done.stdout)
    return row


def cells(row: Row) -> list[str]:
    """A row of the table."""
    keys = ("case", "nodes", "changes", "calls", "cpu_seconds", "emulator_seconds", "wall_seconds")
    by_name = (f"{name.partition('.')[2]} {count}" for name, count in row["aws_calls"].items())
    figures = [str(row[key]) for key in keys]
    figures.insert(4, str(row["bytes"] // 1024))
    return [*figures, str(row["peak_mb"]), ", ".join(by_name)]


def main() -> int:
    """Measures, writes and prints; gives the exit code."""
    try:
        rows = [row for nodes in SIZES for row in measure(nodes)]
    except LabError as error:
        sys.stderr.write(f"bench-resync: {error}\n")
        return 1
    table = Table(HEADINGS, [cells(row) for row in rows], title=TITLE)
    return publish(open_console(), REPORT, {"rows": rows}, [table], check_thresholds(rows))


if __name__ == "__main__":
    sys.exit(main())
