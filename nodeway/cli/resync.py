"""`nodeway plan`, `apply` and `explain`: the resync of a deployed environment, from a laptop."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from nodeway.cli import explain as explaining
from nodeway.cli import resync_output as told
from nodeway.cli.account import Account, AwsAccount, Reach, choose, load_environment
from nodeway.cli.resync_runs import Allowed, Review, carry_out, review
from nodeway.config.model import EnvironmentConfig
from nodeway.errors import CommandError
from nodeway.suggestions import suggest_nearest
from nodeway_runtime.model.topology import Hostname, record_name

DONE, FAILED, CHANGES = 0, 1, 2
"""Exit codes; CHANGES only with --exit-code."""

Env = Annotated[str, typer.Option("--env", help="The environment in cdk.json.")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="One, as its stacks are called after it; without it, all."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Approve = Annotated[
    str, typer.Option("--approve", help="Let through what has this checksum in a refusal.")
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Names with another's marker, or none, become ours.")
]


def plan(
    context: typer.Context,
    env: Env,
    cluster: Cluster = None,
    approve: Approve = "",
    as_json: AsJson = False,
    take_over: TakeOver = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 2 when there is something to do.")
    ] = False,
) -> None:
    """Show what the next run would change, and why; change nothing."""
    config, account = reached(context, env)
    allowed = Allowed(approve, take_over)
    reviews = [review(account, one, allowed, now()) for one in clusters_of(config, cluster)]
    tell(config, reviews, as_json=as_json)
    if any(one.error for one in reviews):
        raise typer.Exit(FAILED)
    if exit_code and any(one.something_to_do for one in reviews):
        raise typer.Exit(CHANGES)


def apply(
    context: typer.Context,
    env: Env,
    checksum: Annotated[
        list[str],
        typer.Option("--checksum", help="Of the plan that you read; repeat it for more clusters."),
    ],
    cluster: Cluster = None,
    approve: Approve = "",
    as_json: AsJson = False,
    take_over: TakeOver = False,
) -> None:
    """Carry out the plan with this checksum, and no other: records, then stand-ins. Also with resync=observe or off."""
    config, account = reached(context, env)
    allowed = Allowed(approve, take_over)
    looked = [review(account, one, allowed, now()) for one in clusters_of(config, cluster)]
    reviews = [
        carry_out(account, one, allowed, now())
        if one.something_to_do and one.checksum in checksum
        else one
        for one in looked
    ]
    tell(config, reviews, as_json=as_json)
    stale = [one for one in checksum if one not in {found.checksum for found in looked}]
    if stale:
        msg = f"no plan of this moment has the checksum {', '.join(stale)}: {instead(looked)}"
        raise CommandError(msg)
    if any(one.error for one in reviews):
        raise typer.Exit(FAILED)


def explain(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="A node's name, whole or only its first label.")],
    env: Env,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Say what a name answers, which task is there, why, who owns it, and what the next run would do."""
    config, account = reached(context, env)
    try:
        name = record_name(host)
    except ValueError as error:
        raise CommandError(str(error)) from error
    found = explanation(name, account, clusters_of(config, cluster))
    if as_json:
        machine({"environment": config.name} | explaining.document(found))
        return
    console = plain()
    told.say(console, f"{found.name} ({found.cluster} in {config.name})", "bold")
    for what, text in explaining.rows(found):
        told.say(console, f"  {what:<9} {text}")


def explanation(
    name: Hostname, account: Account, clusters: Sequence[str]
) -> explaining.Explanation:
    """From the first cluster that knows the name; raises CommandError with the nearest known name if none does."""
    known: set[Hostname] = set()
    for cluster in clusters:
        seen = review(account, cluster, Allowed(), now())
        if seen.outcome is None or seen.settings is None:
            raise CommandError(f"{cluster}: {seen.error}")
        names = explaining.known_names(seen.outcome)
        whole = name if "." in name else Hostname(f"{name}.{seen.settings.zone_name}")
        wildcard = Hostname(f"*.{whole.partition('.')[2]}")
        answered = next((one for one in (whole, wildcard) if one in names), None)
        if answered:
            return explaining.explain(answered, seen.outcome, seen.settings)
        known |= names | {Hostname(one.partition(".")[0]) for one in names if "." not in name}
    msg = f"unknown name: got {name!r}{suggest_nearest(name, sorted(known))}"
    raise CommandError(msg)


def reached(context: typer.Context, env: str) -> tuple[EnvironmentConfig, Account]:
    """The environment and its account; raises CommandError or ConfigError."""
    config = load_environment(env, Path.cwd())
    reach: Reach = context.obj or AwsAccount
    return config, reach(config)


def clusters_of(config: EnvironmentConfig, only: str | None) -> list[str]:
    """What to look at: each cluster in each way to it; raises CommandError for one that the environment has not."""
    names = [one.label for one in config.proxied]
    if not names:
        raise CommandError(f"no cluster of {config.name} has proxies: there are no records")
    return [choose(only, names, what=f"cluster of {config.name}")] if only else names


def tell(config: EnvironmentConfig, reviews: Sequence[Review], *, as_json: bool) -> None:
    """Prints the runs, and each cluster's own error as one line on standard error."""
    if as_json:
        machine(told.document(config.name, reviews))
    else:
        console = plain()
        for one in reviews:
            told.show(console, config.name, one)
            if one.applied:
                told.say(console, applied(one), "bold green")
    for one in reviews:
        if one.error:
            sys.stderr.write(f"nodeway: {one.cluster}: {one.error}\n")


def applied(done: Review) -> str:
    """What was carried out, in one line."""
    if done.outcome is None:
        return ""
    changes = sum(len(batch.changes) for batch in done.outcome.applied)
    ids = ", ".join(batch.change_id for batch in done.outcome.applied)
    steps = len(done.outcome.plan.stand_ins.steps)
    return f"applied: record changes {changes}{f' ({ids})' if ids else ''}, stand-in steps {steps}"


def instead(looked: Sequence[Review]) -> str:
    """What there is to do now, for who came with an old checksum."""
    now_there = [f"{one.cluster} has {one.checksum}" for one in looked if one.something_to_do]
    if not now_there:
        return "there is nothing to do"
    return f"{', '.join(now_there)}; nothing else was applied, read the new plan first"


def machine(document: dict[str, Any]) -> None:
    """Prints JSON."""
    typer.echo(json.dumps(document, indent=2))


def plain() -> Console:
    """Standard output: colours only on a terminal, and none with NO_COLOR."""
    return Console(highlight=False)


def now() -> datetime:
    """The time of a run."""
    return datetime.now(UTC)
