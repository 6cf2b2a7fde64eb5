"""The selection of access options: every combination of facts has one, every rule is used, unknown is not no."""

from itertools import product
from typing import Any

import pytest

from nodeway.advice.advise import RUEIDIS, Advice, Situation, advise, matching_branches, rule_facts
from nodeway.advice.rules import ASK, RULES, WORDS, AccessOption, Fact

VALUES = {fact: tuple(value for one, value in WORDS if one is fact) for fact in Fact}
SERVED: dict[str, Any] = {
    "cluster_mode": True,
    "tls": "required",
    "endpoint_type": "tls-dynamic",
    "nodes": 12,
    "cache_cidrs": ["10.50.0.0/16"],
    "client_cidrs": ["10.40.0.0/16"],
    "routes_allowed": False,
    "scripted": False,
}
"""A cluster for Nodeway, with all facts known."""


def situation(**changes: Any) -> Situation:  # noqa: ANN401 (any JSON)
    """That cluster with these changes."""
    return Situation.model_validate(SERVED | changes)


def advice(**changes: Any) -> Advice:  # noqa: ANN401 (any JSON)
    """The advice for that cluster with these changes."""
    return advise(situation(**changes))


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({}, AccessOption.NODEWAY),
        ({"routes_allowed": True}, AccessOption.PEERING),
        ({"routes_allowed": True, "client_cidrs": ["10.50.128.0/20"]}, AccessOption.NODEWAY),
        ({"routes_allowed": True, "on_premises": True}, AccessOption.ROUTES),
        ({"on_premises": True, "scripted": True}, AccessOption.NODEWAY),
        ({"scripted": True}, AccessOption.LATTICE),
        ({"scripted": True, "client_cidrs": ["10.50.0.0/24"]}, AccessOption.LATTICE),
        ({"client": "plain"}, AccessOption.ENVOY),
        ({"client": "plain", "routes_allowed": True}, AccessOption.ENVOY),
        ({"client": "plain", "cluster_mode": False}, AccessOption.ONE_PROXY),
        ({"client": "plain", "cluster_mode": False, "routes_allowed": True}, AccessOption.PEERING),
        ({"tls": "off"}, AccessOption.ENVOY),
        ({"tls": "off", "scripted": True}, AccessOption.ENVOY),
        ({"tls": "off", "routes_allowed": True}, AccessOption.PEERING),
        ({"endpoint_type": "ip"}, AccessOption.ENVOY),
        ({"endpoint_type": "absent"}, AccessOption.NODEWAY),
        ({"tls": "preferred"}, AccessOption.NODEWAY),
        ({"cluster_mode": False}, AccessOption.ONE_PROXY),
        ({"serverless": True}, AccessOption.ONE_PROXY),
        ({"serverless": True, "routes_allowed": True}, AccessOption.PEERING),
        ({"other_account": True}, AccessOption.NODEWAY),
        ({"client": "rueidis"}, AccessOption.NODEWAY),
    ],
)
def test_known_situation_has_one_option(changes: dict[str, Any], option: AccessOption) -> None:
    (branch,) = advice(**changes).branches

    assert branch.rule.option is option
    assert branch.holds_if == ()


def test_every_combination_has_an_option_and_every_rule_is_used() -> None:
    used = set()
    for values in product(*VALUES.values()):
        (branch,) = matching_branches(dict(zip(VALUES, values, strict=True)))
        used.add(branch.rule.name)

    assert used == {rule.name for rule in RULES}


def test_branches_with_unknown_facts_include_the_option_for_each_of_their_values() -> None:
    for values in product(*((*known, None) for known in VALUES.values())):
        facts = dict(zip(VALUES, values, strict=True))
        unknown = [fact for fact, value in facts.items() if value is None]
        if len(unknown) > 2:
            continue
        branches = [branch.rule.name for branch in matching_branches(facts)]
        for possible in product(*(VALUES[fact] for fact in unknown)):
            (branch,) = matching_branches(facts | dict(zip(unknown, possible, strict=True)))
            assert branch.rule.name in branches


