"""Which way suits a cluster and its clients: facts in, ways with reasons out. Pure: no AWS, no clock.

Unknown is never taken for no: a rule of `nodeway.advice.rules` that hangs on a fact nobody could read is given
with that fact as its condition, and what comes after it as the way if the condition does not hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from nodeway.advice.rules import RULES, WORDS, AccessOption, Fact, Rule
from nodeway.config.model import Block

CHOICES = frozenset({Fact.ROUTES, Fact.OVERLAP, Fact.NODE_SET})
"""What could have been otherwise with the same cluster and the same clients."""
LATTICE_CHILDREN = 60
"""Of a GROUP, adjustable: https://docs.aws.amazon.com/vpc-lattice/latest/ug/quotas.html"""

_CLUSTER = (
    "its defaults; InitAddress: the configuration endpoint, TLSConfig without ServerName (it is set per"
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
        "its defaults; without cluster mode ForceSingleClient: true saves the question for a topology"
        " that there is not"
    ),
}
"""Settings of https://github.com/redis/rueidis for each way."""


class Situation(Block):
    """A cluster and its clients; None is unknown. docs/choosing.md lists the keys for --from."""

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
    """Whether somebody scripts one resource per node with each scale event, or the nodes never change."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A way, and the unknown facts that must be so for it."""

    rule: Rule
    conditions: Mapping[Fact, str]

    @property
    def holds_if(self) -> tuple[str, ...]:
        """The conditions in words; none when it holds in any case."""
        return tuple(WORDS[pair] for pair in self.conditions.items())


@dataclass(frozen=True, slots=True)
class Excluded:
    """A way that would come before, and what of the networks or of the people keeps it out."""

    way: AccessOption
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The way first, with what it hangs on; then what to do otherwise, in order."""

    branches: tuple[Branch, ...]
    excluded: tuple["Excluded", ...]
    notes: tuple[str, ...]
    """What to do or to mind besides, whichever way it is."""
    client: tuple[str, ...]
    """Settings of the client that was named, for each way that is left."""

    @property
    def unknown(self) -> tuple[Fact, ...]:
        """The facts that would settle it, once each."""
        return tuple(dict.fromkeys(fact for one in self.branches for fact in one.conditions))


def advise(situation: Situation) -> Advice:
    """The advice for a situation; there is always at least one branch."""
    known = rule_facts(situation)
    branches = tuple(matching_branches(known))
    ways = tuple(dict.fromkeys(branch.rule.way for branch in branches))
    return Advice(
        branches=branches,
        excluded=tuple(excluded_options(known, branches[-1].rule)),
        notes=tuple(render_notes(situation, ways)),
        client=tuple(client_settings(situation, ways)),
    )


def matching_branches(known: Mapping[Fact, str | None]) -> Iterator[Branch]:
    """The rules that may fit, up to the first that fits whatever is unknown."""
    for rule in RULES:
        if any(known[fact] not in {None, wanted} for fact, wanted in rule.when.items()):
            continue
        conditions = {fact: value for fact, value in rule.when.items() if known[fact] is None}
        yield Branch(rule, conditions)
        if not conditions:
            return


def excluded_options(known: Mapping[Fact, str | None], last: Rule) -> Iterator[Excluded]:
    """The rules before the last branch that only a choice or a range keeps out."""
    for rule in RULES[: RULES.index(last)]:
        against = [fact for fact, wanted in rule.when.items() if known[fact] not in {None, wanted}]
        if against and CHOICES.issuperset(against):
            words = (WORDS[fact, value] for fact in against if (value := known[fact]))
            yield Excluded(rule.way, tuple(words))


def rule_facts(situation: Situation) -> dict[Fact, str | None]:
    """What the rules ask, of what is known."""
    client = (
        None if situation.client is None else "plain" if situation.client == "plain" else "cluster"
    )
    return {
        Fact.SERVICE: fact_value(situation.serverless, "serverless", "group"),
        Fact.CLUSTER_MODE: fact_value(situation.cluster_mode, "on", "off"),
        Fact.CLIENT: client,
        Fact.ROUTES: fact_value(situation.routes_allowed, "allowed", "refused"),
        Fact.OVERLAP: fact_value(find_overlap(situation), "overlap", "apart"),
        Fact.WHERE: fact_value(situation.on_premises, "outside", "aws"),
        Fact.ANSWERS: fact_value(announces_names(situation), "names", "addresses"),
        Fact.NODE_SET: fact_value(situation.scripted, "you", "nobody"),
    }


def fact_value(known: bool | None, yes: str, no: str) -> str | None:  # noqa: FBT001 (a fact)
    """A fact's value, None when it is unknown."""
    return None if known is None else yes if known else no


def announces_names(situation: Situation) -> bool | None:
    """Whether discovery and MOVED carry names.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
    """
    if situation.tls == "off" or situation.endpoint_type == "ip":
        return False
    return None if situation.tls is None or situation.endpoint_type is None else True


def overlapping_ranges(situation: Situation) -> tuple[tuple[IPv4Network, IPv4Network], ...]:
    """The pairs of a client's and the cache's range that share addresses, as far as they are known."""
    return tuple(
        (client, cache)
        for client in situation.client_cidrs or ()
        for cache in situation.cache_cidrs or ()
        if client.overlaps(cache)
    )


def find_overlap(situation: Situation) -> bool | None:
    """Whether ranges overlap: a known pair is enough for yes, and only both sides known for no."""
    if overlapping_ranges(situation):
        return True
    return False if situation.client_cidrs and situation.cache_cidrs else None


def render_notes(situation: Situation, ways: tuple[AccessOption, ...]) -> Iterator[str]:
    """What to do or to mind besides."""
    for client, cache in overlapping_ranges(situation):
        yield f"{client} (client) and {cache} (cache) overlap: neither peering nor a transit gateway can route that"
    if situation.tls == "preferred":
        yield (
            "TransitEncryptionMode is `preferred`, and node names still change: finish the move to"
            " `required` before a zone is made for them"
        )
    if situation.endpoint_type == "ip" and situation.tls != "off":
        yield (
            "set cluster-preferred-endpoint-type to tls-dynamic in the parameter group (it takes"
            " effect at once), and ask again: MOVED then carries names"
        )
    if AccessOption.NODEWAY in ways and situation.other_account:
        yield (
            "clients in another account: their VPC is associated with the zone by an authorisation"
            " on this side and a call on theirs (docs/deploying.md)"
        )
    if AccessOption.NODEWAY in ways and situation.on_premises:
        yield (
            "clients outside AWS ask a Route 53 Resolver inbound endpoint (`on_premises`), and need a"
            " route to the HAProxies only"
        )
    if AccessOption.LATTICE in ways and (situation.nodes or 0) >= LATTICE_CHILDREN:
        yield (
            f"{situation.nodes} nodes and the configuration endpoint are more than the"
            f" {LATTICE_CHILDREN} names of a Lattice GROUP: have that quota raised first"
        )


def client_settings(situation: Situation, ways: tuple[AccessOption, ...]) -> Iterator[str]:
    """What rueidis must be told, for the ways that are left."""
    if situation.client != "rueidis":
        return
    for text in dict.fromkeys(RUEIDIS[way] for way in ways):
        same = ", ".join(way for way in ways if RUEIDIS[way] == text)
        yield f"rueidis, {same}: {text}"
