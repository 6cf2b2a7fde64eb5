"""One run of the probe. The prober function, `nodeway doctor` and the lab call `Probe.run`.

trace -> diagnose -> compare with the last run -> report
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from nodeway_runtime.paths.deltas import Memory, compare_runs
from nodeway_runtime.paths.diagnose import diagnose
from nodeway_runtime.paths.report import Report
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import NameTrace
from nodeway_runtime.probe.walker import Walker

MAX_CONCURRENT = 64
"""Names that are traced at the same time. Most of a trace is waiting."""
VIEWS_PER_RUN = 32
"""Nodes that are with_view for their view of the cluster in one run. With 500 nodes a view has about 200 KiB."""


@dataclass(slots=True)
class Probe:
    """Runs from one client's network, each compared with the last one.

    `client`: the name of the network in reports. `seconds`: limit of a run; names without a trace by then have the
    verdict NOT_WALKED.
    """

    client: str
    seconds: float = 50
    memory: Memory = field(default_factory=Memory)
    runs: int = 0

    def run(
        self,
        targets: Targets,
        walker: Walker,
        notes: tuple[str, ...] = (),
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> Report:
        """Traces all targets. `notes` go into the report; `on_progress` gets the number of finished traces."""
        at, began = datetime.now(UTC), time.perf_counter()
        traces = self._trace_all(targets, walker, on_progress)
        rows = diagnose(targets, traces)
        delta = compare_runs(self.memory, traces, rows, at.isoformat(timespec="seconds"))
        self.memory, self.runs = delta.memory, self.runs + 1
        return Report(
            cluster=targets.cluster,
            zone=targets.zone,
            client=self.client,
            at=at.isoformat(timespec="milliseconds"),
            seconds=round(time.perf_counter() - began, 3),
            depth="identity" if walker.login else "answer",
            rows=delta.rows,
            port=targets.port,
            connections=sum(len(one.traces) for one in traces),
            failovers=delta.failovers,
            rejected_connections=delta.rejected_connections,
            notes=(*targets.notes, *notes),
        )

    def _trace_all(
        self, targets: Targets, walker: Walker, on_progress: Callable[[int], None]
    ) -> list[NameTrace]:
        with_view = self._view_indices(targets)
        pool = ThreadPoolExecutor(max_workers=MAX_CONCURRENT, thread_name_prefix="trace")
        futures = [
            pool.submit(walker.trace, name, view=i in with_view)
            for i, name in enumerate(targets.names)
        ]
        done = count(1)

        def count_done(_: Future[NameTrace]) -> None:
            on_progress(next(done))

        for one in futures:
            one.add_done_callback(count_done)
        try:
            wait(futures, timeout=self.seconds)
        finally:
            # Running traces end by their own timeouts; no further one starts, also after a Ctrl-C.
            pool.shutdown(wait=False, cancel_futures=True)
        return [one.result() for one in futures if one.done() and not one.cancelled()]

    def _view_indices(self, targets: Targets) -> frozenset[int]:
        """The indices of the targets whose nodes are with_view for a view; others in each run when there are many."""
        names = len(targets.names)
        first = self.runs * VIEWS_PER_RUN
        return frozenset((first + i) % names for i in range(min(names, VIEWS_PER_RUN)))
