"""The state that the page shows: written by lab.web.agent's messages, read by every browser."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.web import fragments as parts
from lab.web.events import Event, Watch, describe_change, describe_request, describe_result
from nodeway_runtime.html.page import render_fragment, summarize
from nodeway_runtime.paths.report import Report, from_document

POINTS = 180
"""Seconds of throughput in the chart."""
MOST_EVENTS = 100


@dataclass(slots=True)
class Live:
    """The state; `change` is notified of every change."""

    change: threading.Condition = field(default_factory=threading.Condition)
    report: Report | None = None
    points: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=POINTS))
    """Time, writes a second, errors a second."""
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    busy: set[tuple[str, str]] = field(default_factory=set)
    ended: str = ""
    """Why nothing more will come."""
    number: int = 0
    _watch: Watch = field(default_factory=Watch)
    _last: tuple[float, int, int] | None = None

    def receive(self, message: Mapping[str, Any]) -> None:
        """Apply a message of the agent."""
        at = time.time()
        with self.change:
            match message["kind"]:
                case "report":
                    self.report = from_document(message["report"])
                    self.events.extend(self._watch.compare(self.report, at))
                case "load":
                    self._count(at, message["acknowledged"], message["errors"])
                case "change":
                    self.events.append(describe_change(message["change"], message["change"]["at"]))
                case "fault":
                    self.busy.discard((message["event"], message["about"]))
                    self.events.append(describe_result(message, at))
                case "trouble":
                    self.events.append(Event(at, "trouble", message["text"]))
            self._wake()

    def start_event(self, event: str, about: str) -> bool:
        """Note that an event is requested; False when the same one is still running."""
        with self.change:
            if (event, about) in self.busy:
                return False
            self.busy.add((event, about))
            self.events.append(describe_request(event, about, time.time()))
            self._wake()
            return True

    def end(self, why: str) -> None:
        """Note why nothing more will come."""
        with self.change:
            self.ended = self.ended or why
            self._wake()

    def frame(self) -> dict[str, Any]:
        """The whole content of the page."""
        with self.change:
            report = self.report
            return {
                "title": f"{summarize(report)} · {report.cluster}" if report else "nodeway lab",
                "map": render_fragment(report, datetime.now(UTC)) if report else "",
                "controls": parts.controls(report, self.busy) if report else "",
                "events": parts.events(self.events),
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
