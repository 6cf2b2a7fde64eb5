"""Runs of the resync by the command, with the function that the Lambda calls: dry runs, and runs that apply a plan.

Only the reviewed plan is applied: a different one is refused as a whole.
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
    """What a person allows in addition to the deployed settings."""

    approve: str = ""
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """The run on one cluster: what it deployment and applied, or its error."""

    cluster: str
    settings: Settings | None = None
    outcome: Outcome | None = None
    applied: bool = False
    error: str = ""

    @property
    def checksum(self) -> str:
        """The checksum of the plan; empty if the run failed."""
        return self.outcome.plan.checksum if self.outcome else ""

    @property
    def has_changes(self) -> bool:
        """Whether the plan has changes or steps."""
        plan = self.outcome.plan if self.outcome else Plan()
        return bool(plan.changes or plan.stand_ins.steps)


class Silent:
    """A journal that writes nothing: a command prints its run itself."""

    def write(self, outcome: Outcome) -> None:
        """Writes nothing."""


def review_cluster(account: Account, cluster: str, allowed: Allowed, now: datetime) -> Review:
    """Returns a dry run. An error is part of the review, so that other clusters are still reviewed."""
    settings: Settings | None = None
    try:
        deployment = read_deployment(account, cluster, allowed)
        settings = deployment.settings
        outcome = reconcile(deployment.ports, deployment.settings, Silent(), DRY_RUN, now)
    except (CommandError, ResyncError) as error:
        return Review(cluster, settings, error=str(error))
    return Review(cluster, settings, outcome)


def apply_review(account: Account, reviewed: Review, allowed: Allowed, now: datetime) -> Review:
    """Applies the reviewed plan, if it is still the current one."""
    if reviewed.outcome is None:
        return reviewed
    try:
        deployment = read_deployment(account, reviewed.cluster, allowed)
        applying = applying_executor(
            deployment.ports, deployment.settings, f"nodeway apply {reviewed.checksum}", now
        )
        executor = only_this_plan(reviewed.outcome.plan, applying)
        outcome = reconcile(deployment.ports, deployment.settings, Silent(), executor, now)
    except (CommandError, ResyncError) as error:
        return replace(reviewed, error=str(error))
    return replace(reviewed, outcome=outcome, applied=True)


def only_this_plan(reviewed: Plan, applying: Executor) -> Executor:
    """Returns an executor that applies this plan, and raises CommandError for any other."""

    def apply(plan: Plan) -> tuple[AppliedBatch, ...]:
        if plan.checksum != reviewed.checksum:
            msg = "the plan changed before it was applied; nothing was done: plan again"
            raise CommandError(msg)
        return applying.apply(plan)

    return replace(applying, apply=apply)


def read_deployment(account: Account, cluster: str, allowed: Allowed) -> Deployment:
    """Returns the deployment with what the person allows; raises CommandError."""
    deployment = account.deployment(cluster)
    settings = replace(
        deployment.settings,
        approve=allowed.approve or deployment.settings.approve,
        take_over=allowed.take_over or deployment.settings.take_over,
    )
    return replace(deployment, settings=settings)
