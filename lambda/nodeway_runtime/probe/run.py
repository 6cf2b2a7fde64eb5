"""The program: a run over all names. The function, `nodeway doctor` and the lab call this function and only this.

walk -> judge -> compare with the last run -> report
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
"""Names that are walked at the same time: most of a walk is waiting."""
VIEWS_PER_RUN = 32
"""Nodes that are asked for the whole cluster in a run; of more, others in each run: 500 nodes make 200 KiB each."""


@dataclass(slots=True)
class Probe:
    """Runs from one client's network; between them it keeps what the last one saw.

    `client`: where it runs, for the reader; `seconds`: how long a run may take, after which the names that are left are
    told as not walked.
    """

    client: str
    seconds: float = 50
    memory: Memory = field(default_factory=Memory)
    runs: int = 0

    def run(
        self,
        expected: Targets,
        walker: Walker,
        notes: tuple[str, ...] = (),
        walked_one: Callable[[int], None] = lambda _: None,
    ) -> Report:
        """Walks all names of the map; `walked_one` is told how many are done, as it goes on."""
        at, began = datetime.now(UTC), time.perf_counter()
        walked = self._walk_all(expected, walker, walked_one)
        rows = diagnose(expected, walked)
        told = compare_runs(self.memory, walked, rows, at.isoformat(timespec="seconds"))
        self.memory, self.runs = told.memory, self.runs + 1
        return Report(
            cluster=expected.cluster,
            zone=expected.zone,
            client=self.client,
            at=at.isoformat(timespec="milliseconds"),
            seconds=round(time.perf_counter() - began, 3),
            depth="identity" if walker.login else "answer",
            rows=told.rows,
            port=expected.port,
            connections=sum(len(one.traces) for one in walked),
            failovers=told.failovers,
            rejected_connections=told.rejected_connections,
            notes=(*expected.notes, *notes),
        )

    def _walk_all(
        self, expected: Targets, walker: Walker, walked_one: Callable[[int], None]
    ) -> list[NameTrace]:
        asked = self._asked_for_view(expected)
        pool = ThreadPoolExecutor(max_workers=MAX_CONCURRENT, thread_name_prefix="walk")
        walks = [
            pool.submit(walker.trace, name, view=i in asked)
            for i, name in enumerate(expected.names)
        ]
        done = count(1)

        def tell(_: Future[NameTrace]) -> None:
            walked_one(next(done))

        for one in walks:
            one.add_done_callback(tell)
        try:
            wait(walks, timeout=self.seconds)
        finally:
            # what still hangs has its own timeouts: nobody waits for it, and after a Ctrl-C nothing more begins
            pool.shutdown(wait=False, cancel_futures=True)
        return [one.result() for one in walks if one.done() and not one.cancelled()]

    def _asked_for_view(self, expected: Targets) -> frozenset[int]:
        """The places of the names whose nodes are asked: in turn, when there are many."""
        names = len(expected.names)
        first = self.runs * VIEWS_PER_RUN
        return frozenset((first + i) % names for i in range(min(names, VIEWS_PER_RUN)))
