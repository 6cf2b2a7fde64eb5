"""What the page shows at this moment: fed by the lines from inside of the sandbox, read by every browser."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.web import fragments as parts
from lab.web.events import Happening, Watch, changed_record, fault_begun, fault_ended
from nodeway_runtime.html.page import render_fragment, summarize
from nodeway_runtime.paths.report import Report, from_document

POINTS = 180
"""Seconds of throughput in the chart."""
MOST_HAPPENINGS = 100


@dataclass(slots=True)
class Live:
    """`change` is woken by whatever is new."""

    change: threading.Condition = field(default_factory=threading.Condition)
    report: Report | None = None
    points: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=POINTS))
    """Time, writes a second, errors a second."""
    happenings: deque[Happening] = field(default_factory=lambda: deque(maxlen=MOST_HAPPENINGS))
    busy: set[tuple[str, str]] = field(default_factory=set)
    ended: str = ""
    """Why nothing more will come."""
    number: int = 0
    _watch: Watch = field(default_factory=Watch)
    _last: tuple[float, int, int] | None = None

    def hear(self, told: Mapping[str, Any]) -> None:
        """A line from inside."""
        at = time.time()
        with self.change:
            match told["kind"]:
                case "report":
                    self.report = from_document(told["report"])
                    self.happenings.extend(self._watch.see(self.report, at))
                case "load":
                    self._count(at, told["acknowledged"], told["errors"])
                case "change":
                    self.happenings.append(changed_record(told["change"], told["change"]["at"]))
                case "fault":
                    self.busy.discard((told["event"], told["about"]))
                    self.happenings.append(fault_ended(told, at))
                case "trouble":
                    self.happenings.append(Happening(at, "trouble", told["text"]))
            self._wake()

    def begin(self, event: str, about: str) -> bool:
        """An event is asked for; whether it may be, which it may not while the same one goes on."""
        with self.change:
            if (event, about) in self.busy:
                return False
            self.busy.add((event, about))
            self.happenings.append(fault_begun(event, about, time.time()))
            self._wake()
            return True

    def end(self, why: str) -> None:
        """Nothing more will come."""
        with self.change:
            self.ended = self.ended or why
            self._wake()

    def frame(self) -> dict[str, Any]:
        """All that the page shows."""
        with self.change:
            report = self.report
            return {
                "title": f"{summarize(report)} · {report.cluster}" if report else "nodeway lab",
                "map": render_fragment(report, datetime.now(UTC)) if report else "",
                "controls": parts.controls(report, self.busy) if report else "",
                "happenings": parts.happenings(self.happenings),
                "points": list(self.points),
                "seconds": POINTS,
                "ended": self.ended,
            }

    def _wake(self) -> None:
        self.number += 1
        self.change.notify_all()

    def _count(self, at: float, acknowledged: int, errors: int) -> None:
        if self._last is not None:
            then, before, errors_before = self._last
            seconds = max(at - then, 0.001)
            rates = (acknowledged - before) / seconds, (errors - errors_before) / seconds
            self.points.append((round(at, 2), round(rates[0], 1), round(rates[1], 1)))
        self._last = at, acknowledged, errors
