"""Runs of the resync from a laptop: the very function that the Lambda calls, to look, or to do what was reviewed.

A plan that is not the reviewed one is never carried out, not even in part.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from nodeway.cli.account import Account, Deployment
from nodeway.errors import CommandError
from nodeway_runtime.model.changes import Change, Update
from nodeway_runtime.model.errors import ResyncError
from nodeway_runtime.model.ownership import marker_of
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import RecordType
from nodeway_runtime.planner.apply import Applied
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import SHOW_ONLY, Executor, Outcome, apply_to, sync
from nodeway_runtime.planner.stand_ins import StandInPlan


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
        return checksum_of(self.outcome) if self.outcome else ""

    @property
    def something_to_do(self) -> bool:
        """Whether carrying it out would change anything."""
        return self.outcome is not None and bool(
            self.outcome.plan.changes or self.outcome.stand_ins.steps
        )


class Silent:
    """A journal for a command: what it has to tell, it prints."""

    def write(self, outcome: Outcome) -> None:
        """Tells nothing."""


def checksum_of(outcome: Outcome) -> str:
    """The plan's own checksum, as the function's log has it; with more to review than records, one over all of it."""
    more = (*lone_markers(outcome.plan), *steps_of(outcome.stand_ins))
    if not more:
        return outcome.plan.checksum
    return hashlib.sha256("\n".join((outcome.plan.checksum, *more)).encode()).hexdigest()[:12]


def worth_a_line(changes: Iterable[Change]) -> list[Change]:
    """The changes without the markers that only go along with their record."""
    every = list(changes)
    records = {one.record.name for one in every if one.record.type is not RecordType.TXT}
    return [
        one for one in every if one.record.type is not RecordType.TXT or one.subject not in records
    ]


def lone_markers(plan: Plan) -> tuple[str, ...]:
    """The markers that change by themselves, as lines: a name becomes ours, or its node is back.

    Not those that count an absent node: they hold the time, and take nothing from anybody.
    """
    return tuple(
        one.summary
        for one in worth_a_line(plan.changes)
        if one.record.type is RecordType.TXT and not counts_absence(one)
    )


def counts_absence(change: Change) -> bool:
    """Whether the change only notes that a node was not there."""
    marker = marker_of(change.record)
    return isinstance(change, Update) and marker is not None and marker.absent_since is not None


def steps_of(stand_ins: StandInPlan) -> tuple[str, ...]:
    """The stand-in steps without their reasons, as lines."""
    return tuple(step.summary for step in stand_ins.steps)


def review(account: Account, cluster: str, allowed: Allowed, now: datetime) -> Review:
    """Looks, and changes nothing. What goes wrong is part of the answer: other clusters go on."""
    settings: Settings | None = None
    try:
        found = deployed(account, cluster, allowed)
        settings = found.settings
        outcome = sync(found.ports, found.settings, Silent(), SHOW_ONLY, now)
    except (CommandError, ResyncError) as error:
        return Review(cluster, settings, error=str(error))
    return Review(cluster, settings, outcome)


def carry_out(account: Account, reviewed: Review, allowed: Allowed, now: datetime) -> Review:
    """Does what was reviewed, if that is still the plan."""
    if reviewed.outcome is None:
        return reviewed
    try:
        found = deployed(account, reviewed.cluster, allowed)
        applying = apply_to(found.ports, found.settings, f"nodeway apply {reviewed.checksum}", now)
        executor = only(reviewed.outcome, applying)
        outcome = sync(found.ports, found.settings, Silent(), executor, now)
    except (CommandError, ResyncError) as error:
        return replace(reviewed, error=str(error))
    return replace(reviewed, outcome=outcome, applied=True)


def only(reviewed: Outcome, applying: Executor) -> Executor:
    """An executor that carries out this plan and raises CommandError for any other."""
    agreed = (reviewed.plan.checksum, lone_markers(reviewed.plan))

    def apply(plan: Plan) -> tuple[Applied, ...]:
        if (plan.checksum, lone_markers(plan)) != agreed:
            msg = "the plan changed while it was about to be applied; nothing was done: plan again"
            raise CommandError(msg)
        return applying.apply(plan)

    def tend(stand_ins: StandInPlan) -> None:
        if steps_of(stand_ins) != steps_of(reviewed.stand_ins):
            msg = "the stand-in steps changed while they were about to be taken, and were not: plan again"
            raise CommandError(msg)
        applying.tend(stand_ins)

    return Executor(apply, tend)


def deployed(account: Account, cluster: str, allowed: Allowed) -> Deployment:
    """What is deployed, with what the person lets through; raises CommandError."""
    found = account.deployment(cluster)
    settings = replace(
        found.settings,
        approve=allowed.approve or found.settings.approve,
        take_over=allowed.take_over or found.settings.take_over,
    )
    return replace(found, settings=settings)
