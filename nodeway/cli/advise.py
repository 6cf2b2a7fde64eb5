"""`nodeway advise`: the access option for a cluster, from a live group or from a description. It changes nothing."""

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
from nodeway.cli.console import AsJson, make_console, print_json
from nodeway.config.loader import describe_errors
from nodeway.errors import CommandError

INDENT, LEAST = 13, 40
"""Columns before the text, and the minimum columns of the text."""
Cidrs = Annotated[
    list[str] | None, typer.Option(metavar="CIDR", help="An IPv4 range; may be repeated.")
]


class Client(StrEnum):
    """The kind of the clients."""

    CLUSTER = "cluster"
    PLAIN = "plain"
    RUEIDIS = "rueidis"


def advise(
    *,
    replication_group: Annotated[
        str | None, typer.Option(metavar="NAME", help="A live group, read with your credentials.")
    ] = None,
    description: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A JSON description in place of a live group."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="The group's Region.")] = None,
    client_cidr: Cidrs = None,
    cache_cidr: Cidrs = None,
    client: Annotated[
        Client | None,
        typer.Option(help="Clients with cluster mode, without it (plain), or rueidis."),
    ] = None,
    routes: Annotated[
        bool | None, typer.Option(help="Full routes between the networks are allowed.")
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
    """Recommend how clients reach a cluster's nodes, and say why: peering, Lattice, Nodeway, Envoy or one proxy."""
    options = {
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
            facts = cluster_facts.read_facts(name, region)
        case None, Path() as file:
            facts = ReadFacts(read_description(file))
        case _:
            msg = "give one of --replication-group NAME and --from FILE (docs/choosing.md has its keys)"
            raise CommandError(msg)
    overrides = {key: value for key, value in options.items() if value is not None}
    situation = Situation.model_validate(facts.situation.model_dump() | overrides)
    advice = decide(situation)
    if as_json:
        print_json(advice_document(situation, advice, facts.unread))
    else:
        print_advice(situation, advice, facts.unread)


def parse_networks(option: str, texts: list[str] | None) -> tuple[IPv4Network, ...] | None:
    """Returns the ranges of an option, or None without any; raises CommandError for an invalid range."""
    try:
        return tuple(IPv4Network(text) for text in texts) if texts else None
    except ValueError as error:
        msg = f"{option}: {error}; allowed: an IPv4 range such as 10.40.0.0/16"
        raise CommandError(msg) from error


def read_description(file: Path) -> Situation:
    """Reads the description in this file; raises CommandError with every problem on one line."""
    try:
        return Situation.model_validate_json(file.read_bytes())
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise CommandError(msg) from error
    except ValidationError as error:
        msg = f"{file}: {'; '.join(describe_errors(error))}; docs/choosing.md lists the keys"
        raise CommandError(msg) from error


def advice_document(situation: Situation, advice: Advice, unread: list[str]) -> dict[str, Any]:
    """Returns the advice as JSON values. Every key is always present."""
    first, *rest = (
        {
            "option": str(branch.rule.option),
            "rule": branch.rule.name,
            "holds_if": list(branch.holds_if),
            "why": branch.rule.why,
            "caveat": branch.rule.caveat or None,
        }
        for branch in advice.branches
    )
    return {
        "name": situation.name,
        "recommended": first,
        "otherwise": rest,
        "excluded": [
            {"option": str(excluded.option), "because": list(excluded.because)}
            for excluded in advice.excluded
        ],
        "facts": {fact.name.lower(): value for fact, value in rule_facts(situation).items()},
        "unknown": [{"fact": fact.name.lower(), "do": ASK[fact]} for fact in advice.unknown],
        "not_read": unread,
        "notes": list(advice.notes),
        "client_settings": list(advice.client),
    }


def describe_branch(branch: Branch) -> str:
    """Returns the access option of a branch with its conditions."""
    option = str(branch.rule.option)
    return f"{option}, if {' and '.join(branch.holds_if)}" if branch.holds_if else option


def advice_rows(
    situation: Situation, advice: Advice, unread: list[str]
) -> Iterator[tuple[str, str]]:
    """Yields the label and the text of each row of the advice."""
    facts = rule_facts(situation)
    for index, branch in enumerate(advice.branches):
        yield ("otherwise" if index else "advice", describe_branch(branch))
        known = [WORDS[fact, value] for fact, value in branch.rule.when.items() if facts[fact]]
        if known and not index:
            yield "because", "; ".join(known)
        yield "why", branch.rule.why
        if branch.rule.caveat:
            yield "caveat", branch.rule.caveat
    for excluded in advice.excluded:
        yield "not", f"{excluded.option}: {' and '.join(excluded.because)}"
    yield from (("note", note) for note in advice.notes)
    yield from (("client", setting) for setting in advice.client)
    yield from (("unknown", f"{fact}: {ASK[fact]}") for fact in advice.unknown)
    yield from (("not read", sentence) for sentence in unread)


def print_advice(situation: Situation, advice: Advice, unread: list[str]) -> None:
    """Prints the advice as a table that wraps at the terminal's width."""
    console = make_console()
    nodes = f", {situation.nodes} nodes" if situation.nodes else ""
    console.print(Text(f"{situation.name}{nodes}", style="bold"))
    for label, text in advice_rows(situation, advice, unread):
        style = "bold" if label in {"advice", "otherwise"} else ""
        lines = textwrap.wrap(text, max(console.width - INDENT, LEAST), break_on_hyphens=False)
        for index, line in enumerate(lines):
            start = Text(f"  {'' if index else label:<{INDENT - 2}}")
            console.print(start.append(line, style), soft_wrap=True)
