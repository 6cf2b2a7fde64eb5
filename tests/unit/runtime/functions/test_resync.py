"""A run that sees a HAProxy starting looks again: ECS tells when a task runs, but not when its check passes."""

from nodeway_runtime.functions.resync import run_until_settled
from nodeway_runtime.planner.reconcile import DRY_RUN, Outcome, reconcile
from tests.support.fakes import NOW, ONE, MemoryJournal, fleet, proxy, settings, topology, world

STARTING = fleet(proxy(ONE, "10.20.1.5", healthy=False, starting=True))
HEALTHY = fleet(proxy(ONE, "10.20.1.5"))


def test_settled_looks_again_until_no_proxy_is_starting() -> None:
    """The record follows within seconds of the first passed check, not a minute later."""
    here, pauses = world(topology(ONE), STARTING), list[int]()

    def run() -> Outcome:
        return reconcile(here.ports, settings(), MemoryJournal(), DRY_RUN, NOW)

    def pause() -> None:
        pauses.append(1)
        here.ecs.answer = HEALTHY if len(pauses) == 2 else STARTING

    outcome = run_until_settled(run, seconds_left=lambda: 40 - 2 * len(pauses), pause=pause)

    assert outcome.is_settled
    assert len(pauses) == 2


def test_settled_gives_up_when_its_time_is_over() -> None:
    """A HAProxy that never becomes healthy does not hold the next trigger back."""
    here, left = world(topology(ONE), STARTING), [4.0]

    def pause() -> None:
        left[0] -= 2

    outcome = run_until_settled(
        lambda: reconcile(here.ports, settings(), MemoryJournal(), DRY_RUN, NOW),
        seconds_left=lambda: left[0],
        pause=pause,
    )

    assert not outcome.is_settled
    assert left == [0]
