"""`nodeway plan`, `apply` and `explain`: the resync of a deployed environment, from a laptop."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from nodeway.cli import explain as explanations
from nodeway.cli import resync_output as output
from nodeway.cli.account import Account, choose
from nodeway.cli.console import (
    AsJson,
    Cluster,
    Env,
    load_account,
    make_console,
    print_json,
    print_line,
)
from nodeway.cli.resync_runs import Allowed, Review, apply_review, review_cluster
from nodeway.config.model import EnvironmentConfig
from nodeway.errors import CommandError
from nodeway.suggestions import suggest_nearest
from nodeway_runtime.model.topology import Hostname, record_name

DONE, FAILED, CHANGES = 0, 1, 2
"""Exit codes; CHANGES only with --exit-code."""

Approve = Annotated[
    str,
    typer.Option("--approve", help="Approve the deletes that the log refused with this checksum."),
]
TakeOver = Annotated[
    bool,
    typer.Option(
        "--take-over", help="Take over names that have another deployment's marker, or none."
    ),
]


def plan(
    context: typer.Context,
    env: Env,
    cluster: Cluster = None,
    approve: Approve = "",
    as_json: AsJson = False,
    take_over: TakeOver = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 2 if there are changes.")
    ] = False,
) -> None:
    """Show what the next run would change, and why, without a change."""
    config, account = load_account(context, env)
    allowed = Allowed(approve, take_over)
    reviews = [
        review_cluster(account, name, allowed, now()) for name in select_clusters(config, cluster)
    ]
    print_reviews(config, reviews, as_json=as_json)
    if any(review.error for review in reviews):
        raise typer.Exit(FAILED)
    if exit_code and any(review.has_changes for review in reviews):
        raise typer.Exit(CHANGES)


def apply(
    context: typer.Context,
    env: Env,
    checksum: Annotated[
        list[str],
        typer.Option(
            "--checksum",
            help="The checksum of the reviewed plan; may be repeated, for several clusters.",
        ),
    ],
    cluster: Cluster = None,
    approve: Approve = "",
    as_json: AsJson = False,
    take_over: TakeOver = False,
) -> None:
    """Apply exactly the plan with this checksum: records, then stand-ins. Also with resync=observe or off."""
    config, account = load_account(context, env)
    allowed = Allowed(approve, take_over)
    planned = [
        review_cluster(account, name, allowed, now()) for name in select_clusters(config, cluster)
    ]
    reviews = [
        apply_review(account, review, allowed, now())
        if review.has_changes and review.checksum in checksum
        else review
        for review in planned
    ]
    print_reviews(config, reviews, as_json=as_json)
    stale = [one for one in checksum if one not in {review.checksum for review in planned}]
    if stale:
        msg = f"no current plan has the checksum {', '.join(stale)}: {describe_current_plans(planned)}"
        raise CommandError(msg)
    if any(review.error for review in reviews):
        raise typer.Exit(FAILED)


def explain(
    context: typer.Context,
    host: Annotated[
        str, typer.Argument(help="A node's name, fully qualified or only its first label.")
    ],
    env: Env,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Show a name's addresses and tasks, the reason, the owner, and what the next run would change."""
    config, account = load_account(context, env)
    try:
        name = record_name(host)
    except ValueError as error:
        raise CommandError(str(error)) from error
    explanation = explain_name(name, account, select_clusters(config, cluster))
    if as_json:
        print_json({"environment": config.name} | explanations.build_document(explanation))
        return
    console = make_console()
    print_line(console, f"{explanation.name} ({explanation.cluster} in {config.name})", "bold")
    for key, text in explanations.make_rows(explanation):
        print_line(console, f"  {key:<9} {text}")


def explain_name(
    name: Hostname, account: Account, clusters: Sequence[str]
) -> explanations.Explanation:
    """Returns the explanation of the first cluster that knows the name.

    Raises CommandError with the nearest known name if none does.
    """
    known: set[Hostname] = set()
    for cluster in clusters:
        review = review_cluster(account, cluster, Allowed(), now())
        if review.outcome is None or review.settings is None:
            raise CommandError(f"{cluster}: {review.error}")
        names = explanations.known_names(review.outcome)
        full_name = name if "." in name else Hostname(f"{name}.{review.settings.zone_name}")
        wildcard = Hostname(f"*.{full_name.partition('.')[2]}")
        match = next((one for one in (full_name, wildcard) if one in names), None)
        if match:
            return explanations.explain(match, review.outcome, review.settings)
        known |= names | {Hostname(one.partition(".")[0]) for one in names if "." not in name}
    msg = f"unknown name: got {name!r}{suggest_nearest(name, sorted(known))}"
    raise CommandError(msg)


def select_clusters(config: EnvironmentConfig, only: str | None) -> list[str]:
    """Returns the label of each cluster with proxies, or the given one; raises CommandError for an unknown one."""
    names = [one.label for one in config.proxied]
    if not names:
        raise CommandError(f"no cluster of {config.name} has proxies: there are no records")
    return [choose(only, names, what=f"cluster of {config.name}")] if only else names


def print_reviews(config: EnvironmentConfig, reviews: Sequence[Review], *, as_json: bool) -> None:
    """Prints the runs, and each cluster's error as one line on standard error."""
    if as_json:
        print_json(output.build_document(config.name, reviews))
    else:
        console = make_console()
        for review in reviews:
            output.print_review(console, config.name, review)
            if review.applied:
                print_line(console, summarize_applied(review), "bold green")
    for review in reviews:
        if review.error:
            sys.stderr.write(f"nodeway: {review.cluster}: {review.error}\n")


def summarize_applied(review: Review) -> str:
    """Returns the applied changes and stand-in steps as one line."""
    if review.outcome is None:
        return ""
    changes = sum(len(batch.changes) for batch in review.outcome.applied)
    ids = ", ".join(batch.change_id for batch in review.outcome.applied)
    steps = len(review.outcome.plan.stand_ins.steps)
    return f"applied: record changes {changes}{f' ({ids})' if ids else ''}, stand-in steps {steps}"


def describe_current_plans(reviews: Sequence[Review]) -> str:
    """Returns the current checksums, for the error about an old one."""
    current = [
        f"{review.cluster} has {review.checksum}" for review in reviews if review.has_changes
    ]
    if not current:
        return "there is nothing to do"
    return f"{', '.join(current)}; nothing else was applied, read the new plan first"


def now() -> datetime:
    """Returns the time of a run."""
    return datetime.now(UTC)
