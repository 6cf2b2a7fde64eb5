"""Stage 4: what a plan may not do, whatever the sources said. Pure.

Every rule is a function of one change and what was read, and answers a reason to refuse it, or None.
Refusing is per change:
a node that lost its last HAProxy must not stop the record of another from being corrected. `RULES` is the whole policy;
a new rule is a function and a line there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from resync.plan import Change, Create, Delete, Plan, Update
from resync.topology import Fleet, RecordType, Topology


@dataclass(frozen=True, slots=True)
class Observed:
    """What the rules may look at."""

    topology: Topology
    fleet: Fleet


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that is not made, and the rule and reason that forbid it."""

    change: Change
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The part of a plan that may be applied, and what was refused of it."""

    plan: Plan
    refusals: tuple[Refusal, ...]


def removes(change: Change) -> bool:
    """Whether the change takes an address away from somebody."""
    match change:
        case Create():
            return False
        case Update(old, new, _):
            return old.type is RecordType.A and not set(old.values) <= set(new.values)
        case Delete():
            return True


def empty_changes_nothing(change: Change, seen: Observed) -> str | None:
    """A source that says "no nodes" is believed about nothing at all (external-dns #3841)."""
    if not seen.topology.live and change_is_a(change):
        return "the topology that was read has no node with an endpoint"
    return None


def nothing_healthy_changes_nothing(change: Change, seen: Observed) -> str | None:
    """No healthy HAProxy anywhere is far more likely a fault of ours than a reason to move records."""
    if change_is_a(change) and removes(change) and not any(p.healthy for p in seen.fleet.proxies):
        return "no HAProxy at all is healthy"
    return None


def incomplete_forbids_deletes(change: Change, seen: Observed) -> str | None:
    """An unread page, member or task is unknown, and unknown is never empty."""
    problems = (*seen.topology.problems, *seen.fleet.problems)
    if problems and removes(change):
        return f"the read was incomplete: {'; '.join(problems)}"
    return None


def last_address_of_a_live_node_stays(change: Change, seen: Observed) -> str | None:
    """A name that clients are sent to by MOVED must keep an answer, even one that is down just now."""
    if isinstance(change, Delete) and seen.topology.knows(change.old.name):
        return "it is the last address of a live node"
    return None


def change_is_a(change: Change) -> bool:
    """Whether the change is about addresses (the SOA is never a danger to a client)."""
    record = change.old if isinstance(change, Delete) else change.new
    return record.type is RecordType.A


Rule = Callable[[Change, Observed], str | None]

RULES: tuple[Rule, ...] = (
    empty_changes_nothing,
    nothing_healthy_changes_nothing,
    incomplete_forbids_deletes,
    last_address_of_a_live_node_stays,
)


def check(plan: Plan, seen: Observed, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """The plan without the changes that a rule refuses; the first rule to refuse one is its reason."""
    allowed: list[Change] = []
    refusals: list[Refusal] = []
    for change in plan.changes:
        refusal = first_refusal(change, seen, rules)
        if refusal is None:
            allowed.append(change)
        else:
            refusals.append(refusal)
    return Verdict(Plan(tuple(allowed)), tuple(refusals))


def first_refusal(change: Change, seen: Observed, rules: tuple[Rule, ...]) -> Refusal | None:
    """The first rule's word against a change, if any has one."""
    for rule in rules:
        reason = rule(change, seen)
        if reason is not None:
            return Refusal(change, rule.__name__, reason)
    return None
