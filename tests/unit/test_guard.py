"""Stage 4: what no plan may do. Each rule is proven needed: without it, its case goes through."""

from dataclasses import dataclass

import pytest

from resync.guard import (
    RULES,
    Observed,
    Rule,
    check,
    empty_changes_nothing,
    incomplete_forbids_deletes,
    last_address_of_a_live_node_stays,
    nothing_healthy_changes_nothing,
    removes,
)
from resync.plan import Change, Create, Delete, Plan, Update
from tests.fakes import ONE, THREE, TWO, fleet, proxy, record, soa, topology

HEALTHY = fleet(proxy(ONE, "10.20.1.5"))
MOVE = Update(record(ONE, "10.20.1.4"), record(ONE, "10.20.1.5"), "")
GROW = Update(record(ONE, "10.20.1.4"), record(ONE, "10.20.1.4", "10.20.1.5"), "")
LOWER_SOA = Update(soa(), soa(ttl=5), "")


@dataclass(frozen=True, slots=True)
class Case:
    """A change that exactly one rule forbids."""

    change: Change
    seen: Observed
    reason: str


NEEDED: dict[Rule, Case] = {
    empty_changes_nothing: Case(
        Create(record(ONE, "10.20.1.5"), ""),
        Observed(topology(), HEALTHY),
        "no node with an endpoint",
    ),
    nothing_healthy_changes_nothing: Case(
        MOVE,
        Observed(topology(ONE), fleet(proxy(ONE, "10.20.1.5", healthy=False))),
        "no HAProxy at all is healthy",
    ),
    incomplete_forbids_deletes: Case(
        Delete(record(THREE, "10.20.1.7"), ""),
        Observed(topology(ONE, problems=("page 2 was throttled",)), HEALTHY),
        "the read was incomplete: page 2 was throttled",
    ),
    last_address_of_a_live_node_stays: Case(
        Delete(record(TWO, "10.20.1.6"), ""),
        Observed(topology(ONE, TWO), HEALTHY),
        "the last address of a live node",
    ),
}


def test_every_rule_has_a_case() -> None:
    """A new rule comes with the case that it exists for."""
    assert set(NEEDED) == set(RULES)


@pytest.mark.parametrize("rule", NEEDED, ids=lambda rule: str(rule.__name__))
def test_check_refuses_the_case_of_each_rule(rule: Rule) -> None:
    """The refusal names the rule and the reason, and the change is not in what may be applied."""
    case = NEEDED[rule]

    verdict = check(Plan((case.change,)), case.seen)

    assert verdict.plan.changes == ()
    assert [(r.change, r.rule) for r in verdict.refusals] == [(case.change, rule.__name__)]
    assert case.reason in verdict.refusals[0].reason


@pytest.mark.parametrize("rule", NEEDED, ids=lambda rule: str(rule.__name__))
def test_check_lets_the_case_through_when_its_rule_is_gone(rule: Rule) -> None:
    """No other rule would stop it: each one carries its weight."""
    case = NEEDED[rule]

    verdict = check(Plan((case.change,)), case.seen, tuple(r for r in RULES if r is not rule))

    assert verdict.plan.changes == (case.change,)
    assert verdict.refusals == ()


def test_check_refuses_change_by_change() -> None:
    """A node that lost its last proxy does not stop another's record from being corrected."""
    forbidden = Delete(record(TWO, "10.20.1.6"), "")

    verdict = check(Plan((MOVE, forbidden)), Observed(topology(ONE, TWO), HEALTHY))

    assert verdict.plan.changes == (MOVE,)
    assert [r.change for r in verdict.refusals] == [forbidden]


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (LOWER_SOA, Observed(topology(), fleet())),
        (GROW, Observed(topology(ONE), fleet())),
        (GROW, Observed(topology(ONE, problems=("a page is missing",)), HEALTHY)),
        (MOVE, Observed(topology(ONE), HEALTHY)),
        (Delete(record(THREE, "10.20.1.7"), ""), Observed(topology(ONE), HEALTHY)),
    ],
    ids=[
        "SOA while nothing is known",
        "more while nothing is healthy",
        "more while incomplete",
        "move",
        "delete of a stranger",
    ],
)
def test_check_allows_what_hurts_nobody(change: Change, seen: Observed) -> None:
    """The guard is no reason for records to be stale."""
    assert check(Plan((change,)), seen).plan.changes == (change,)


@pytest.mark.parametrize(
    "seen",
    [
        Observed(topology(ONE, problems=("a page is missing",)), HEALTHY),
        Observed(
            topology(ONE), fleet(proxy(ONE, "10.20.1.5"), problems=("a task was not described",))
        ),
    ],
    ids=["topology", "fleet"],
)
def test_check_refuses_to_take_an_address_away_when_any_source_was_not_read_whole(
    seen: Observed,
) -> None:
    """An update that drops an address is a removal too."""
    verdict = check(Plan((MOVE,)), seen)

    assert [r.rule for r in verdict.refusals] == ["incomplete_forbids_deletes"]


@pytest.mark.parametrize(
    ("change", "does"),
    [
        (Create(record(ONE, "10.0.0.1"), ""), False),
        (GROW, False),
        (MOVE, True),
        (LOWER_SOA, False),
        (Delete(record(ONE, "10.0.0.1"), ""), True),
    ],
    ids=["create", "grow", "move", "SOA", "delete"],
)
def test_removes_is_about_addresses_that_somebody_could_be_using(
    change: Change, *, does: bool
) -> None:
    """Only losing an address counts."""
    assert removes(change) is does
