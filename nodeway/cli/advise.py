"""`nodeway advise`: which way to a cluster's nodes suits, from a live group or from a description.

It changes nothing.
"""

import textwrap
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.text import Text

from nodeway.advice import facts as cluster_facts
from nodeway.advice.advise import Advice, Branch, Situation, rule_facts
from nodeway.advice.advise import advise as decide
from nodeway.advice.facts import ReadFacts
from nodeway.advice.rules import ASK, WORDS
from nodeway.cli.resync import AsJson, machine, plain
from nodeway.config.loader import describe_errors
from nodeway.errors import CommandError

INDENT, LEAST = 13, 40
"""Columns before the text, and of the text however narrow the terminal is."""
Cidrs = Annotated[list[str] | None, typer.Option(metavar="CIDR", help="Repeat it for more.")]


class Client(StrEnum):
    """What the clients are."""

    CLUSTER = "cluster"
    PLAIN = "plain"
    RUEIDIS = "rueidis"


def advise(
    *,
    replication_group: Annotated[
        str | None, typer.Option(metavar="NAME", help="A live group, read with your credentials.")
    ] = None,
    description: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A JSON description instead.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Of the group.")] = None,
    client_cidr: Cidrs = None,
    cache_cidr: Cidrs = None,
    client: Annotated[Client | None, typer.Option(help="What the clients are.")] = None,
    routes: Annotated[
        bool | None, typer.Option(help="Full routes between the networks may be given.")
    ] = None,
    on_premises: Annotated[bool | None, typer.Option(help="Clients are outside AWS.")] = None,
    other_account: Annotated[
        bool | None, typer.Option(help="Clients are in another account.")
    ] = None,
    scripted: Annotated[
        bool | None,
        typer.Option("--scripted/--not-scripted", help="You script one resource per node."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which way to a cluster's nodes suits, and why: peering, Lattice, Nodeway, Envoy or one proxy."""
    given = {
        "client": client,
        "routes_allowed": routes,
        "on_premises": on_premises,
        "other_account": other_account,
        "scripted": scripted,
        "client_cidrs": parse_networks("--client-cidr", client_cidr),
        "cache_cidrs": parse_networks("--cache-cidr", cache_cidr),
    }
    match replication_group, description:
        case str(name), None:
            found = cluster_facts.read_facts(name, region)
        case None, Path() as file:
            found = ReadFacts(read_description(file))
        case _:
            msg = "give one of --replication-group NAME and --from FILE (docs/choosing.md has its keys)"
            raise CommandError(msg)
    answered = {key: value for key, value in given.items() if value is not None}
    situation = Situation.model_validate(found.situation.model_dump() | answered)
    advice = decide(situation)
    if as_json:
        machine(advice_document(situation, advice, found.unread))
    else:
        print_advice(situation, advice, found.unread)


def parse_networks(option: str, texts: list[str] | None) -> tuple[IPv4Network, ...] | None:
    """The ranges of an option, None without any; raises CommandError for what is no range."""
    try:
        return tuple(IPv4Network(text) for text in texts) if texts else None
    except ValueError as error:
        msg = f"{option}: {error}; allowed: an IPv4 range such as 10.40.0.0/16"
        raise CommandError(msg) from error


def read_description(file: Path) -> Situation:
    """The description in this file; raises CommandError with every problem in one line."""
    try:
        return Situation.model_validate_json(file.read_bytes())
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise CommandError(msg) from error
    except ValidationError as error:
        msg = f"{file}: {'; '.join(describe_errors(error))}; docs/choosing.md lists the keys"
        raise CommandError(msg) from error


def advice_document(situation: Situation, advice: Advice, unread: list[str]) -> dict[str, Any]:
    """The advice for machines; every key is always there."""
    first, *rest = (
        {
            "way": str(branch.rule.way),
            "rule": branch.rule.name,
            "holds_if": list(branch.holds_if),
            "why": branch.rule.why,
            "mind": branch.rule.mind or None,
        }
        for branch in advice.branches
    )
    return {
        "name": situation.name,
        "recommended": first,
        "otherwise": rest,
        "excluded": [
            {"way": str(one.way), "because": list(one.because)} for one in advice.excluded
        ],
        "facts": {fact.name.lower(): value for fact, value in rule_facts(situation).items()},
        "unknown": [{"fact": fact.name.lower(), "do": ASK[fact]} for fact in advice.unknown],
        "not_read": unread,
        "notes": list(advice.notes),
        "client_settings": list(advice.client),
    }


def describe_branch(branch: Branch) -> str:
    """A way with what it hangs on."""
    conditions = " and ".join(branch.holds_if)
    return f"{branch.rule.way}, if {conditions}" if conditions else str(branch.rule.way)


def advice_rows(
    situation: Situation, advice: Advice, unread: list[str]
) -> Iterator[tuple[str, str]]:
    """The advice for a person: what, and what of it."""
    known = rule_facts(situation)
    for at, branch in enumerate(advice.branches):
        yield ("otherwise" if at else "advice", describe_branch(branch))
        settled = [WORDS[pair] for pair in branch.rule.when.items() if known[pair[0]] is not None]
        if settled and not at:
            yield "because", "; ".join(settled)
        yield "why", branch.rule.why
        if branch.rule.mind:
            yield "mind", branch.rule.mind
    yield from (("not", f"{one.way}: {' and '.join(one.because)}") for one in advice.excluded)
    yield from (("note", note) for note in advice.notes)
    yield from (("client", setting) for setting in advice.client)
    yield from (("unknown", f"{fact}: {ASK[fact]}") for fact in advice.unknown)
    yield from (("not read", sentence) for sentence in unread)


def print_advice(situation: Situation, advice: Advice, unread: list[str]) -> None:
    """Prints the advice for a person."""
    console = plain()
    nodes = f", {situation.nodes} nodes" if situation.nodes else ""
    console.print(Text(f"{situation.name}{nodes}", style="bold"))
    for what, text in advice_rows(situation, advice, unread):
        style = "bold" if what in {"advice", "otherwise"} else ""
        lines = textwrap.wrap(text, max(console.width - INDENT, LEAST), break_on_hyphens=False)
        for at, line in enumerate(lines):
            label = "" if at else what
            console.print(Text(f"  {label:<{INDENT - 2}}").append(line, style), soft_wrap=True)
