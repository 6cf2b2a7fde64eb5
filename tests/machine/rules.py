"""The machine: what can happen to a cluster, its HAProxies, its zone and the program, in any order."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.machine import happenings as happens
from tests.machine.convergence import approval, converges
from tests.machine.promises import check
from tests.machine.world import World
from tests.twins.calls import Fault
from tests.twins.elasticache import View

STATS: Counter[str] = Counter()
"""Of all machines of this process."""

numbers = st.integers(0, 99)
seconds = st.sampled_from([1, 3, 7, 12, 20, 40, 61])
calls = st.integers(1, 16)


class Machine(RuleBasedStateMachine):
    """Any order of everything that can happen, over the real program."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(stats=STATS)
        self.deploys_at_last = True
        self.holds = False

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
            happens.node_is_added(self.world, number)
            happens.node_is_available(self.world, 0)
        if deployed:
            happens.is_deployed(self.world, 1)
        self.world.run()
        happens.time_passes(self.world, 20)
        self.world.run()
        self.deploys_at_last = at_last

    def step(self, name: str, number: int, happening: Callable[[World, int], None]) -> None:
        """One step that is not a run."""
        STATS[f"step: {name}"] += 1
        happening(self.world, number)

    @rule(number=numbers)
    def add_node(self, number: int) -> None:
        """A scale-out begins."""
        self.step("add node", number, happens.node_is_added)

    @rule(number=numbers, count=st.integers(1, 4))
    def scale_out(self, number: int, count: int) -> None:
        """Whole: some nodes are added, and are available."""
        self.step("scale out", number, happens.scales_out)
        for more in range(1, count):
            happens.scales_out(self.world, number + more)

    @rule(number=numbers)
    def scale_in(self, number: int) -> None:
        """Half of the nodes go at once."""
        self.step("scale in", number, happens.scales_in)

    @rule(number=numbers)
    def node_available(self, number: int) -> None:
        """And ends."""
        self.step("node available", number, happens.node_is_available)

    @rule(number=numbers)
    def all_are_available(self, number: int) -> None:
        """Whatever was under way is done."""
        self.step("all nodes available", number, happens.all_are_available)

    @rule(number=numbers)
    def hide_node(self, number: int) -> None:
        """A modification."""
        self.step("hide node", number, happens.node_is_hidden)

    @rule(number=numbers, hidden=st.booleans())
    def node_blinks(self, number: int, *, hidden: bool) -> None:
        """A member is away for one read, and comes back, perhaps without its endpoint."""
        label = happens.label_of(self.world, number)
        if label is not None:
            was = self.world.elasticache.members.pop(label)
            self.one_run("node blinks", 20)
            check(self.world)
            status = "modifying" if hidden else "available"
            self.world.elasticache.put(replace(was, status=status, shown=not hidden))

    @rule(number=numbers, at_once=st.booleans())
    def remove_node(self, number: int, *, at_once: bool) -> None:
        """A scale-in."""
        gone = happens.node_is_gone if at_once else happens.node_leaves
        self.step("remove node", number, gone)

    @rule(number=numbers)
    def replace_node(self, number: int) -> None:
        """A node is replaced in another zone."""
        self.step("replace node", number, happens.node_is_replaced)

    @rule(number=numbers)
    def rename_node(self, number: int) -> None:
        """The pattern of names breaks."""
        self.step("rename node", number, happens.node_is_renamed)

    @rule(number=numbers)
    def fail_over(self, number: int) -> None:
        """Answers come in another order."""
        self.step("fail over", number, happens.fails_over)

    @rule(number=numbers, whole=st.booleans())
    def deploy(self, number: int, *, whole: bool) -> None:
        """Services for what is known now, or was."""
        self.step("deploy", number, happens.is_deployed if whole else happens.old_deploy)

    @rule(number=numbers, how=st.sampled_from(["dies", "hangs", "is replaced"]))
    def hurt_task(self, number: int, how: str) -> None:
        """A HAProxy fails or moves."""
        what = {
            "dies": happens.task_dies,
            "hangs": happens.task_hangs,
            "is replaced": happens.task_is_replaced,
        }
        self.step(f"task {how}", number, what[how])

    @rule(number=seconds)
    def wait(self, number: int) -> None:
        """Time goes by."""
        self.step("time passes", number, happens.time_passes)

    @rule(number=numbers, view=st.sampled_from(sorted(set(View) - {View.TRUE})))
    def aws_is_odd(self, number: int, view: View) -> None:
        """ElastiCache throttles, fails, truncates, is empty, or forgets half for one answer."""
        STATS[f"step: ElastiCache {view}"] += 1
        if view is not View.LIE or self.world.lies == 0:
            happens.aws_tells(self.world, number, view)

    @rule(number=numbers)
    def ecs_is_odd(self, number: int) -> None:
        """DescribeTasks has no word about one of the tasks."""
        self.step("ECS is unsure", number, happens.ecs_is_unsure)

    @rule(number=numbers)
    def foreign_create(self, number: int) -> None:
        """Somebody else writes in the zone."""
        self.step("foreign create", number, happens.somebody_writes)

    @rule(number=numbers, goes=st.booleans())
    def foreign_change(self, number: int, *, goes: bool) -> None:
        """And changes or deletes what is theirs."""
        what = happens.somebody_cleans_up if goes else happens.somebody_changes
        self.step("foreign change", number, what)

    @rule(number=numbers)
    def delete_by_hand(self, number: int) -> None:
        """Somebody deletes what is ours."""
        self.step("our record deleted by hand", number, happens.our_record_is_deleted)

    @rule(number=numbers)
    def pin(self, number: int) -> None:
        """A person overrides a name."""
        self.step("pin", number, happens.name_is_pinned)

    @rule(wait=seconds, warm=st.booleans())
    def runs(self, wait: int, *, warm: bool) -> None:
        """The schedule, or an event at an odd time."""
        self.one_run("run", wait, warm=warm)

    @rule(times=st.integers(2, 4))
    def burst(self, times: int) -> None:
        """Duplicates of an event: runs without any time between them."""
        for _ in range(times):
            self.one_run("run of a burst", 0, warm=True)
            check(self.world)

    @rule(count=st.integers(2, 5))
    def schedule(self, count: int) -> None:
        """The schedule for some minutes, while nothing else happens."""
        for _ in range(count):
            self.one_run("scheduled run", 20)
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
            self.one_run("run again at once", 0)

    @rule(at=calls, number=numbers, what=st.sampled_from(happens.BETWEEN_CALLS), wait=seconds)
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
            happens.time_passes(self.world, int(55 - self.world.clock.timestamp() - wait) % 60)
            happens.scales_out(self.world, passes + at)
            happens.task_dies(self.world, at)

        def other() -> None:
            happens.time_passes(self.world, passes // 4)
            self.world.run()
            happens.time_passes(self.world, passes - passes // 4)

        self.world.calls.armed[at] = self.world.between(other)
        if fault_at is not None and fault_at != at:
            self.world.calls.armed[fault_at] = Fault.CRASH
        self.one_run("two runs at once", wait)

    @rule(wait=seconds)
    def observe(self, wait: int) -> None:
        """A run that may only look changes nothing anywhere."""
        STATS["step: run that only looks"] += 1
        happens.time_passes(self.world, wait)
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

    def one_run(self, name: str, wait: int, *, warm: bool = False) -> None:
        """Time goes by, and then there is a run."""
        STATS[f"step: {name}"] += 1
        happens.time_passes(self.world, wait)
        self.world.run(warm=warm)
        self.world.calls.armed.clear()
        self.world.ecs.unsure = False
        self.world.lies = 1 if self.world.elasticache.view is View.LIE else 0
        self.world.views_left -= 1
        if self.world.views_left <= 0:
            self.world.elasticache.view = View.TRUE

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
