"""What one run leaves for the next: counters, who led, and since when each name is as it is. Pure.

It lives in the memory of one process. A new process knows no earlier run, and says so with None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nodeway_runtime.paths.cluster_view import Counters
from nodeway_runtime.paths.report import Row, total
from nodeway_runtime.paths.trace import Walked
from nodeway_runtime.paths.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Memory:
    """A run's counters by node id, and each name's verdict and since when it has it (ISO 8601)."""

    counters: dict[str, Counters] = field(default_factory=dict)
    states: dict[str, tuple[Verdict, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Since:
    """A run's rows with what happened since the last one, and the sums over all nodes; None: nobody knows."""

    memory: Memory
    rows: tuple[Row, ...]
    failovers: int | None
    rejected_connections: int | None


def since(last: Memory, walked: Sequence[Walked], rows: Sequence[Row], at: str) -> Since:
    """Compares a run with the last one. A node that was started again counts from its start."""
    now = counters_of(walked)
    known = {node_id: one for node_id, one in now.items() if node_id in last.counters}
    new_primaries = sum(
        one.primary and not last.counters[node_id].primary for node_id, one in known.items()
    )
    states = {row.name: _state(row, last, at) for row in rows}
    told = tuple(
        replace(
            row,
            since=states[row.name][1],
            moved=_grown(last, now, row.node_id, "moved"),
            asked=_grown(last, now, row.node_id, "asked"),
        )
        for row in rows
    )
    rejected = total(_grown(last, now, node_id, "rejected_connections") for node_id in now)
    # who was not reached this time is compared with what it said last
    memory = Memory(last.counters | now, states)
    return Since(memory, told, new_primaries if known else None, rejected)


def counters_of(walked: Sequence[Walked]) -> dict[str, Counters]:
    """By node id, whatever name led there."""
    return {
        walk.said.node_id: walk.said.counters
        for one in walked
        for walk in one.walks
        if walk.said.node_id and walk.said.counters
    }


def _state(row: Row, last: Memory, at: str) -> tuple[Verdict, str]:
    before = last.states.get(row.name)
    return before if before and before[0] is row.verdict else (row.verdict, at)


def _grown(last: Memory, now: dict[str, Counters], node_id: str, what: str) -> int | None:
    before, after = last.counters.get(node_id), now.get(node_id)
    if before is None or after is None:
        return None
    value = int(getattr(after, what))
    same = before.run_id == after.run_id and value >= getattr(before, what)
    return value - int(getattr(before, what)) if same else value
