"""Compares current with desired records. The result, a Plan, is data: sorted, printable, hashable. Pure.

    name    | current          | desired | change
    --------+------------------+---------+--------------------------------------------------
    a       |    -             |    x    | Create x
    b       |    x             |    y    | Update x -> y
    c       |    x             |    x    | nothing
    d       |    x, ours       |    -    | node known: Delete x (the guard keeps it);
            |                  |         | node absent: count it in the marker, and at the
            |                  |         | third count Delete x and its marker
    e       |    x, not ours   |    -    | nothing: a name without our marker is left alone

Every A record set has a marker (model/ownership.py), which is created, changed and deleted together with it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.ownership import (
    Marker,
    marker_name,
    marker_record,
    markers_by_name,
    parse_marker,
    subject,
)
from nodeway_runtime.model.topology import Hostname, Record, RecordType, Topology
from nodeway_runtime.planner.desired import Desired
from nodeway_runtime.planner.stand_ins import StandInPlan


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. `changes`: creates and updates first, deletes last, as they are applied."""

    changes: tuple[Change, ...] = ()
    stand_ins: StandInPlan = field(default_factory=StandInPlan)

    @property
    def creates(self) -> tuple[Create, ...]:
        """The changes that create a record set."""
        return tuple(c for c in self.changes if isinstance(c, Create))

    @property
    def updates(self) -> tuple[Update, ...]:
        """The changes that replace a record set."""
        return tuple(c for c in self.changes if isinstance(c, Update))

    @property
    def deletes(self) -> tuple[Delete, ...]:
        """The changes that delete a record set."""
        return tuple(c for c in self.changes if isinstance(c, Delete))

    @property
    def checksum(self) -> str:
        """Identifies the plan: the first 12 hexadecimal digits of a SHA-256 over its lines, without their reasons.

        Left out: markers that accompany their record, and markers that count an absence, as these contain the time.
        """
        changes = (c for c in visible_changes(self.changes) if not counts_absence(c))
        lines = (one.summary for one in (*changes, *self.stand_ins.steps))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.changes, *self.stand_ins.steps))) or "no changes"


def visible_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without those of markers that only accompany their record."""
    every = tuple(changes)
    records = {one.record.name for one in every if one.record.type is not RecordType.TXT}
    return tuple(
        one for one in every if one.record.type is not RecordType.TXT or one.subject not in records
    )


def counts_absence(change: Change) -> bool:
    """Whether the change only records in a marker that a read was without the node."""
    marker = parse_marker(change.record)
    return isinstance(change, Update) and marker is not None and marker.absent_since is not None


def diff(
    current: tuple[Record, ...],
    desired: Desired,
    topology: Topology,
    *,
    owner: str,
    now: datetime,
) -> Plan:
    """The plan that turns the current records into the desired ones at the time `now`.

    `owner`: only names with this owner's marker are removed.
    """
    have = {record.key: record for record in current}
    want = {record.key: record for record in desired.records}
    writes: list[Change] = []
    for record_key in sorted(want, key=apply_order):
        new, old = want[record_key], have.get(record_key)
        reason = desired.why.get(subject(new.name), "")
        if old is None:
            writes.append(Create(new, reason))
        elif old != new:
            writes.append(Update(old, new, reason))
    wanted = {subject(name) for name, _ in want}
    for name, marker in sorted(markers_by_name(current).items()):
        if marker.owner == owner and name not in wanted:
            writes += plan_removal(name, marker, have, known=topology.has_member(name), now=now)
    return Plan(tuple(sorted(writes, key=lambda change: isinstance(change, Delete))))


def plan_removal(
    name: Hostname,
    marker: Marker,
    have: dict[tuple[Hostname, RecordType], Record],
    *,
    known: bool,
    now: datetime,
) -> list[Change]:
    """The changes for a name of ours without a desired record. `known`: whether its node is a member."""
    ours = [have[k] for k in ((name, RecordType.A), marker_key(name)) if k in have]
    if known and marker.absent_reads:
        # Only consecutive reads without the node count.
        back, old = Marker(marker.owner), have[marker_key(name)]
        return [Update(old, marker_record(name, back, old.ttl), "its node is there again")]
    if known:
        return [Delete(record, "none of its node's HAProxies is healthy") for record in ours]
    counted = marker.count_absence(now)
    if counted.is_gone:
        why = f"its node is absent since {counted.absent_since:%Y-%m-%dT%H:%M:%SZ}"
        return [Delete(record, why) for record in ours]
    if counted == marker:
        return []
    old = have[marker_key(name)]
    why = f"its node is absent, read {counted.absent_reads}"
    return [Update(old, marker_record(name, counted, old.ttl), why)]


def marker_key(name: Hostname) -> tuple[Hostname, RecordType]:
    """The key of a name's marker."""
    return marker_name(name), RecordType.TXT


def apply_order(record_key: tuple[Hostname, RecordType]) -> tuple[bool, str, str]:
    """The SOA first, so that negative answers expire soon; then each name with its marker."""
    name, record_type = record_key
    return record_type is not RecordType.SOA, subject(name), record_type
