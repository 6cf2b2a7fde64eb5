"""What one run leaves for the next: counters, who led, and since when each name is as it is. Pure.

It lives in the memory of one process. A new process knows no earlier run, and says so with None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nodeway_runtime.paths.cluster_view import Counters
from nodeway_runtime.paths.report import Row, sum_known
from nodeway_runtime.paths.trace import NameTrace
from nodeway_runtime.paths.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Memory:
    """A run's counters by node id, and each name's verdict and since when it has it (ISO 8601)."""

    counters: dict[str, Counters] = field(default_factory=dict)
    states: dict[str, tuple[Verdict, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunDelta:
    """A run's rows with what happened since the last one, and the sums over all nodes; None: nobody knows."""

    memory: Memory
    rows: tuple[Row, ...]
    failovers: int | None
    rejected_connections: int | None


def compare_runs(
    last: Memory, walked: Sequence[NameTrace], rows: Sequence[Row], at: str
) -> RunDelta:
    """Compares a run with the last one. A node that was started again counts from its start."""
    now = counters_by_node(walked)
    known = {node_id: one for node_id, one in now.items() if node_id in last.counters}
    new_primaries = sum(
        one.primary and not last.counters[node_id].primary for node_id, one in known.items()
    )
    states = {row.name: _state(row, last, at) for row in rows}
    told = tuple(
        replace(
            row,
            since=states[row.name][1],
            moved=_increase(last, now, row.node_id, "moved"),
            asked=_increase(last, now, row.node_id, "asked"),
        )
        for row in rows
    )
    rejected = sum_known(_increase(last, now, node_id, "rejected_connections") for node_id in now)
    # who was not reached this time is compared with what it said last
    memory = Memory(last.counters | now, states)
    return RunDelta(memory, told, new_primaries if known else None, rejected)


def counters_by_node(walked: Sequence[NameTrace]) -> dict[str, Counters]:
    """By node id, whatever name led there."""
    return {
        walk.reply.node_id: walk.reply.counters
        for one in walked
        for walk in one.traces
        if walk.reply.node_id and walk.reply.counters
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
