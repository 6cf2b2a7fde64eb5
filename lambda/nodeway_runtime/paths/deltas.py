"""Compares a probe run with the last one of the process: counters, failovers, and the start of each verdict. Pure.

In the first run of a process the differences are unknown (None).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nodeway_runtime.paths.cluster_view import Counters
from nodeway_runtime.paths.report import Row, sum_known
from nodeway_runtime.paths.trace import NameTrace
from nodeway_runtime.paths.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Memory:
    """What a run keeps for the next: counters by node id, and each name's verdict with its start (ISO 8601)."""

    counters: dict[str, Counters] = field(default_factory=dict)
    states: dict[str, tuple[Verdict, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunDelta:
    """A run's rows with the differences to the last run, and the sums over all nodes; None when unknown."""

    memory: Memory
    rows: tuple[Row, ...]
    failovers: int | None
    rejected_connections: int | None


def compare_runs(
    last: Memory, traces: Sequence[NameTrace], rows: Sequence[Row], at: str
) -> RunDelta:
    """The differences to the last run. The counters of a restarted node count from its start.

    `at`: the start of the run (ISO 8601).
    """
    now = counters_by_node(traces)
    known = {node_id: one for node_id, one in now.items() if node_id in last.counters}
    new_primaries = sum(
        one.primary and not last.counters[node_id].primary for node_id, one in known.items()
    )
    states = {row.name: _state(row, last, at) for row in rows}
    compared = tuple(
        replace(
            row,
            since=states[row.name][1],
            moved=_increase(last, now, row.node_id, "moved"),
            asked=_increase(last, now, row.node_id, "asked"),
        )
        for row in rows
    )
    rejected = sum_known(_increase(last, now, node_id, "rejected_connections") for node_id in now)
    # A node without a reply in this run is compared with its last reply in a later one.
    memory = Memory(last.counters | now, states)
    return RunDelta(memory, compared, new_primaries if known else None, rejected)


def counters_by_node(traces: Sequence[NameTrace]) -> dict[str, Counters]:
    """The counters in the traces, by node id."""
    return {
        trace.reply.node_id: trace.reply.counters
        for one in traces
        for trace in one.traces
        if trace.reply.node_id and trace.reply.counters
    }


def _state(row: Row, last: Memory, at: str) -> tuple[Verdict, str]:
    before = last.states.get(row.name)
    return before if before and before[0] is row.verdict else (row.verdict, at)


def _increase(last: Memory, now: dict[str, Counters], node_id: str, what: str) -> int | None:
    before, after = last.counters.get(node_id), now.get(node_id)
    if before is None or after is None:
        return None
    value = int(getattr(after, what))
    same = before.run_id == after.run_id and value >= getattr(before, what)
    return value - int(getattr(before, what)) if same else value
