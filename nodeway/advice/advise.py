"""Selects the access options for a cluster and its clients, with reasons. Pure: no AWS, no clock.

A rule of `nodeway.advice.rules` that depends on an unknown fact is a branch with that fact as its condition. The rules
after it are the branches for the case that the condition does not hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from nodeway.advice.rules import RULES, WORDS, AccessOption, Fact, Rule
from nodeway.config.model import Block

CHOICES = frozenset({Fact.ROUTES, Fact.OVERLAP, Fact.NODE_SET})
"""Facts that can differ for the same cluster and the same clients."""
LATTICE_CHILDREN = 60
"""Default quota of resource configurations in a GROUP: https://docs.aws.amazon.com/vpc-lattice/latest/ug/quotas.html"""

_CLUSTER = (
    "its defaults; InitAddress: the configuration endpoint, TLSConfig without ServerName (rueidis sets it per"
    " node), ConnLifetime of some minutes so that connections follow a record"
)
RUEIDIS: Mapping[AccessOption, str] = {
    AccessOption.PEERING: _CLUSTER,
    AccessOption.ROUTES: _CLUSTER,
    AccessOption.LATTICE: _CLUSTER,
    AccessOption.NODEWAY: _CLUSTER,
    AccessOption.ENVOY: (
        "ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true (Envoy 1.37 to 1.40; without"
        " AlwaysRESP2 for a RESP3 listener of 1.40)"
    ),
    AccessOption.ONE_PROXY: (
        "its defaults; without cluster mode ForceSingleClient: true avoids the query for a topology"
    ),
}
"""Settings of https://github.com/redis/rueidis for each access option."""


class Situation(Block):
    """A cluster and its clients; None means unknown. docs/choosing.md lists the keys for --from."""

    name: Annotated[str, Field(min_length=1)] = "the cluster"
    serverless: bool | None = False
    cluster_mode: bool | None = None
    tls: Literal["off", "preferred", "required"] | None = None
    endpoint_type: Literal["ip", "tls-dynamic", "absent"] | None = None
    """cluster-preferred-endpoint-type; `absent` where the engine has no such parameter (before 7)."""
    nodes: Annotated[int, Field(ge=1, le=500)] | None = None
    cache_cidrs: tuple[IPv4Network, ...] | None = None
    client_cidrs: tuple[IPv4Network, ...] | None = None
    client: Literal["cluster", "plain", "rueidis"] | None = "cluster"
    routes_allowed: bool | None = None
    on_premises: bool | None = False
    other_account: bool | None = False
    scripted: bool | None = None
    """Whether the user scripts one resource per node with each scale event, or the nodes never change."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A rule that matches if the unknown facts in `conditions` have these values."""

    rule: Rule
    conditions: Mapping[Fact, str]

    @property
    def holds_if(self) -> tuple[str, ...]:
        """The conditions as text; empty if the rule matches in any case."""
        return tuple(WORDS[condition] for condition in self.conditions.items())


