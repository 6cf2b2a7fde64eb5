"""Lines of the page's event list: from two reports, a record change, or a button. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeway_runtime.html.text import format_age
from nodeway_runtime.paths.report import Report, Row
from nodeway_runtime.paths.verdicts import MEANINGS, State

SIGNS = {"create": "+", "update": "~", "delete": "-"}
"""As `nodeway plan` shows a change."""


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the list. `at`: seconds since the epoch; `kind`: see lab.web.fragments; `state`: a row's new one."""

    at: float
    kind: str
    text: str
    state: str = ""


@dataclass(slots=True)
class Watch:
    """The last rows, and the primary of each shard."""

    rows: dict[str, tuple[Row, float]] = field(default_factory=dict)
    """With the time since when each is as it is."""
    leaders: dict[str, str] = field(default_factory=dict)
    begun: bool = False

    def compare(self, report: Report, at: float) -> list[Event]:
        """The events between the report before and this one."""
        found = [*self._states(report, at), *self._failovers(report, at)]
        self.begun = True
        return found

    def _states(self, report: Report, at: float) -> Iterator[Event]:
        for row in report.worst_first:
            before, since = self.rows.get(row.name, (None, at))
            if before is not None and before.verdict is row.verdict:
                self.rows[row.name] = row, since
                continue
            self.rows[row.name] = row, at
            if before is not None:
                yield Event(at, "state", _describe_transition(before, row, at - since), row.state)
            elif self.begun or row.state is not State.OK:
                new = " is a new name" if self.begun else ""
                yield Event(at, "state", f"{row.label}{new}: {_describe_state(row)}", row.state)
        for name in self.rows.keys() - {row.name for row in report.rows}:
            row, _ = self.rows.pop(name)
            yield Event(at, "state", f"{row.label} is no name of the cluster any more")

    def _failovers(self, report: Report, at: float) -> Iterator[Event]:
        for row in report.rows:
            if row.role != "primary" or not row.shard:
                continue
            before = self.leaders.get(row.shard)
            self.leaders[row.shard] = row.label
            if before not in (None, row.label):
                text = f"failover: {row.label} leads shard {row.shard}, after {before}"
                yield Event(at, "failover", text)


def _describe_transition(before: Row, row: Row, seconds: float) -> str:
    if row.state is State.OK:
        return f"{row.label} is ok again, after {format_age(seconds)} of {before.verdict}"
    return f"{row.label}: {_describe_state(row)}"


def _describe_state(row: Row) -> str:
    what = MEANINGS[row.verdict].what
    return what if row.state is State.OK else f"{row.state}, {row.verdict}: {what}"


def describe_change(change: Mapping[str, Any], at: float) -> Event:
    """A record change of the resync's log, as `nodeway plan` shows one; of a long list only the difference."""
    old, new = (list(change.get(key) or ()) for key in ("old", "new"))
    gone = [f"-{one}" for one in old if one not in new]
    come = [f"+{one}" for one in new if one not in old]
    label = str(change["record"]).partition(".")[0]
    text = f"{SIGNS[change['action']]} {label} A {' '.join(gone + come)} ({change['why']})"
    return Event(at, "record", text)


def describe_request(event: str, about: str, at: float) -> Event:
    """The event of a pressed button."""
    return Event(at, "asked", f"{event} {about}".strip() + ": asked for")


def describe_result(told: Mapping[str, Any], at: float) -> Event:
    """The event of a carried-out request."""
    name = f"{told['event']} {told['about']}".strip()
    text = f"{name}: {told['text']}" if told["ok"] else f"{name} could not be done: {told['text']}"
    return Event(at, "fault" if told["ok"] else "trouble", text)
