"""The program: one run, stage by stage. Lambda, command line and lab call this function and only this.

read -> desired -> diff -> guard -> apply -> stand-ins -> journal
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from nodeway_runtime.model.ports import Ports, read
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Observation
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.planner import guard
from nodeway_runtime.planner.apply import Applied, apply
from nodeway_runtime.planner.desired import Desired, desired_records
from nodeway_runtime.planner.guard import Observed, Refusal
from nodeway_runtime.planner.plan import Plan, diff
from nodeway_runtime.planner.stand_ins import StandInPlan, plan_stand_ins


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run saw, wanted and did."""

    observation: Observation
    desired: Desired
    plan: Plan
    refusals: tuple[Refusal, ...]
    applied: tuple[Applied, ...]
    stand_ins: StandInPlan = field(default_factory=StandInPlan)

    @property
    def nodes_without_proxy(self) -> tuple[Hostname, ...]:
        """Live nodes for which no HAProxy is healthy."""
        return self.desired.nodes_without_proxy

    @property
    def nodes_without_own_proxy(self) -> tuple[Hostname, ...]:
        """Live nodes for which no HAProxy of their own service is healthy, stand-in or not."""
        live = {n.hostname for n in self.observation.topology.live if n.hostname is not None}
        own = {p.node for p in self.observation.fleet.proxies if p.healthy and not p.stand_in}
        return tuple(sorted(live - own))

    @property
    def converged(self) -> bool:
        """Whether everything was read, every live node has a healthy HAProxy, and nothing is left to change."""
        whole = bool(self.observation.topology.live) and not self.observation.problems
        return (
            whole and not self.nodes_without_proxy and not self.plan.changes and not self.refusals
        )

    @property
    def settled(self) -> bool:
        """Whether no HAProxy is about to become healthy: ECS tells when a task runs, but not when its
        health check passes.
        """
        return not any(proxy.starting for proxy in self.observation.fleet.proxies)

    @property
    def waiting_for(self) -> str:
        """What keeps the run from having converged, for a person."""
        parts = [*self.observation.problems]
        if not self.observation.topology.live:
            parts.append("no node has an endpoint")
        if self.nodes_without_proxy:
            parts.append(f"no healthy proxy for {', '.join(self.nodes_without_proxy)}")
        parts += [f"{r.rule}: {r.reason}" for r in self.refusals]
        if self.plan.changes:
            parts.append(f"{len(self.plan.changes)} changes were just made or are left to make")
        return "; ".join(parts) or "nothing"


class Journal(Protocol):
    """Where a run is told."""

    def write(self, outcome: Outcome) -> None:
        """Tells a finished run, changes or not."""
        ...


@dataclass(frozen=True, slots=True)
class Executor:
    """What becomes of a plan: it is carried out, or it is only the result."""

    apply: Callable[[Plan], tuple[Applied, ...]]
    tend: Callable[[StandInPlan], None]


def sync(
    ports: Ports, settings: Settings, journal: Journal, executor: Executor, now: datetime
) -> Outcome:
    """One run at a time `now` (aware).

    Raises ReadFailed without the zone, Conflict or ApplyFailed when a write is refused.
    """
    seen = read(ports, settings)
    desired = desired_records(seen.topology, seen.fleet, seen.soa, settings)
    plan = diff(seen.records, desired, seen.topology, owner=settings.owner, now=now)
    verdict = guard.check(plan, Observed.of(seen, settings))
    applied = executor.apply(verdict.plan)
    stand_ins = plan_stand_ins(seen, settings, now)
    outcome = Outcome(seen, desired, verdict.plan, verdict.refusals, applied, stand_ins)
    try:
        executor.tend(stand_ins)
    finally:
        # the records are changed by now, whatever becomes of the stand-ins
        journal.write(outcome)
    return outcome


def apply_to(ports: Ports, settings: Settings, comment: str, now: datetime) -> Executor:
    """An executor that changes the zone and the stand-ins."""

    def tend(plan: StandInPlan) -> None:
        # the backend's name must be there before a HAProxy asks for it
        ports.parking.park(plan.parking)
        # a start that fails must not keep others from leaving
        for step in sorted(plan.steps, key=lambda step: isinstance(step, Start)):
            match step:
                case Start():
                    ports.ecs.start(step, settings)
                case Retire():
                    ports.ecs.retire(step, now)
                case Stop():
                    ports.ecs.stop(step, settings.ecs_cluster)

    return Executor(lambda plan: apply(plan, ports.zone, comment), tend)


SHOW_ONLY = Executor(lambda _: (), lambda _: None)
"""An executor that changes nothing."""
