"""Clients that write side by side during a fault: through the HAProxies, and straight to the nodes.

All are the same program (nodeway.client) with the same options, and all resolve names whenever they connect.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from lab.deployment.world import World
from lab.errors import LabError
from lab.scenarios.scenario import Figures, Load, under_load
from lab.wait import wait_until

CONNECT_SECONDS = "1"
"""The clients' timeout for one address; docs/faults.md has the reason."""
POOLED = ("--threads", "6", "--rate", "40", "--connect-timeout", CONNECT_SECONDS)
FRESH = ("--threads", "3", "--rate", "1", "--fresh", "--connect-timeout", CONNECT_SECONDS)
PROXIED = ("pooled", "fresh")
CLIENTS = (*PROXIED, "direct", "direct_fresh")
START_SECONDS = 60
FIRST_WRITES = {"pooled": 60, "fresh": 2, "direct": 60, "direct_fresh": 2}
WRITES_AGAIN = {"pooled": 40, "fresh": 2, "direct": 40, "direct_fresh": 2}
"""Writes of each thread after which a fault counts as over: more than fit into the progress file's 0.2 s of delay."""
SECONDS_BEFORE = 5.0
"""Replication lag that counts as Redis's own: far above any lag seen in the lab, far below a scenario's duration."""
REPORTED = ("acknowledged", "failed", "errors", "errors_by_type")


@dataclass(frozen=True, slots=True)
class Failover:
    """A primary was lost: its slots, when the loss began, and when all nodes knew the successor (epoch seconds).

    Redis replicates after it has acknowledged, so it loses the last writes of a primary with or without HAProxies. A
    write to another shard, or one acknowledged long before or after, is not such a loss.
    """

    slots: frozenset[int]
    began: float
    ended: float

    def explains(self, slot: int, at: float) -> bool:
        """Whether Redis itself may lose a write to this slot, acknowledged at this time (epoch seconds)."""
        return slot in self.slots and self.began - SECONDS_BEFORE <= at <= self.ended


@dataclass
class Loads:
    """The clients of one fault; after the block of `side_by_side`, `figures` hold each client's own by its name."""

    by_name: dict[str, Load]
    figures: Figures = field(default_factory=dict)
    since: float = 0.0
    """When all clients wrote (epoch seconds). Gaps before it come from four programs that start at once."""
    failovers: list[Failover] = field(default_factory=list)

    def wait_until_recovered(self) -> None:
        """Waits until every thread of every client writes again; raises LabError when one does not."""
        for name, load in self.by_name.items():
            try:
                load.wait_for_each_thread(WRITES_AGAIN[name])
            except LabError as error:
                raise LabError(f"the {name} client did not recover: {error}") from error

    @contextmanager
    def failover(self, slots: Iterable[int]) -> Iterator[None]:
        """In this block the primary of these slots is lost, and another takes over."""
        began = time.time()
        yield
        self.failovers.append(Failover(frozenset(slots), began, time.time()))

    def collect_figures(self) -> None:
        """Fills `figures`; Redis's own losses are apart from all others."""
        for name, load in self.by_name.items():
            by_redis = sum(any(f.explains(*one) for f in self.failovers) for one in load.lost)
            self.figures[name] = {
                **{what: load.figures[what] for what in REPORTED},
                "longest_gap_seconds": longest_gap(load.gaps, self.since),
                "lost_acknowledged": len(load.lost) - by_redis,
                "lost_on_failover": by_redis,
            }


def longest_gap(gaps: Iterable[tuple[float, float]], since: float) -> float:
    """The longest of the gaps (start, seconds) in seconds, counting of each only what lies after `since`."""
    return round(max((min(s, at + s - since) for at, s in gaps if at + s > since), default=0.0), 3)


@contextmanager
def side_by_side(world: World, name: str, *, direct_fresh: bool = False) -> Iterator[Loads]:
    """The clients write from before the block until after it.

    `pooled` keeps its connections, `fresh` is a new client for each write; both go through the HAProxies. `direct` is
    pooled and reaches the nodes themselves. With `direct_fresh` a fresh client does so, too. Raises LabError.
    """
    options: dict[str, tuple[str, ...]] = {"pooled": POOLED, "fresh": FRESH, "direct": POOLED}
    if direct_fresh:
        options["direct_fresh"] = FRESH
    with enter_together(
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
        loads.wait_until_recovered()
    loads.collect_figures()


@contextmanager
def enter_together(
    contexts: Mapping[str, AbstractContextManager[Load]],
) -> Iterator[dict[str, Load]]:
    """Enters all of these clients at the same time, and leaves them at the same time; raises the first error."""
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
