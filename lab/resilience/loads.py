"""Clients that write side by side while a fault is played: through the HAProxies, and straight to the nodes.

All are the same plain program (nodeway.client), and all resolve names whenever they connect. It must never give one of
them what the others do not have.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from lab.deployment.world import World
from lab.errors import LabError
from lab.resilience.attribution import Failover, allowed
from lab.scenarios.scenario import Figures, Load, under_load
from lab.wait import wait_until

CONNECT_SECONDS = "1"
"""How long the clients try one address; docs/faults.md says why that matters."""
POOLED = ("--threads", "6", "--rate", "40", "--connect-timeout", CONNECT_SECONDS)
FRESH = ("--threads", "3", "--rate", "1", "--fresh", "--connect-timeout", CONNECT_SECONDS)
PROXIED = ("pooled", "fresh")
START_SECONDS = 60
FIRST_WRITES = {"pooled": 60, "fresh": 2, "direct": 60, "direct_fresh": 2}
WRITES_AGAIN = {"pooled": 40, "fresh": 2, "direct": 40, "direct_fresh": 2}
"""What each thread writes after a fault before it counts as over: more than a count that is 0.2 s old can hide."""
SHOWN = (
    "acknowledged",
    "failed",
    "errors",
    "errors_by_type",
    "lost_acknowledged",
)


@dataclass
class Loads:
    """The clients of one fault. After the block `figures` hold what each saw, its gaps since all of them wrote."""

    by_name: dict[str, Load]
    figures: Figures = field(default_factory=dict)
    since: float = 0.0
    """When all of them wrote: four programs that start at once make each other wait, which is no fault's doing."""
    failovers: list[Failover] = field(default_factory=list)

    def go_on(self, writes: int, *, timeout_seconds: float = 120) -> None:
        """Waits until the pooled and the direct client have so many more; raises LabError when they do not."""
        for name in ("pooled", "direct"):
            self.by_name[name].goes_on(writes, timeout_seconds=timeout_seconds)

    def recovered(self, *, timeout_seconds: float = 180) -> None:
        """Waits until every thread of every client writes again; raises LabError when one does not."""
        for name, load in self.by_name.items():
            try:
                load.goes_on_everywhere(WRITES_AGAIN[name], timeout_seconds=timeout_seconds)
            except LabError as error:
                raise LabError(f"the {name} client did not recover: {error}") from error

    @contextmanager
    def failover(self, slots: Iterable[int]) -> Iterator[None]:
        """In this block the primary of these slots is lost, and another takes over."""
        began = time.time()
        yield
        self.failovers.append(Failover(frozenset(slots), began, time.time()))

    def tell(self) -> None:
        """Fills `figures`: each client's own, its losses parted by whose they are."""
        for name, load in self.by_name.items():
            by_redis = sum(any(allowed(one, f) for f in self.failovers) for one in load.lost)
            self.figures[name] = {
                **{what: load.figures[what] for what in SHOWN},
                "longest_gap_seconds": longest(load.gaps, self.since),
                "lost_acknowledged": len(load.lost) - by_redis,
                "lost_on_failover": by_redis,
            }


def longest(gaps: Iterable[tuple[float, float]], since: float) -> float:
    """Seconds of the longest gap (when it began, its seconds), of each only what lies after `since`."""
    return round(max((min(s, at + s - since) for at, s in gaps if at + s > since), default=0.0), 3)


@contextmanager
def side_by_side(world: World, name: str, *, direct_fresh: bool = False) -> Iterator[Loads]:
    """The clients write from before the block to after it.

    `pooled` and `fresh` go through the HAProxies, `direct` reaches the nodes without them; `direct_fresh`: so does one
    that is fresh for each write.
    """
    options: dict[str, tuple[str, ...]] = {"pooled": POOLED, "fresh": FRESH, "direct": POOLED}
    if direct_fresh:
        options["direct_fresh"] = FRESH
    with all_at_once(
        {
            who: under_load(
                world,
                f"{name}-{who}",
                *words,
                beside_proxies=who not in PROXIED,
                writes=FIRST_WRITES[who],
            )
            for who, words in options.items()
        }
    ) as by_name:
        loads = Loads(by_name, since=time.time())
        yield loads
        loads.recovered()
    loads.tell()


@contextmanager
def all_at_once(
    contexts: Mapping[str, AbstractContextManager[Load]],
) -> Iterator[dict[str, Load]]:
    """All of them, entered at the same time and left at the same time; the first error of one is raised."""
    entered: dict[str, Load] = {}
    over = threading.Event()

    def stay(name: str, context: AbstractContextManager[Load]) -> None:
        with context as load:
            entered[name] = load
            over.wait()

    with ThreadPoolExecutor(len(contexts)) as threads:
        stays = [threads.submit(stay, name, context) for name, context in contexts.items()]
        try:
            wait_until(
                lambda: len(entered) == len(contexts) or any(one.done() for one in stays),
                timeout_seconds=START_SECONDS,
                what="all clients to write",
            )
            if len(entered) == len(contexts):
                yield {name: entered[name] for name in contexts}
        finally:
            over.set()
    for one in stays:
        one.result()
