"""What happened between two reports, and what the lab's other tellers say, as lines for people. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeway_runtime.html.text import format_age
from nodeway_runtime.paths.report import Report, Row
from nodeway_runtime.paths.verdicts import MEANINGS, State

SIGNS = {"create": "+", "update": "~", "delete": "-"}
"""As `nodeway plan` shows a change."""


@dataclass(frozen=True, slots=True)
class Happening:
    """`at`: seconds since the epoch; `kind`: see lab.web.fragments; `state`: a row's new one, else empty."""

    at: float
    kind: str
    text: str
    state: str = ""


@dataclass(slots=True)
class Watch:
    """The rows as they were last, and who led each shard."""

    rows: dict[str, tuple[Row, float]] = field(default_factory=dict)
    """With the time since when each is as it is."""
    leaders: dict[str, str] = field(default_factory=dict)
    begun: bool = False

    def see(self, report: Report, at: float) -> list[Happening]:
        """What is new in a report."""
        found = [*self._states(report, at), *self._failovers(report, at)]
        self.begun = True
        return found

    def _states(self, report: Report, at: float) -> Iterator[Happening]:
        for row in report.worst_first:
            before, since = self.rows.get(row.name, (None, at))
            if before is not None and before.verdict is row.verdict:
                self.rows[row.name] = row, since
                continue
            self.rows[row.name] = row, at
            if before is not None:
                yield Happening(at, "state", _changed(before, row, at - since), row.state)
            elif self.begun or row.state is not State.OK:
                new = " is a new name" if self.begun else ""
                yield Happening(at, "state", f"{row.label}{new}: {_told(row)}", row.state)
        for name in self.rows.keys() - {row.name for row in report.rows}:
            row, _ = self.rows.pop(name)
            yield Happening(at, "state", f"{row.label} is no name of the cluster any more")

    def _failovers(self, report: Report, at: float) -> Iterator[Happening]:
        for row in report.rows:
            if row.role != "primary" or not row.shard:
                continue
            before = self.leaders.get(row.shard)
            self.leaders[row.shard] = row.label
            if before not in (None, row.label):
                text = f"failover: {row.label} leads shard {row.shard}, after {before}"
                yield Happening(at, "failover", text)


def _changed(before: Row, row: Row, seconds: float) -> str:
    if row.state is State.OK:
        return f"{row.label} is ok again, after {format_age(seconds)} of {before.verdict}"
    return f"{row.label}: {_told(row)}"


def _told(row: Row) -> str:
    what = MEANINGS[row.verdict].what
    return what if row.state is State.OK else f"{row.state}, {row.verdict}: {what}"


def changed_record(change: Mapping[str, Any], at: float) -> Happening:
    """A line of the resync's log, much as `nodeway plan` shows one: of a long list only what is new."""
    old, new = (list(change.get(key) or ()) for key in ("old", "new"))
    gone = [f"-{one}" for one in old if one not in new]
    come = [f"+{one}" for one in new if one not in old]
    label = str(change["record"]).partition(".")[0]
    text = f"{SIGNS[change['action']]} {label} A {' '.join(gone + come)} ({change['why']})"
    return Happening(at, "record", text)


def fault_begun(event: str, about: str, at: float) -> Happening:
    """A button was pressed."""
    return Happening(at, "asked", f"{event} {about}".strip() + ": asked for")


def fault_ended(told: Mapping[str, Any], at: float) -> Happening:
    """What came of it."""
    name = f"{told['event']} {told['about']}".strip()
    text = f"{name}: {told['text']}" if told["ok"] else f"{name} could not be done: {told['text']}"
    return Happening(at, "fault" if told["ok"] else "trouble", text)
