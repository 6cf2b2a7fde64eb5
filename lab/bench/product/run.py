"""`python -m lab.bench.product.run SETTINGS`: one measured run of the resync, as in a cold Lambda; prints JSON.

`cpu_seconds`, `wall_seconds` and `peak_mb` (MiB) are what the run and its journal take beyond an interpreter that has
imported boto3. Calls and bytes are counted on the wire, retries included.
"""

import io
import json
import sys
import time
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

import boto3

from lab.host.memory import peak_mib


class Wire:
    """Calls and bytes of a boto3 session, requests and answers."""

    def __init__(self, session: boto3.Session) -> None:
        self.calls: Counter[str] = Counter()
        self.bytes = 0
        session.events.register("before-send", self._sent)
        session.events.register("response-received", self._received)

    def _sent(self, event_name: str, request: Any, **_: object) -> None:
        service_and_action = event_name.partition(".")[2]
        self.calls[service_and_action.replace("-", "")] += 1
        self.bytes += len(request.body or b"")

    def _received(self, response_dict: Any, **_: object) -> None:
        self.bytes += len(response_dict["body"]) if response_dict else 0


def measure(variables: dict[str, str]) -> dict[str, object]:
    """One run with the function's environment variables; gives its figures."""
    peak, cpu, wall = peak_mib(), time.process_time(), time.perf_counter()

    # a cold function imports it, so it is part of the run
    from nodeway_runtime.aws.clients import aws_ports
    from nodeway_runtime.functions.resync_journal import LogJournal
    from nodeway_runtime.model.settings import Settings
    from nodeway_runtime.planner.reconcile import applying_executor, reconcile

    session = boto3.Session()
    wire = Wire(session)
    settings = Settings.from_environment(variables)
    ports = aws_ports(settings, session)
    now = datetime.now(UTC)
    log = io.StringIO()
    with redirect_stdout(log):
        journal = LogJournal(cluster=settings.replication_group_id, request_id="", trigger="bench")
        outcome = reconcile(
            ports, settings, journal, applying_executor(ports, settings, "bench", now), now
        )
    return {
        "aws_calls": dict(sorted(wire.calls.items())),
        "calls": wire.calls.total(),
        "bytes": wire.bytes,
        "changes": len(outcome.plan.changes),
        "refused": len(outcome.refusals),
        "problems": list(outcome.snapshot.problems),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "wall_seconds": round(time.perf_counter() - wall, 3),
        "peak_mb": round(peak_mib() - peak, 1),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(json.loads(sys.argv[1]))))
