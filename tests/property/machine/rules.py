"""What can happen to a cluster, its HAProxies, its zone and AWS itself, as rules that Hypothesis puts in any order."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.property.machine import events, foreign
from tests.property.machine.invariants import check
from tests.property.machine.world import World
from tests.support.fake_aws.elasticache import View

STATS: Counter[str] = Counter()
"""Of all machines of this process."""

numbers = st.integers(0, 99)
seconds = st.sampled_from([1, 3, 7, 12, 20, 40, 61])


Event = Callable[[World, int], None]


def event_rule(
    name: str, happening: Event, values: st.SearchStrategy[int] = numbers
) -> Callable[["EventRules", int], None]:
    """A rule that is one event; Hypothesis prints it by the name that the step is counted with."""

    def one_event(self: "EventRules", number: int) -> None:
        self.step(name, number, happening)

    one_event.__name__ = name.replace(" ", "_")
    return rule(number=values)(one_event)


class EventRules(RuleBasedStateMachine):
    """The rules about the world; those about the program are machine.py's."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(stats=STATS)
        self.deploys_at_last = True
        self.holds = False

    def step(self, name: str, number: int, happening: Event) -> None:
        """One step that is not a run."""
        STATS[f"step: {name}"] += 1
        happening(self.world, number)

    add_node = event_rule("add node", events.node_is_added)
    scale_in = event_rule("scale in", events.scales_in)
    node_available = event_rule("node available", events.node_is_available)
    all_are_available = event_rule("all are available", events.all_are_available)
    hide_node = event_rule("hide node", events.node_is_hidden)
    replace_node = event_rule("replace node", events.node_is_replaced)
    rename_node = event_rule("rename node", events.node_is_renamed)
    fail_over = event_rule("fail over", events.fails_over)
    wait = event_rule("wait", events.time_passes, seconds)
    ecs_is_odd = event_rule("ecs is odd", events.ecs_is_unsure)
    foreign_create = event_rule("foreign create", foreign.somebody_writes)
    delete_by_hand = event_rule("delete by hand", foreign.our_record_is_deleted)
    pin = event_rule("pin", events.name_is_pinned)

    @rule(number=numbers, count=st.integers(1, 4))
    def scale_out(self, number: int, count: int) -> None:
        """Whole: some nodes are added, and are available."""
        self.step("scale out", number, events.scales_out)
        for more in range(1, count):
            events.scales_out(self.world, number + more)

    @rule(number=numbers, hidden=st.booleans())
    def node_blinks(self, number: int, *, hidden: bool) -> None:
        """A member is away for one read, and comes back, perhaps without its endpoint."""
        label = events.label_of(self.world, number)
        if label is not None:
            was = self.world.elasticache.members.pop(label)
            self.one_run("node blinks", 20)
            check(self.world)
            status = "modifying" if hidden else "available"
            now = self.world.clock.timestamp()
            self.world.elasticache.put(replace(was, status=status, shown=not hidden, since=now))

    @rule(number=numbers, at_once=st.booleans())
    def remove_node(self, number: int, *, at_once: bool) -> None:
        """A scale-in."""
        gone = events.node_is_gone if at_once else events.node_leaves
        self.step("remove node", number, gone)

    @rule(number=numbers, whole=st.booleans())
    def deploy(self, number: int, *, whole: bool) -> None:
        """Services for what is known now, or was."""
        self.step("deploy", number, events.is_deployed if whole else events.old_deploy)

    @rule(number=numbers, how=st.sampled_from(["dies", "hangs", "is replaced", "hangs, as all do"]))
    def hurt_task(self, number: int, how: str) -> None:
        """A HAProxy fails or moves."""
        what = {
            "dies": events.task_dies,
            "hangs": events.task_hangs,
            "is replaced": events.task_is_replaced,
            "hangs, as all do": events.all_tasks_hang,
        }
        self.step(f"task {how}", number, what[how])

    @rule(number=numbers, view=st.sampled_from(sorted(set(View) - {View.TRUE})))
    def aws_is_odd(self, number: int, view: View) -> None:
        """ElastiCache throttles, fails, truncates, is empty, or forgets half for one answer."""
        STATS[f"step: ElastiCache {view}"] += 1
        if view is not View.LIE or self.world.lies == 0:
            events.aws_tells(self.world, number, view)

    @rule(number=numbers, goes=st.booleans())
    def foreign_change(self, number: int, *, goes: bool) -> None:
        """And changes or deletes what is theirs."""
        what = foreign.somebody_cleans_up if goes else foreign.somebody_changes
        self.step("foreign change", number, what)

    def one_run(self, name: str, wait: int, *, warm: bool = False) -> None:
        """Time goes by, and then there is a run; without a name it is part of a step that counts already."""
        STATS[f"step: {name}"] += bool(name)
        events.time_passes(self.world, wait)
        self.world.run(warm=warm)
        self.world.calls.armed.clear()
        self.world.ecs.unsure = False
        self.world.lies = 1 if self.world.elasticache.view is View.LIE else 0
        self.world.views_left -= 1
        if self.world.views_left <= 0:
            self.world.elasticache.view = View.TRUE