@dataclass(frozen=True, slots=True)
class Excluded:
    """An access option of an earlier rule, and the facts that exclude it."""

    option: AccessOption
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The branches in order, the first of which is recommended."""

    branches: tuple[Branch, ...]
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]
    """Steps and limitations that apply to any of the branches."""
    client: tuple[str, ...]
    """Settings of the named client for the options of the branches."""

    @property
    def unknown(self) -> tuple[Fact, ...]:
        """The unknown facts that the branches depend on, without repeats."""
        return tuple(dict.fromkeys(fact for branch in self.branches for fact in branch.conditions))


def advise(situation: Situation) -> Advice:
    """Returns the advice for a situation, with at least one branch."""
    facts = rule_facts(situation)
    branches = tuple(matching_branches(facts))
    options = tuple(dict.fromkeys(branch.rule.option for branch in branches))
    return Advice(
        branches=branches,
        excluded=tuple(excluded_options(facts, branches[-1].rule)),
        notes=tuple(render_notes(situation, options)),
        client=tuple(client_settings(situation, options)),
    )


def matching_branches(facts: Mapping[Fact, str | None]) -> Iterator[Branch]:
    """Yields the rules that can match, up to the first one that matches whatever the unknown facts are."""
    for rule in RULES:
        if any(facts[fact] not in {None, value} for fact, value in rule.when.items()):
            continue
        conditions = {fact: value for fact, value in rule.when.items() if facts[fact] is None}
        yield Branch(rule, conditions)
        if not conditions:
            return


def excluded_options(facts: Mapping[Fact, str | None], last: Rule) -> Iterator[Excluded]:
    """Yields the options of rules before `last` that are excluded by facts of CHOICES only."""
    for rule in RULES[: RULES.index(last)]:
        against = {
            fact: actual
            for fact, value in rule.when.items()
            if (actual := facts[fact]) not in {None, value}
        }
        if against and CHOICES.issuperset(against):
            yield Excluded(
                rule.option, tuple(WORDS[fact, str(actual)] for fact, actual in against.items())
            )


def rule_facts(situation: Situation) -> dict[Fact, str | None]:
    """Returns the value of each fact; None where it is unknown."""
    client = None if situation.client is None else situation.client == "plain"
    return {
        Fact.SERVICE: fact_value(situation.serverless, "serverless", "group"),
        Fact.CLUSTER_MODE: fact_value(situation.cluster_mode, "on", "off"),
        Fact.CLIENT: fact_value(client, "plain", "cluster"),
        Fact.ROUTES: fact_value(situation.routes_allowed, "allowed", "refused"),
        Fact.OVERLAP: fact_value(find_overlap(situation), "overlap", "apart"),
        Fact.WHERE: fact_value(situation.on_premises, "outside", "aws"),
        Fact.ANSWERS: fact_value(announces_names(situation), "names", "addresses"),
        Fact.NODE_SET: fact_value(situation.scripted, "you", "nobody"),
    }


def fact_value(known: bool | None, yes: str, no: str) -> str | None:  # noqa: FBT001 (a fact)
    """Returns `yes` or `no`; None if the fact is unknown."""
    return None if known is None else yes if known else no


def announces_names(situation: Situation) -> bool | None:
    """Whether discovery and MOVED carry names; None if that is unknown.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
    """
    if situation.tls == "off" or situation.endpoint_type == "ip":
        return False
    return None if situation.tls is None or situation.endpoint_type is None else True


def overlapping_ranges(situation: Situation) -> tuple[tuple[IPv4Network, IPv4Network], ...]:
    """Returns the known pairs of overlapping ranges, each a client's and a cache's."""
    return tuple(
        (client, cache)
        for client in situation.client_cidrs or ()
        for cache in situation.cache_cidrs or ()
        if client.overlaps(cache)
    )


def find_overlap(situation: Situation) -> bool | None:
    """Whether ranges overlap; None if no known pair overlaps and the ranges of a side are unknown."""
    if overlapping_ranges(situation):
        return True
    return False if situation.client_cidrs and situation.cache_cidrs else None


def render_notes(situation: Situation, options: tuple[AccessOption, ...]) -> Iterator[str]:
    """Yields the steps and limitations that apply to the situation and these options."""
    for client, cache in overlapping_ranges(situation):
        yield f"{client} (client) and {cache} (cache) overlap: neither peering nor a transit gateway can route that"
    if situation.tls == "preferred":
        yield (
            "TransitEncryptionMode is `preferred`, and node names still change: finish the migration to"
            " `required` before you create a zone for them"
        )
    if situation.endpoint_type == "ip" and situation.tls != "off":
        yield (
            "set cluster-preferred-endpoint-type to tls-dynamic in the parameter group (it takes"
            " effect at once), and run this again: MOVED then carries names"
        )
    if AccessOption.NODEWAY in options and situation.other_account:
        yield (
            "clients in another account: their VPC is associated with the zone by an authorisation"
            " in this account and a call in theirs (docs/deploying.md)"
        )
    if AccessOption.NODEWAY in options and situation.on_premises:
        yield (
            "clients outside AWS use a Route 53 Resolver inbound endpoint (`on_premises`), and need a"
            " route to the HAProxies only"
        )
    if AccessOption.LATTICE in options and (situation.nodes or 0) >= LATTICE_CHILDREN:
        yield (
            f"{situation.nodes} nodes and the configuration endpoint are more than the"
            f" {LATTICE_CHILDREN} names of a Lattice GROUP: raise that quota first"
        )


def client_settings(situation: Situation, options: tuple[AccessOption, ...]) -> Iterator[str]:
    """Yields the settings of rueidis, if it is the client: a line for all options with equal settings."""
    if situation.client != "rueidis":
        return
    for settings in dict.fromkeys(RUEIDIS[option] for option in options):
        names = ", ".join(option for option in options if RUEIDIS[option] == settings)
        yield f"rueidis, {names}: {settings}"
