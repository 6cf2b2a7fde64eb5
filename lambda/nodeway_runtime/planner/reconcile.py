"""One run of the resync, step by step. Lambda, command line and lab call `reconcile`.

read -> desired -> plan -> guard -> apply -> stand-ins -> journal
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import Fleet, Hostname, Topology
from nodeway_runtime.planner import guard
from nodeway_runtime.planner.apply import AppliedBatch, apply
from nodeway_runtime.planner.desired import Desired, compute_desired
from nodeway_runtime.planner.guard import Evidence, Refusal
from nodeway_runtime.planner.plan import Plan, diff
from nodeway_runtime.planner.stand_ins import plan_stand_ins


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run read, wanted and did. `plan`: what the guard allows of it."""

    snapshot: Snapshot
    desired: Desired
    plan: Plan
    refusals: tuple[Refusal, ...]
    applied: tuple[AppliedBatch, ...]

    @property
    def nodes_without_proxy(self) -> tuple[Hostname, ...]:
        """Reachable nodes without a healthy HAProxy."""
        return self.desired.nodes_without_proxy

    @property
    def nodes_without_own_proxy(self) -> tuple[Hostname, ...]:
        """Reachable nodes without a healthy HAProxy of their own service, with or without a stand-in."""
        reachable = {n.hostname for n in self.snapshot.topology.reachable if n.hostname is not None}
        own = {p.node for p in self.snapshot.fleet.proxies if p.healthy and not p.stand_in}
        return tuple(sorted(reachable - own))

    @property
    def converged(self) -> bool:
        """Whether everything was read, every node has a healthy HAProxy, and no record is left to change."""
        complete = bool(self.snapshot.topology.reachable) and not self.snapshot.problems
        open_work = self.nodes_without_proxy or self.plan.changes or self.refusals
        return complete and not open_work

    @property
    def is_settled(self) -> bool:
        """Whether no HAProxy waits for its first health check.

        ECS sends an event when a task runs, but none when its health check passes.
        """
        return not any(proxy.starting for proxy in self.snapshot.fleet.proxies)

    @property
    def waiting_for(self) -> str:
        """What keeps the run from having converged, for a person."""
        parts = [*self.snapshot.problems]
        if not self.snapshot.topology.reachable:
            parts.append("no node has an endpoint")
        if self.nodes_without_proxy:
            parts.append(f"no healthy proxy for {', '.join(self.nodes_without_proxy)}")
        parts += [f"{r.rule}: {r.reason}" for r in self.refusals]
        if self.plan.changes:
            parts.append(f"{len(self.plan.changes)} changes were just made or are left to make")
        return "; ".join(parts) or "nothing"


class Journal(Protocol):
    """Records the outcome of runs."""

    def write(self, outcome: Outcome) -> None:
        """Records a finished run, with or without changes."""
        ...


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries out a plan: `apply` its record changes, then `manage_stand_ins` its steps."""

    apply: Callable[[Plan], tuple[AppliedBatch, ...]]
    manage_stand_ins: Callable[[Plan], None]


DRY_RUN = Executor(lambda _: (), lambda _: None)
"""An executor that changes nothing."""


def applying_executor(ports: Ports, settings: Settings, comment: str, now: datetime) -> Executor:
    """An executor that changes the zone, with this comment, and the stand-ins."""

    def manage_stand_ins(plan: Plan) -> None:
        # A HAProxy resolves its backend's name when it starts.
        ports.stand_in_zone.write(plan.stand_ins.zone_records)
        # A failed start leaves no later step undone.
        for step in sorted(plan.stand_ins.steps, key=lambda step: isinstance(step, Start)):
            match step:
                case Start():
                    ports.ecs.start(step, settings)
                case Retire():
                    ports.ecs.retire(step, now)
                case Stop():
                    ports.ecs.stop(step, settings.ecs_cluster)

    return Executor(lambda plan: apply(plan, ports.zone, comment), manage_stand_ins)


def reconcile(
    ports: Ports, settings: Settings, journal: Journal, executor: Executor, now: datetime
) -> Outcome:
    """One run at the time `now` (with time zone).

    Raises ReadFailed when the zone cannot be read, Conflict or ApplyFailed when AWS refuses a write.
    """
    snapshot = read_snapshot(ports, settings)
    desired = compute_desired(snapshot.topology, snapshot.fleet, snapshot.soa, settings)
    plan = replace(
        diff(snapshot.records, desired, snapshot.topology, owner=settings.owner, now=now),
        stand_ins=plan_stand_ins(snapshot, settings, now),
    )
    decision = guard.check(plan, Evidence.of(snapshot, settings))
    applied = executor.apply(decision.plan)
    outcome = Outcome(snapshot, desired, decision.plan, decision.refusals, applied)
    try:
        executor.manage_stand_ins(decision.plan)
    finally:
        # The records are changed, whether or not the stand-in steps succeed.
        journal.write(outcome)
    return outcome


def read_snapshot(ports: Ports, settings: Settings) -> Snapshot:
    """Reads all sources. A source that fails becomes a problem of the snapshot.

    Raises ReadFailed when the zone's records cannot be read.
    """
    try:
        topology = ports.elasticache.topology(settings.replication_group_id)
    except ReadFailed as error:
        topology = Topology(nodes=(), problems=(str(error),))
    try:
        fleet = ports.ecs.fleet(settings.ecs_cluster)
    except ReadFailed as error:
        fleet = Fleet(proxies=(), problems=(str(error),))
    records = ports.zone.records()
    zone_vpcs: frozenset[str] = frozenset()
    nodes_with_service: frozenset[Hostname] = frozenset()
    problems: list[str] = []
    try:
        zone_vpcs = ports.zone.vpcs()
        if settings.stand_in is not None and topology.names - fleet.nodes:
            nodes_with_service = ports.ecs.nodes_with_service(settings.ecs_cluster)
    except ReadFailed as error:
        problems.append(str(error))
        nodes_with_service = topology.names
    return Snapshot(topology, fleet, records, zone_vpcs, nodes_with_service, tuple(problems))
