"""Stage 4: what a plan may not do, whatever the sources said. Pure.

`RULES` judge one change each, and answer a reason to refuse it, or None. Refusing is per name: a node that lost its
last HAProxy must not stop the record of another from being corrected; a name and its marker go together. What is left
is judged as a whole: more deletes than usual need a person's approval of exactly these. A new rule is a function and
a line.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.ownership import READS_UNTIL_GONE, Marker, marker_of, markers
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Observation
from nodeway_runtime.model.topology import Hostname, Record, RecordType
from nodeway_runtime.planner.plan import Plan

MASS_DELETE_SHARE = 0.3
MASS_DELETE_FREE = 1
"""Deletes that a run may always make: without it a cluster of three nodes could never shrink."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the rules may look at."""

    observation: Observation
    settings: Settings
    owners: dict[Hostname, Marker]

    @staticmethod
    def of(observation: Observation, settings: Settings) -> "Observed":
        """From what was read."""
        return Observed(observation, settings, markers(observation.records))


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
    """Whether the change takes an address away from somebody, or counts towards that."""
    match change:
        case Create():
            return False
        case Update(old, new, _) if old.type is RecordType.TXT:
            return reads(new) > reads(old)
        case Update(old, new, _):
            return old.type is RecordType.A and not set(old.values) <= set(new.values)
        case Delete():
            return True


def reads(record: Record) -> int:
    """How often a marker says that its node was absent."""
    marker = marker_of(record)
    return marker.absent_reads if marker else 0


def is_pinned(change: Change, seen: Observed) -> bool:
    """A person's own word about a name needs no source to agree."""
    return change.subject in seen.settings.pins


def clients_zone_is_not_the_proxies(_: Change, seen: Observed) -> str | None:
    """In a VPC that sees the zone, a HAProxy would resolve its node to itself: no record may lead into that loop."""
    if seen.settings.proxy_vpc_id in seen.observation.zone_vpcs:
        return f"the zone is associated with the HAProxies' own VPC {seen.settings.proxy_vpc_id}"
    return None


def empty_changes_nothing(change: Change, seen: Observed) -> str | None:
    """A source that says "no nodes" is believed about nothing (external-dns #414, #3841)."""
    if not seen.observation.topology.live and not is_pinned(change, seen):
        return "the topology that was read has no node with an endpoint"
    return None


def nothing_healthy_changes_nothing(change: Change, seen: Observed) -> str | None:
    """No healthy HAProxy anywhere is far more likely a fault of ours than a reason to move records."""
    healthy = any(p.healthy for p in seen.observation.fleet.proxies)
    if removes(change) and not healthy and not is_pinned(change, seen):
        return "no proxy at all is healthy"
    return None


def incomplete_forbids_deletes(change: Change, seen: Observed) -> str | None:
    """An unread page, member or task is unknown, and unknown is never empty (external-dns #2858, #3997)."""
    if removes(change) and seen.observation.problems and not is_pinned(change, seen):
        return f"the read was incomplete: {'; '.join(seen.observation.problems)}"
    return None


def last_address_of_a_live_node_stays(change: Change, seen: Observed) -> str | None:
    """A name that clients are sent to by MOVED must keep an answer, even one that is down just now."""
    name = change.subject
    if isinstance(change, Delete) and seen.observation.topology.knows(name):
        return "it is the last address of a live node"
    return None


def absent_in_few_reads_stays(change: Change, seen: Observed) -> str | None:
    """One or two reads without a node are no proof that it is gone."""
    if not isinstance(change, Delete):
        return None
    marker = seen.owners.get(change.subject)
    counted = marker.absent_reads if marker else 0
    if counted < READS_UNTIL_GONE - 1:
        return f"its node was absent in {counted} complete reads before this one, not {READS_UNTIL_GONE - 1}"
    return None


def foreign_record_stays(change: Change, seen: Observed) -> str | None:
    """What has no marker of ours is not ours to change (external-dns #1239), unless we are told to take over."""
    if change.subject in seen.observation.obstructed:
        return "a record set of another kind is in its way; take that away or move it"
    if change.record.type is RecordType.SOA or seen.settings.take_over:
        return None
    marker = seen.owners.get(change.subject)
    if marker is not None and marker.owner != seen.settings.owner:
        return f"it belongs to {marker.owner}; take it over with -c take_over=true"
    if marker is None and change.subject in seen.observation.addressed:
        return "it has no marker of ours; take it over with -c take_over=true"
    return None


def other_zones_name_stays_out(change: Change, seen: Observed) -> str | None:
    """Route 53 refuses the whole batch for one name that is not the zone's, and every other node would wait for it."""
    name, zone = change.subject, seen.settings.zone_name
    if name != zone and not name.endswith(f".{zone}"):
        return f"it is not a name of the zone {zone}"
    return None


Rule = Callable[[Change, Observed], str | None]

RULES: tuple[Rule, ...] = (
    clients_zone_is_not_the_proxies,
    empty_changes_nothing,
    nothing_healthy_changes_nothing,
    incomplete_forbids_deletes,
    last_address_of_a_live_node_stays,
    absent_in_few_reads_stays,
    foreign_record_stays,
    other_zones_name_stays_out,
)


def check(plan: Plan, seen: Observed, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """The plan without what is refused; the first rule to refuse a change of a name is the reason for all of it."""
    refused: dict[Hostname, tuple[str, str]] = {}
    for change in plan.changes:
        found = first_refusal(change, seen, rules)
        if found is not None and record_is_judged(change):
            refused.setdefault(change.subject, found)
    kept = Plan(tuple(c for c in plan.changes if c.subject not in refused))
    mass = mass_delete_needs_approval(kept, seen)
    if mass is not None:
        refused |= {d.subject: (mass_delete_needs_approval.__name__, mass) for d in kept.deletes}
    allowed = (c for c in plan.changes if c.subject not in refused)
    refusals = (Refusal(c, *refused[c.subject]) for c in plan.changes if c.subject in refused)
    return Verdict(Plan(tuple(allowed)), tuple(refusals))


def record_is_judged(change: Change) -> bool:
    """The SOA is never a danger to a client: it only shortens what resolvers remember."""
    return change.record.type is not RecordType.SOA


def first_refusal(
    change: Change, seen: Observed, rules: tuple[Rule, ...]
) -> tuple[str, str] | None:
    """The first rule with a word against a change: its name and its reason."""
    for rule in rules:
        reason = rule(change, seen)
        if reason is not None:
            return rule.__name__, reason
    return None


def mass_delete_needs_approval(plan: Plan, seen: Observed) -> str | None:
    """More deletes at once than a cluster usually has are made only when a person named exactly these."""
    deletes = Plan(tuple(d for d in plan.deletes if d.old.type is RecordType.A))
    owned = sum(marker.owner == seen.settings.owner for marker in seen.owners.values())
    free = max(MASS_DELETE_FREE, int(owned * MASS_DELETE_SHARE))
    if len(deletes.changes) <= free or seen.settings.approve == deletes.checksum:
        return None
    return (
        f"{len(deletes.changes)} deletes of {owned} records in one run, and {free} are allowed;"
        f" if they are right: approve={deletes.checksum}"
    )
