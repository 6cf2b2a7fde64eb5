"""Refuses changes that could harm clients, whatever the sources said. Pure.

Each rule of `RULES` judges one change and returns the reason to refuse it, or None. A refusal applies to a name and its
marker together, except for the end of an absence; other names are not affected. Finally the remaining deletes are
counted: more than usual need the approval of exactly these by a person.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.ownership import READS_UNTIL_GONE, Marker, markers_by_name, parse_marker
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.topology import Hostname, Record, RecordType
from nodeway_runtime.planner.plan import Plan

MASS_DELETE_SHARE = 0.3
MASS_DELETE_FREE = 1
"""Deletes that are always allowed, so that a cluster of three nodes can shrink."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules judge by. `owners`: the markers of the zone, by name."""

    snapshot: Snapshot
    settings: Settings
    owners: dict[Hostname, Marker]

    @staticmethod
    def of(snapshot: Snapshot, settings: Settings) -> "Evidence":
        """From a run's snapshot and settings."""
        return Evidence(snapshot, settings, markers_by_name(snapshot.records))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused change with the rule that refused it and the reason."""

    change: Change
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The part of a plan that may be carried out, and the refused changes."""

    plan: Plan
    refusals: tuple[Refusal, ...]


def removes(change: Change) -> bool:
    """Whether the change takes an address away, or counts an absence."""
    match change:
        case Create():
            return False
        case Update(old, new, _) if old.type is RecordType.TXT:
            return absent_reads(new) > absent_reads(old)
        case Update(old, new, _):
            return old.type is RecordType.A and not set(old.values) <= set(new.values)
        case Delete():
            return True


def clears_absence(change: Change) -> bool:
    """Whether the change only notes that a node of ours is a member again.

    It is made even if the name's other changes are refused: else later reads without the node would not be consecutive.
    """
    if not isinstance(change, Update):
        return False
    before, after = parse_marker(change.old), parse_marker(change.new)
    same_owner = before is not None and after is not None and before.owner == after.owner
    return same_owner and absent_reads(change.new) < absent_reads(change.old)


def absent_reads(record: Record) -> int:
    """The number of reads without the node according to a marker; 0 for any other record."""
    marker = parse_marker(record)
    return marker.absent_reads if marker else 0


def is_pinned(change: Change, evidence: Evidence) -> bool:
    """Whether a person fixed the name's addresses, so that no source has to confirm them."""
    return change.subject in evidence.settings.pins


def clients_zone_is_not_the_proxies(_: Change, evidence: Evidence) -> str | None:
    """A HAProxy in a VPC that sees the zone would resolve its node to itself."""
    if evidence.settings.proxy_vpc_id in evidence.snapshot.zone_vpcs:
        return (
            f"the zone is associated with the HAProxies' own VPC {evidence.settings.proxy_vpc_id}"
        )
    return None


def empty_changes_nothing(change: Change, evidence: Evidence) -> str | None:
    """An empty topology is more likely an error of the source than true (external-dns #414, #3841)."""
    if not evidence.snapshot.topology.reachable and not is_pinned(change, evidence):
        return "the topology that was read has no node with an endpoint"
    return None


def nothing_healthy_changes_nothing(change: Change, evidence: Evidence) -> str | None:
    """If no HAProxy at all is healthy, the cause is more likely a fault of the deployment than of all nodes."""
    healthy = any(p.healthy for p in evidence.snapshot.fleet.proxies)
    if removes(change) and not healthy and not is_pinned(change, evidence):
        return "no proxy at all is healthy"
    return None


def incomplete_forbids_deletes(change: Change, evidence: Evidence) -> str | None:
    """What was not read is unknown, not gone (external-dns #2858, #3997)."""
    if removes(change) and evidence.snapshot.problems and not is_pinned(change, evidence):
        return f"the read was incomplete: {'; '.join(evidence.snapshot.problems)}"
    return None


def last_address_of_a_live_node_stays(change: Change, evidence: Evidence) -> str | None:
    """Clients are redirected to a member's name by MOVED, so it keeps its answer even while the proxy is down."""
    name = change.subject
    if isinstance(change, Delete) and evidence.snapshot.topology.has_member(name):
        return "it is the last address of a live node"
    return None


