"""The machine: the real program runs, breaks off, races itself, in any order with all that can happen to the world."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.property.machine import events
from tests.property.machine.convergence import approval, converges
from tests.property.machine.invariants import check
from tests.property.machine.rules import STATS, EventRules, numbers, seconds
from tests.property.machine.world import World
from tests.support.fake_aws.calls import Fault

calls = st.integers(1, 16)


class Machine(EventRules):
    """Any order of everything that can happen, over the real program."""

    @initialize(
        nodes=st.integers(1, 6),
        deployed=st.booleans(),
        at_last=st.booleans(),
        stand_ins=st.sampled_from([3, 9]),
    )
    def begins(self, *, nodes: int, deployed: bool, at_last: bool, stand_ins: int) -> None:
        """A cluster that serves, with HAProxies for all of its nodes or for none."""
        self.world.settings = replace(self.world.settings, max_stand_ins=stand_ins)
        for number in range(nodes):
            events.node_is_added(self.world, number)
            events.node_is_available(self.world, 0)
        if deployed:
            events.is_deployed(self.world, 1)
        self.world.run()
        events.time_passes(self.world, 20)
        self.world.run()
        self.deploys_at_last = at_last

    @rule(wait=seconds, warm=st.booleans())
    def runs(self, wait: int, *, warm: bool) -> None:
        """The schedule, or an event at an odd time."""
        self.one_run("run", wait, warm=warm)

    @rule(times=st.integers(2, 4))
    def burst(self, times: int) -> None:
        """Duplicates of an event: runs without any time between them."""
        STATS["step: burst"] += 1
        for _ in range(times):
            self.one_run("", 0, warm=True)
            check(self.world)

    @rule(count=st.integers(2, 5))
    def schedule(self, count: int) -> None:
        """The schedule for some minutes, while nothing else events."""
        STATS["step: schedule"] += 1
        for _ in range(count):
            self.one_run("", 20)
            check(self.world)

    @rule(
        at=calls,
        fault=st.sampled_from(sorted(Fault, reverse=True)),
        wait=seconds,
        again=st.booleans(),
    )
    def run_with_fault(self, at: int, fault: Fault, wait: int, *, again: bool) -> None:
        """A call fails, or the process ends before or after it; perhaps a retry follows at once."""
        self.world.calls.armed[at] = fault
        self.one_run("run with a fault", wait)
        if again:
            self.one_run("", 0)

    @rule(at=calls, number=numbers, what=st.sampled_from(events.BETWEEN_CALLS), wait=seconds)
    def run_interrupted(
        self, at: int, number: int, what: Callable[[World, int], None], wait: int
    ) -> None:
        """The world changes between two calls."""
        self.world.calls.armed[at] = self.world.between(lambda: what(self.world, number))
        self.one_run("run while the world changes", wait)

    @rule(at=calls, wait=seconds, passes=seconds, fault_at=st.none() | calls)
    def two_runs(self, at: int, wait: int, passes: int, fault_at: int | None) -> None:
        """Another run begins and ends between two calls of the first; either may break."""
        if passes > wait:  # a minute's end, and something to start and to change
            events.time_passes(self.world, int(55 - self.world.clock.timestamp() - wait) % 60)
            events.scales_out(self.world, passes + at)
            events.task_dies(self.world, at)

        def other() -> None:
            events.time_passes(self.world, passes // 4)
            self.world.run()
            events.time_passes(self.world, passes - passes // 4)

        self.world.calls.armed[at] = self.world.between(other)
        if fault_at is not None and fault_at != at:
            self.world.calls.armed[fault_at] = Fault.CRASH
        self.one_run("two runs at once", wait)

    @rule(wait=seconds)
    def observe(self, wait: int) -> None:
        """A run that may only look changes nothing anywhere."""
        STATS["step: run that only looks"] += 1
        events.time_passes(self.world, wait)
        before = len(self.world.calls.writes)
        self.world.run(observe=True)
        assert self.world.calls.writes[before:] == []

    @rule(wait=seconds)
    def approve(self, wait: int) -> None:
        """A person lets the plan through that was last refused; it may be another one by now."""
        checksum = approval(self.world.last) if self.world.last is not None else ""
        self.world.settings = replace(self.world.settings, approve=checksum)
        self.one_run("run that a person approved", wait)
        self.world.settings = replace(self.world.settings, approve="")

    @invariant()
    def promises_hold(self) -> None:
        """After every step."""
        self.holds = False
        check(self.world)
        self.holds = True

    def teardown(self) -> None:
        """The faults stop: now all must become well by itself."""
        if self.holds:
            converges(self.world, deployed=self.deploys_at_last)
