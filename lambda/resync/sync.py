"""The program: one run, stage by stage. Lambda, command line and lab call this function and only this.

read -> desired -> diff -> guard -> apply -> journal
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from resync import guard
from resync.apply import Applied, apply
from resync.desired import Desired, desired_records
from resync.guard import Observed, Refusal
from resync.plan import Plan, diff
from resync.settings import Settings
from resync.source import Observation, Ports, read
from resync.topology import Hostname


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run saw, wanted and did."""

    observation: Observation
    desired: Desired
    plan: Plan
    refusals: tuple[Refusal, ...]
    applied: tuple[Applied, ...]

    @property
    def nodes_without_proxy(self) -> tuple[Hostname, ...]:
        """Live nodes for which no HAProxy is healthy."""
        return self.desired.nodes_without_proxy

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
            parts.append(f"no healthy HAProxy for {', '.join(self.nodes_without_proxy)}")
        parts += [f"{r.rule}: {r.reason}" for r in self.refusals]
        if self.plan.changes:
            parts.append(f"{len(self.plan.changes)} changes were just made or are left to make")
        return "; ".join(parts) or "nothing"


class Journal(Protocol):
    """Where a run is told."""

    def write(self, outcome: Outcome) -> None:
        """Tells a finished run, changes or not."""
        ...


Execute = Callable[[Plan], tuple[Applied, ...]]


def sync(ports: Ports, settings: Settings, journal: Journal, execute: Execute) -> Outcome:
    """One run. Raises ReadFailed without the zone, Conflict or ApplyFailed when a write is refused."""
    seen = read(ports, settings)
    desired = desired_records(seen.topology, seen.fleet, seen.soa, settings)
    plan = diff(seen.records, desired)
    verdict = guard.check(plan, Observed(seen.topology, seen.fleet))
    applied = execute(verdict.plan)
    outcome = Outcome(seen, desired, verdict.plan, verdict.refusals, applied)
    journal.write(outcome)
    return outcome


def apply_to(ports: Ports, comment: str) -> Execute:
    """An executor that changes the zone."""
    return lambda plan: apply(plan, ports.zone, comment)


def show_only(_: Plan) -> tuple[Applied, ...]:
    """An executor that changes nothing: the plan is the result."""
    return ()
