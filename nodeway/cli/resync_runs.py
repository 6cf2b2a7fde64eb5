"""Runs of the resync from a laptop: the very function that the Lambda calls, to look, or to do what was reviewed.

A plan that is not the reviewed one is never carried out, not even in part.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from nodeway.cli.account import Account, Deployment
from nodeway.errors import CommandError
from nodeway_runtime.model.errors import ResyncError
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.planner.apply import AppliedBatch
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import (
    DRY_RUN,
    Executor,
    Outcome,
    applying_executor,
    reconcile,
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person lets through beyond what is deployed."""

    approve: str = ""
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What a run on one cluster found and did; `error` when it could not."""

    cluster: str
    settings: Settings | None = None
    outcome: Outcome | None = None
    applied: bool = False
    error: str = ""

    @property
    def checksum(self) -> str:
        """Names what would be done; empty when nothing was found out."""
        return self.outcome.plan.checksum if self.outcome else ""

    @property
    def something_to_do(self) -> bool:
        """Whether carrying it out would change anything."""
        plan = self.outcome.plan if self.outcome else Plan()
        return bool(plan.changes or plan.stand_ins.steps)


class Silent:
    """A journal for a command: what it has to tell, it prints."""

    def write(self, outcome: Outcome) -> None:
        """Tells nothing."""


def review(account: Account, cluster: str, allowed: Allowed, now: datetime) -> Review:
    """Looks, and changes nothing. What goes wrong is part of the answer: other clusters go on."""
    settings: Settings | None = None
    try:
        found = deployed(account, cluster, allowed)
        settings = found.settings
        outcome = reconcile(found.ports, found.settings, Silent(), DRY_RUN, now)
    except (CommandError, ResyncError) as error:
        return Review(cluster, settings, error=str(error))
    return Review(cluster, settings, outcome)


def carry_out(account: Account, reviewed: Review, allowed: Allowed, now: datetime) -> Review:
    """Does what was reviewed, if that is still the plan."""
    if reviewed.outcome is None:
        return reviewed
    try:
        found = deployed(account, reviewed.cluster, allowed)
        applying = applying_executor(
            found.ports, found.settings, f"nodeway apply {reviewed.checksum}", now
        )
        executor = only(reviewed.outcome.plan, applying)
        outcome = reconcile(found.ports, found.settings, Silent(), executor, now)
    except (CommandError, ResyncError) as error:
        return replace(reviewed, error=str(error))
    return replace(reviewed, outcome=outcome, applied=True)


def only(reviewed: Plan, applying: Executor) -> Executor:
    """An executor that carries out this plan and raises CommandError for any other."""

    def apply(plan: Plan) -> tuple[AppliedBatch, ...]:
        if plan.checksum != reviewed.checksum:
            msg = "the plan changed while it was about to be applied; nothing was done: plan again"
            raise CommandError(msg)
        return applying.apply(plan)

    return replace(applying, apply=apply)


def deployed(account: Account, cluster: str, allowed: Allowed) -> Deployment:
    """What is deployed, with what the person lets through; raises CommandError."""
    found = account.deployment(cluster)
    settings = replace(
        found.settings,
        approve=allowed.approve or found.settings.approve,
        take_over=allowed.take_over or found.settings.take_over,
    )
    return replace(found, settings=settings)
