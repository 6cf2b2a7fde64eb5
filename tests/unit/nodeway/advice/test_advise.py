"""Which way suits: every combination of facts has one, each rule is somebody's, and unknown is never taken for no."""

from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

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
"""A cluster that Nodeway serves, with everything known."""


def advice(**changes: Any) -> Advice:  # noqa: ANN401 (any JSON)
    """The advice for that cluster, changed."""
    return advise(Situation.model_validate(SERVED | changes))


@pytest.mark.parametrize(
    ("changes", "way"),
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
def test_way_for_a_situation(changes: dict[str, Any], way: AccessOption) -> None:
    """With everything known there is one way, without an if."""
    (branch,) = advice(**changes).branches

    assert branch.rule.option is way
    assert branch.holds_if == ()


def test_every_combination_has_a_way_and_every_rule_is_somebodys() -> None:
    """256 combinations, all facts known: never no advice, and no rule that nothing reaches."""
    used = set()
    for values in product(*VALUES.values()):
        (branch,) = matching_branches(dict(zip(VALUES, values, strict=True)))
        used.add(branch.rule.name)

    assert used == {rule.name for rule in RULES}


def test_unknown_facts_hide_no_way_that_would_be_the_advice_if_they_were_known() -> None:
    """For each combination with holes: whatever the holes turn out to be, that way is among the branches."""
    for values in product(*((*known, None) for known in VALUES.values())):
        holed = dict(zip(VALUES, values, strict=True))
        holes = [fact for fact, value in holed.items() if value is None]
        if len(holes) > 2:
            continue
        offered = [branch.rule.name for branch in matching_branches(holed)]
        for filled in product(*(VALUES[fact] for fact in holes)):
            (settled,) = matching_branches(holed | dict(zip(holes, filled, strict=True)))
            assert settled.rule.name in offered


def test_every_fact_can_be_said_and_settled() -> None:
    assert {fact for fact, _ in WORDS} == set(ASK) == set(Fact)
    assert all(len(values) == 2 for values in VALUES.values())
    assert all((fact, value) in WORDS for rule in RULES for fact, value in rule.when.items())
    assert set(RUEIDIS) == set(AccessOption)


def test_nothing_known_is_all_conditions_and_no_error() -> None:
    found = advise(Situation(client=None, serverless=None, on_premises=None))

    assert all(branch.conditions for branch in found.branches)
    assert set(found.unknown) == set(Fact)
    assert len(found.branches) == len(RULES)


def test_unknown_routes_give_peering_with_its_condition_and_nodeway_otherwise() -> None:
    found = advice(routes_allowed=None)

    assert [branch.rule.option for branch in found.branches] == [
        AccessOption.PEERING,
        AccessOption.NODEWAY,
    ]
    assert found.branches[0].holds_if == ("full routes between the networks may be given",)
    assert found.branches[1].holds_if == ()
    assert found.unknown == (Fact.ROUTES,)


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
def test_what_moved_carries_is_known_only_when_tls_and_endpoint_type_settle_it(
    changes: dict[str, Any], value: str | None
) -> None:
    assert rule_facts(Situation.model_validate(SERVED | changes))[Fact.ANSWERS] == value


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
def test_ranges_are_apart_only_when_both_sides_are_known(
    client: list[str] | None, cache: list[str] | None, value: str | None
) -> None:
    """No range given is not a range that overlaps with nothing."""
    situation = Situation.model_validate(SERVED | {"client_cidrs": client, "cache_cidrs": cache})

    assert rule_facts(situation)[Fact.OVERLAP] == value


def test_overlap_is_named_with_both_ranges_and_says_what_it_keeps_out() -> None:
    found = advice(routes_allowed=True, client_cidrs=["10.50.64.0/20"])

    assert found.notes[0].startswith("10.50.64.0/20 (client) and 10.50.0.0/16 (cache) overlap")
    assert [(one.option, one.because) for one in found.excluded] == [
        (AccessOption.PEERING, ("the address ranges overlap",)),
        (AccessOption.LATTICE, ("nodes come and go, and nobody scripts that",)),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tls": "preferred"}, "finish the move to `required`"),
        ({"endpoint_type": "ip"}, "set cluster-preferred-endpoint-type to tls-dynamic"),
        ({"other_account": True}, "associated with the zone by an authorisation"),
        ({"on_premises": True}, "Route 53 Resolver inbound endpoint"),
        ({"scripted": True, "nodes": 60}, "60 nodes and the configuration endpoint are more than"),
    ],
)
def test_what_is_to_be_minded_is_said_and_only_then(changes: dict[str, Any], told: str) -> None:
    assert any(told in note for note in advice(**changes).notes)
    assert not any(told in note for note in advice().notes)


def test_59_nodes_fit_a_lattice_group() -> None:
    assert advice(scripted=True, nodes=59).notes == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "rueidis, Nodeway: its defaults"),
        ({"tls": "off"}, "ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true"),
        ({"cluster_mode": False}, "without cluster mode ForceSingleClient"),
        ({"routes_allowed": None}, "rueidis, VPC peering, Nodeway: its defaults"),
    ],
)
def test_rueidis_gets_its_settings_once_for_each_way(changes: dict[str, Any], told: str) -> None:
    (said,) = advice(client="rueidis", **changes).client

    assert told in said
    assert advice(**changes).client == ()


def test_misspelt_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="cluster_mod"):
        Situation.model_validate({"cluster_mod": True})