def absent_in_few_reads_stays(change: Change, evidence: Evidence) -> str | None:
    """A node counts as gone only after READS_UNTIL_GONE reads without it."""
    if not isinstance(change, Delete):
        return None
    marker = evidence.owners.get(change.subject)
    counted = marker.absent_reads if marker else 0
    if counted < READS_UNTIL_GONE - 1:
        return f"its node was absent in {counted} complete reads before this one, not {READS_UNTIL_GONE - 1}"
    return None


def foreign_record_stays(change: Change, evidence: Evidence) -> str | None:
    """Only records with our marker are changed (external-dns #1239), unless `take_over` is set."""
    if change.subject in evidence.snapshot.obstructed_names:
        return "a record set of another kind is in its way; take that away or move it"
    if change.record.type is RecordType.SOA or evidence.settings.take_over:
        return None
    marker = evidence.owners.get(change.subject)
    if marker is not None and marker.owner != evidence.settings.owner:
        return f"it belongs to {marker.owner}; take it over with -c take_over=true"
    if marker is None and change.subject in evidence.snapshot.names_with_address:
        return "it has no marker of ours; take it over with -c take_over=true"
    return None


def other_zones_name_stays_out(change: Change, evidence: Evidence) -> str | None:
    """Route 53 refuses a whole batch for one name outside of the zone, which would block all other names."""
    name, zone = change.subject, evidence.settings.zone_name
    if name != zone and not name.endswith(f".{zone}"):
        return f"it is not a name of the zone {zone}"
    return None


Rule = Callable[[Change, Evidence], str | None]

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


def check(plan: Plan, evidence: Evidence, rules: tuple[Rule, ...] = RULES) -> Decision:
    """The plan without what is refused. The first refusal of a name is the reason for all of its changes."""
    refused: dict[Hostname, tuple[str, str]] = {}
    for change in plan.changes:
        found = first_refusal(change, evidence, rules)
        if found is not None and record_is_judged(change):
            refused.setdefault(change.subject, found)
    kept = Plan(tuple(c for c in plan.changes if c.subject not in refused))
    mass = mass_delete_needs_approval(kept, evidence)
    if mass is not None:
        refused |= {d.subject: (mass_delete_needs_approval.__name__, mass) for d in kept.deletes}
    refusals = tuple(
        Refusal(c, *refused[c.subject])
        for c in plan.changes
        if c.subject in refused and not clears_absence(c)
    )
    left_out = {refusal.change for refusal in refusals}
    allowed = tuple(c for c in plan.changes if c not in left_out)
    return Decision(replace(plan, changes=allowed), refusals)


def record_is_judged(change: Change) -> bool:
    """Whether the rules apply: not to the SOA, whose change only shortens negative caching."""
    return change.record.type is not RecordType.SOA


def first_refusal(
    change: Change, evidence: Evidence, rules: tuple[Rule, ...]
) -> tuple[str, str] | None:
    """Name and reason of the first rule that refuses the change, if any."""
    for rule in rules:
        reason = rule(change, evidence)
        if reason is not None:
            return rule.__name__, reason
    return None


def mass_delete_needs_approval(plan: Plan, evidence: Evidence) -> str | None:
    """More than MASS_DELETE_SHARE of our records are deleted at once only if a person approved exactly these.

    The approval is the checksum of the deletes alone, so that it stays valid when other records change.
    """
    deletes = Plan(tuple(d for d in plan.deletes if d.old.type is RecordType.A))
    owned = sum(marker.owner == evidence.settings.owner for marker in evidence.owners.values())
    free = max(MASS_DELETE_FREE, int(owned * MASS_DELETE_SHARE))
    if len(deletes.changes) <= free or evidence.settings.approve == deletes.checksum:
        return None
    return (
        f"{len(deletes.changes)} deletes of {owned} records in one run, and {free} are allowed;"
        f" if they are right: approve={deletes.checksum}"
    )
