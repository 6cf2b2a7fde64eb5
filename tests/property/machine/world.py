"""A small AWS of fakes, the real adapters and the real `reconcile` over it, and a ledger of all that a promise needs.

What happens in it is chosen by rules.py; what must always hold is in invariants.py.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.aws.stand_in_zone import Route53StandInZone
from nodeway_runtime.model.changes import Create, Delete, Update
from nodeway_runtime.model.errors import ResyncError
from nodeway_runtime.model.ownership import marker_name
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start
from nodeway_runtime.model.topology import Address, Hostname, address
from nodeway_runtime.planner.reconcile import DRY_RUN, Outcome, applying_executor, reconcile
from tests.property.machine.watched import PARKING, SETTINGS, Run, WatchedZone, read
from tests.support.fake_aws.calls import Calls, Clock, Crash, Shape
from tests.support.fake_aws.ecs import FakeEcs
from tests.support.fake_aws.elasticache import FakeElastiCache, Member, View
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone, Key, Sets, change_sets, set_key
from tests.support.fakes import ENDPOINT, ZONE, MemoryJournal

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_route53 import Route53Client


@dataclass(slots=True)
class World:
    """Everything there is."""

    clock: Clock = field(default_factory=Clock)
    calls: Calls = field(default_factory=Calls)
    stats: Counter[str] = field(default_factory=Counter)
    settings: Settings = SETTINGS
    foreign: Sets = field(default_factory=dict)
    """Record sets that are somebody else's, as they must stay."""
    announced: set[str] = field(default_factory=lambda: {ENDPOINT})
    answered: set[str] = field(default_factory=set)
    """Names of members that had an answer, and still must."""
    lives: dict[str, int] = field(default_factory=dict)
    """How often a member came or went by that name."""
    pinned: dict[str, set[str]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    """Those of the present step."""
    unsettled: bool = False
    """Whether something happened between the calls of a run, and no whole run has followed yet."""
    doubled: set[str] = field(default_factory=set)
    """Nodes that have two stand-ins since runs raced."""
    over_limit: int = 0
    """Stand-ins at the last look."""
    views_left: int = 0
    lies: int = 0
    shown: dict[str, float] = field(default_factory=dict)
    """When a name or an id was last shown, or pinned, to a run that could note it."""
    resolved: dict[str, float] = field(default_factory=dict)
    """When an address was last in a record."""
    depth: int = 0
    elasticache: FakeElastiCache = field(init=False)
    ecs: FakeEcs = field(init=False)
    route53: FakeRoute53 = field(init=False)
    errors: list[str] = field(default_factory=list)
    warm: Route53StandInZone | None = None
    last: Outcome | None = None

    def __post_init__(self) -> None:
        self.elasticache = FakeElastiCache(self.calls, self.clock, ENDPOINT, noted=self.shown)
        self.ecs = FakeEcs(self.calls, self.clock)
        zones = {"Z0DEMO": HostedZone(ZONE), "Z0PARK": HostedZone(PARKING)}
        self.route53 = FakeRoute53(self.calls, zones)

    @property
    def zone(self) -> HostedZone:
        """The clients' zone."""
        return self.route53.zones["Z0DEMO"]

    @property
    def members(self) -> list[Member]:
        """The nodes there really are."""
        return list(self.elasticache.members.values())

    def values(self, name: str) -> list[str]:
        """What a plain A record set of the zone answers."""
        one = self.zone.sets.get((f"{name}.", "A", ""), {})
        return [value["Value"] for value in one.get("ResourceRecords", [])]

    def owns(self, name: str) -> bool:
        """Whether our marker is beside a name."""
        one = self.zone.sets.get((f"{marker_name(Hostname(name))}.", "TXT", ""), {})
        told = [value["Value"].strip('"').split(",") for value in one.get("ResourceRecords", [])]
        return any("owner=nodeway" in words for words in told)

    def ours(self) -> dict[str, list[str]]:
        """Our names, and what they answer."""
        names = {at[0].removesuffix(".") for at in self.zone.sets if at[1] == "A"}
        return {name: self.values(name) for name in sorted(names) if self.owns(name)}

    def spoiled(self, name: str) -> bool:
        """Whether somebody else's record keeps us from a name."""
        around = {f"{name}.", f"{marker_name(Hostname(name))}."}
        return any(at[0] in around and at[1] != "AAAA" for at in self.foreign)

    def by_hand(self, *changes: tuple[str, Shape]) -> bool:
        """Somebody changes the zone; whether Route 53 took it."""
        try:
            change_sets(
                self.zone, [{"Action": act, "ResourceRecordSet": deepcopy(s)} for act, s in changes]
            )
        except ClientError:
            return False
        for action, one in changes:
            if action == "DELETE":
                self.foreign.pop(set_key(one), None)
            else:
                self.foreign[set_key(one)] = deepcopy(self.zone.sets[set_key(one)])
        return True

    def foreign_at(self, which: int) -> Key | None:
        """One of the foreign record sets."""
        there = sorted(self.foreign)
        return there[which % len(there)] if there else None

    def ports(self, zone: WatchedZone, *, warm: bool) -> Ports:
        """The real adapters; a warm process keeps what its parking adapter remembers."""
        route53 = cast("Route53Client", self.route53)
        if not warm or self.warm is None:
            self.warm = Route53StandInZone(route53, "Z0PARK")
        return Ports(
            ElastiCache(cast("ElastiCacheClient", self.elasticache)),
            Ecs(cast("ECSClient", self.ecs), clock=self.clock.timestamp),
            zone,
            self.warm,
        )

    def run(self, *, warm: bool = False, observe: bool = False) -> Run:
        """One run of the real program, with whatever is armed in `calls`; it may end in any way but unnoticed."""
        run = Run(
            WatchedZone(cast("Route53Client", self.route53)), self.settings, only_looked=observe
        )
        run.at, run.true = self.clock.timestamp(), self.elasticache.view is View.TRUE
        run.blind = not any(m.shown for m in self.elasticache.visible) or not any(
            task.healthy(run.at) for task in self.ecs.running
        )
        self.note_addresses()
        self.runs.append(run)
        self.depth += 1
        outer, self.calls.began = self.calls.began, run.at
        self.stats["runs"] += 1
        fired, failed = len(self.calls.fired), len(self.calls.failed)
        now, journal = self.clock.now, MemoryJournal()
        ports = self.ports(run.zone, warm=warm)
        doing = DRY_RUN if observe else applying_executor(ports, self.settings, "machine", now)
        try:
            run.outcome = reconcile(ports, self.settings, journal, doing, now)
        except Crash:
            self.warm = None
        except ResyncError as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            self.stats[f"ended in {type(error).__name__}"] += 1
        self.depth -= 1
        self.calls.began = outer
        for fault in self.calls.fired[fired:]:
            self.stats[f"injected: {fault}"] += 1
        run.incomplete = self.told_less() or any(
            read(one) and one[2].get("HostedZoneId") != "Z0PARK"
            for one in self.calls.failed[failed:]
        )
        if run.outcome is not None and not observe:
            self.count(run.outcome)
            self.last = run.outcome
            told = self.elasticache.told if run.outcome.snapshot.topology.reachable else {}
            self.shown |= {name: when for name, when in told.items() if when >= run.at}
            self.shown |= dict.fromkeys(run.settings.pins, self.clock.timestamp())
        whole = run.outcome is not None and not (run.incomplete or run.raced or observe)
        if whole and self.depth == 0:
            self.unsettled = False
        return run

    def note_addresses(self) -> None:
        """Which addresses can be resolved now."""
        for one in self.zone.sets.values():
            for value in one.get("ResourceRecords", ()):
                self.resolved[value["Value"]] = self.clock.timestamp()

    def between(self, others: Callable[[], object]) -> Callable[[], None]:
        """Somebody's turn between two calls of the run that is under way."""
        current = len(self.runs)

        def turn() -> None:
            self.stats["something between two calls"] += 1
            self.unsettled = True
            for run in self.runs[current:]:
                run.raced = True
            others()

        return turn

    def told_less(self) -> bool:
        """Whether AWS shows less than there is, and lets it be known."""
        if self.ecs.unsure and self.ecs.running:
            return True
        there = len(self.elasticache.members)
        match self.elasticache.view:
            case View.THROTTLED | View.NO_GROUP:
                return True
            case View.NO_CLUSTERS:
                return there > 0
            case View.TRUNCATED:
                return there > 1
        return False

    def count(self, outcome: Outcome) -> None:
        """The figures of a finished run."""
        names = {Create: "creates", Update: "updates", Delete: "deletes"}
        for one in outcome.applied:
            self.stats.update(names[type(change)] for change in one.changes)
        self.stats.update(f"refused: {one.rule}" for one in outcome.refusals)
        for step in outcome.plan.stand_ins.steps:
            done = "started" if isinstance(step, Start) else "stopped"
            self.stats[f"stand-ins {'retired' if isinstance(step, Retire) else done}"] += 1
        self.stats["nodes over the stand-in limit"] += len(outcome.plan.stand_ins.over_limit)

    def pin(self, name: Hostname, value: str | None) -> None:
        """A person pins a name, or takes the pin away."""
        pins: dict[Hostname, tuple[Address, ...]] = {
            one: values for one, values in self.settings.pins.items() if one != name
        }
        if value is not None:
            pins[name] = (address(value),)
            self.pinned.setdefault(name, set()).add(value)
            self.announced.add(name)
        self.settings = replace(self.settings, pins=pins)
