"""The output of a run: lines for people, JSON for programs."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from nodeway.cli.console import print_line
from nodeway.cli.resync_runs import Review
from nodeway_runtime.functions.resync_journal import change_fields
from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start, Step, Stop
from nodeway_runtime.planner.plan import Plan, visible_changes
from nodeway_runtime.planner.reconcile import Outcome

STYLES = {"+": "green", "~": "yellow", "-": "red", "!": "bold magenta", "?": "bold yellow"}


def build_document(environment: str, reviews: Iterable[Review]) -> dict[str, Any]:
    """Returns the JSON document of the runs; every key is always present."""
    return {"environment": environment, "clusters": [cluster_fields(one) for one in reviews]}


def cluster_fields(review: Review) -> dict[str, Any]:
    """Returns the run of one cluster."""
    settings, outcome = review.settings, review.outcome
    return {
        "cluster": review.cluster,
        "zone": settings.zone_name if settings else None,
        "mode": settings.mode.value if settings else None,
        "ttl_seconds": settings.ttl_seconds if settings else None,
        "pins": {name: list(pinned) for name, pinned in settings.pins.items()} if settings else {},
        "take_over": settings.take_over if settings else None,
        "nodes": len(outcome.snapshot.topology.reachable) if outcome else None,
        "nodes_without_proxy": list(outcome.nodes_without_proxy) if outcome else [],
        "nodes_over_stand_in_limit": list(outcome.plan.stand_ins.over_limit) if outcome else [],
        "problems": list(outcome.snapshot.problems) if outcome else [],
        "checksum": review.checksum or None,
        "changes": [change_keys(one) for one in outcome.plan.changes] if outcome else [],
        "refused": [
            change_keys(one.change) | {"rule": one.rule, "reason": one.reason}
            for one in (outcome.refusals if outcome else ())
        ],
        "stand_ins": [step_keys(one) for one in outcome.plan.stand_ins.steps] if outcome else [],
        "applied": review.applied,
        "change_ids": [one.change_id for one in outcome.applied] if outcome else [],
        "error": review.error or None,
    }


def change_keys(change: Change) -> dict[str, Any]:
    """Returns a change with the keys of the function's log, all of them."""
    return {"old": None, "new": None, "ttl": None} | change_fields(change)


def step_keys(step: Step) -> dict[str, Any]:
    """Returns a step of a stand-in."""
    match step:
        case Start(_, node):
            return {"action": "start", "node": node, "task": None, "why": "the node has no HAProxy"}
        case Retire(task_arn, node):
            why = "its address is in no record any more"
            return {"action": "retire", "node": node, "task": task_arn, "why": why}
        case Stop(task_arn, node, why):
            return {"action": "stop", "node": node, "task": task_arn, "why": why}


def print_review(console: Console, environment: str, review: Review) -> None:
    """Prints the run of a cluster, if it could be read."""
    settings, outcome = review.settings, review.outcome
    if settings is None or outcome is None:
        return
    print_line(console, f"{review.cluster} in {environment}: {describe_settings(settings)}", "bold")
    for text in describe_run(outcome):
        print_coloured(console, text)
    print_line(console, summarize_plan(outcome, settings))
    if review.has_changes:
        print_line(console, f"checksum {review.checksum}", "bold")


def describe_settings(settings: Settings) -> str:
    """Returns the deployed settings that a run depends on, as one line."""
    pins = "; ".join(f"{name}={','.join(pinned)}" for name, pinned in settings.pins.items())
    parts = [f"resync={settings.mode}", f"ttl={settings.ttl_seconds} s", f"pins: {pins or 'none'}"]
    if settings.take_over:
        parts.append("take_over=true")
    return ", ".join(parts)


def describe_run(outcome: Outcome) -> Iterator[str]:
    """Yields a line for each change, step, refusal and problem of a run."""
    yield from (str(change) for change in visible_changes(outcome.plan.changes))
    yield from (str(step) for step in outcome.plan.stand_ins.steps)
    refused = {refusal.change.key: refusal for refusal in outcome.refusals}
    for change in visible_changes(refusal.change for refusal in outcome.refusals):
        refusal = refused[change.key]
        yield f"! refused: {change.summary}  # {refusal.rule}: {refusal.reason}"
    yield from (
        f"! no stand-in for {node}  # the limit of stand-ins is reached"
        for node in outcome.plan.stand_ins.over_limit
    )
    yield from (f"? not completely read: {problem}" for problem in outcome.snapshot.problems)
    yield from (f"? no healthy proxy for {node}" for node in outcome.nodes_without_proxy)


def summarize_plan(outcome: Outcome, settings: Settings) -> str:
    """Returns the numbers of changes, steps and refusals as one line."""
    shown = visible_changes(outcome.plan.changes)
    plan = Plan(tuple(shown))
    parts = [
        f"{len(plan.creates)} to create, {len(plan.updates)} to change, {len(plan.deletes)} to delete"
    ]
    along = len(outcome.plan.changes) - len(shown)
    if along:
        parts.append(f"{along} ownership marker{'s' if along > 1 else ''} with them")
    steps = len(outcome.plan.stand_ins.steps)
    if steps:
        parts.append(f"{steps} stand-in step{'s' if steps > 1 else ''}")
    refused = len(visible_changes(refusal.change for refusal in outcome.refusals))
    if refused:
        parts.append(f"{refused} refused")
    if not (shown or steps or refused):
        nodes = len(outcome.snapshot.topology.reachable)
        return f"nothing to do: {'' if settings.fleet_name else f'{nodes} nodes, '}every record is right"
    return "; ".join(parts)


def print_coloured(console: Console, text: str) -> None:
    """Prints a line in the colour of its first character, and its reason dim."""
    what, mark, why = text.partition("  # ")
    line = Text(what, style=STYLES.get(text[:1], ""))
    line.append(f"{mark}{why}", style="dim")
    console.print(line, soft_wrap=True)
