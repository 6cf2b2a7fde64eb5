"""A run that sees a HAProxy starting looks again: ECS tells when a task runs, but not when its check passes."""

import pytest

from nodeway_runtime.functions.resync import run_until_settled
from nodeway_runtime.planner.reconcile import DRY_RUN, Outcome, reconcile
from tests.support.fakes import NOW, ONE, MemoryJournal, fleet, proxy, settings, topology, world


@pytest.mark.parametrize(
    ("seconds", "pauses", "settled"),
    [(40, 2, True), (4, 2, True), (2, 1, False)],
    ids=["in time", "in the last moment", "too late: the next trigger is not held back"],
)
def test_settled_looks_again_until_no_proxy_is_starting(
    seconds: float, pauses: int, *, settled: bool
) -> None:
    """The record follows within seconds of the first passed check, not a minute later."""
    here = world(topology(ONE), fleet(proxy(ONE, "10.20.1.5", healthy=False, starting=True)))
    paused = list[int]()

    def run() -> Outcome:
        return reconcile(here.ports, settings(), MemoryJournal(), DRY_RUN, NOW)

    def pause() -> None:
        paused.append(1)
        if len(paused) == 2:
            here.ecs.answer = fleet(proxy(ONE, "10.20.1.5"))

    outcome = run_until_settled(run, seconds_left=lambda: seconds - 2 * len(paused), pause=pause)

    assert (outcome.is_settled, len(paused)) == (settled, pauses)