def test_every_fact_has_two_values_with_texts() -> None:
    assert {fact for fact, _ in WORDS} == set(ASK) == set(Fact)
    assert all(len(values) == 2 for values in VALUES.values())
    assert all((fact, value) in WORDS for rule in RULES for fact, value in rule.when.items())
    assert set(RUEIDIS) == set(AccessOption)


def test_without_any_fact_every_rule_is_a_branch_with_conditions() -> None:
    result = advise(Situation(client=None, serverless=None, on_premises=None))

    assert all(branch.conditions for branch in result.branches)
    assert set(result.unknown) == set(Fact)
    assert len(result.branches) == len(RULES)


def test_unknown_routes_are_the_condition_of_peering() -> None:
    result = advice(routes_allowed=None)

    assert [(branch.rule.option, branch.holds_if) for branch in result.branches] == [
        (AccessOption.PEERING, ("full routes between the networks may be given",)),
        (AccessOption.NODEWAY, ()),
    ]
    assert result.unknown == (Fact.ROUTES,)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"tls": None}, None),
        ({"endpoint_type": None}, None),
        ({"tls": None, "endpoint_type": "ip"}, "addresses"),
        ({"tls": "off", "endpoint_type": None}, "addresses"),
        ({"tls": "required"}, "names"),
    ],
)
def test_content_of_moved_depends_on_tls_and_endpoint_type(
    changes: dict[str, Any], value: str | None
) -> None:
    assert rule_facts(situation(**changes))[Fact.ANSWERS] == value


@pytest.mark.parametrize(
    ("client", "cache", "value"),
    [
        (["10.40.0.0/16"], ["10.50.0.0/16"], "apart"),
        (["10.40.0.0/16"], ["10.50.0.0/16", "10.40.3.0/24"], "overlap"),
        (["10.0.0.0/8"], ["10.50.0.0/16"], "overlap"),
        (None, ["10.50.0.0/16"], None),
        (["10.40.0.0/16"], None, None),
        ([], ["10.50.0.0/16"], None),
    ],
)
def test_ranges_do_not_overlap_only_if_both_sides_are_known(
    client: list[str] | None, cache: list[str] | None, value: str | None
) -> None:
    facts = rule_facts(situation(client_cidrs=client, cache_cidrs=cache))

    assert facts[Fact.OVERLAP] == value


def test_overlap_is_a_note_and_excludes_peering() -> None:
    result = advice(routes_allowed=True, client_cidrs=["10.50.64.0/20"])

    assert result.notes[0].startswith("10.50.64.0/20 (client) and 10.50.0.0/16 (cache) overlap")
    assert [(excluded.option, excluded.because) for excluded in result.excluded] == [
        (AccessOption.PEERING, ("the address ranges overlap",)),
        (AccessOption.LATTICE, (WORDS[Fact.NODE_SET, "nobody"],)),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tls": "preferred"}, "finish the migration to `required`"),
        ({"endpoint_type": "ip"}, "set cluster-preferred-endpoint-type to tls-dynamic"),
        ({"other_account": True}, "associated with the zone by an authorisation"),
        ({"on_premises": True}, "Route 53 Resolver inbound endpoint"),
        ({"scripted": True, "nodes": 60}, "60 nodes and the configuration endpoint are more than"),
    ],
)
def test_notes_are_those_of_the_situation(changes: dict[str, Any], text: str) -> None:
    assert any(text in note for note in advice(**changes).notes)
    assert not any(text in note for note in advice().notes)


def test_59_nodes_fit_a_lattice_group() -> None:
    assert advice(scripted=True, nodes=59).notes == ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "rueidis, Nodeway: its defaults"),
        ({"tls": "off"}, "ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true"),
        ({"cluster_mode": False}, "without cluster mode ForceSingleClient"),
        ({"routes_allowed": None}, "rueidis, VPC peering, Nodeway: its defaults"),
    ],
)
def test_rueidis_has_one_line_for_options_with_equal_settings(
    changes: dict[str, Any], text: str
) -> None:
    (line,) = advice(client="rueidis", **changes).client

    assert text in line
    assert advice(**changes).client == ()
