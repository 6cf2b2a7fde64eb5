"""Builders of the probe's reports: a cluster as it is on most days, and on bad ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nodeway_runtime.paths.report import Path, Proxy, Report, Row
from nodeway_runtime.paths.trace import Phase
from nodeway_runtime.paths.verdicts import Verdict

NOW = datetime(2026, 3, 1, 3, 0, 12, tzinfo=UTC)
"""When a report is looked at: 12 seconds after it was made."""
ZONE = "demo.abc123.use1.cache.amazonaws.com"
TASKS = "arn:aws:ecs:us-east-1:123456789012:task/nodeway-dev-demo"


def path(
    node: str, *, number: int = 1, verdict: Verdict = Verdict.OK, detail: str = "", far: bool = True
) -> Path:
    """A way to a node; `far`: it came to its end."""
    address = f"10.20.{number % 3 + 1}.{number // 3 + 4}"
    zone = f"us-east-1{'abc'[number % 3]}"
    task = f"{TASKS}/{number:08x}{'0' * 24}"
    proxy = Proxy(address, task, f"{node}.{ZONE}", zone, "healthy")
    one = Path(address, proxy, verdict, Phase.NONE, detail)
    if not far:
        return one
    return replace(
        one,
        reached=Phase.IDENTITY,
        connect_milliseconds=0.4,
        tls_milliseconds=3.1,
        answer_milliseconds=1.2,
    )


def row(
    label: str, verdict: Verdict = Verdict.OK, *, detail: str = "", paths: Sequence[Path] = ()
) -> Row:
    """A name; without paths of its own it has one."""
    shard, member = label.rsplit("-", 2)[-2:] if "-" in label else ("", "")
    own = paths or [
        path(
            label,
            number=2 * int(shard or 0) + int(member or 0),
            verdict=verdict,
            detail=detail,
            far=verdict is Verdict.OK,
        )
    ]
    return Row(
        f"{label}.{ZONE}",
        verdict,
        tuple(own),
        detail=detail,
        role="endpoint" if not shard else "primary" if member == "001" else "replica",
        shard=shard,
        node_id=hashlib.sha256(label.encode()).hexdigest()[:40] if shard else "",
        resolve_milliseconds=0.9,
        moved=0,
        asked=0,
        since=(NOW - timedelta(minutes=4)).isoformat(),
    )


def nodes(shards: int) -> list[str]:
    """Names of two nodes a shard."""
    return [f"demo-{shard:04d}-{one:03d}" for shard in range(1, shards + 1) for one in (1, 2)]


def endpoint(*labels: str) -> Row:
    """The configuration endpoint over these nodes' proxies."""
    ways = [path(label, number=number) for number, label in enumerate(labels, 1)]
    return row("clustercfg", paths=ways)


def report(*rows: Row, notes: tuple[str, ...] = ()) -> Report:
    """A run of 12 seconds ago; without rows: a whole day's cluster of three shards."""
    return Report(
        cluster="demo",
        zone=ZONE,
        client="vpc-0c11e47a000000001",
        at=(NOW - timedelta(seconds=12)).isoformat(),
        seconds=0.1,
        depth="identity",
        rows=rows or (endpoint(*nodes(3)), *map(row, nodes(3))),
        connections=12,
        notes=notes,
    )
