"""Stage 3: what would have to change. Pure; the plan is data: sorted, countable, printable, hashable.

    name    | current          | desired | change
    --------+------------------+---------+--------------------------------------------------
    a       |    -             |    x    | Create x
    b       |    x             |    y    | Update x -> y
    c       |    x             |    x    | nothing
    d       |    x, ours       |    -    | node known: Delete x (the guard keeps it);
            |                  |         | node absent: count it in the marker, and at the
            |                  |         | third count Delete x and its marker
    e       |    x, not ours   |    -    | nothing: what has no marker of ours is not seen

Every A record set has a TXT beside it (ownership.py) that is created, changed and deleted together with it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.ownership import Marker, marker_name, marker_record, markers, subject
from nodeway_runtime.model.topology import Hostname, Record, RecordType, Topology
from nodeway_runtime.planner.desired import Desired


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are applied: creates and updates first, deletes last."""

    changes: tuple[Change, ...] = ()

    @property
    def creates(self) -> tuple[Create, ...]:
        """The changes that add."""
        return tuple(c for c in self.changes if isinstance(c, Create))

    @property
    def updates(self) -> tuple[Update, ...]:
        """The changes that replace."""
        return tuple(c for c in self.changes if isinstance(c, Update))

    @property
    def deletes(self) -> tuple[Delete, ...]:
        """The changes that take away."""
        return tuple(c for c in self.changes if isinstance(c, Delete))

    @property
    def checksum(self) -> str:
        """Names this plan and no other: the first 12 hex digits of a SHA-256 over its lines.

        Without the reasons, and without the markers, which follow from the rest and hold times.
        """
        text = "\n".join(c.summary for c in self.changes if c.record.type is not RecordType.TXT)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """One line a change."""
        return "\n".join(map(str, self.changes)) or "no changes"


def diff(
    current: tuple[Record, ...],
    desired: Desired,
    topology: Topology,
    *,
    owner: str,
    now: datetime,
) -> Plan:
    """The plan that turns the current records into the desired ones.

    The SOA is only ever updated: a zone has exactly one, and it cannot be created or deleted.
    """
    have = {record.key: record for record in current}
    want = {record.key: record for record in desired.records}
    writes: list[Change] = []
    for record_key in sorted(want, key=in_turn):
        new, old = want[record_key], have.get(record_key)
        reason = desired.why.get(subject(new.name), "")
        if old is None:
            writes.append(Create(new, reason))
        elif old != new:
            writes.append(Update(old, new, reason))
    wanted = {subject(name) for name, _ in want}
    for name, marker in sorted(markers(current).items()):
        if marker.owner == owner and name not in wanted:
            writes += unwanted(name, marker, have, known=topology.knows(name), now=now)
    return Plan(tuple(sorted(writes, key=lambda change: isinstance(change, Delete))))


def unwanted(
    name: Hostname,
    marker: Marker,
    have: dict[tuple[Hostname, RecordType], Record],
    *,
    known: bool,
    now: datetime,
) -> list[Change]:
    """What to do with a name of ours that no desired record has: count it, or delete it with its marker."""
    ours = [have[k] for k in ((name, RecordType.A), marker_key(name)) if k in have]
    if known and marker.absent_reads:
        # reads without the node count only one after the other
        back, old = Marker(marker.owner), have[marker_key(name)]
        return [Update(old, marker_record(name, back, old.ttl), "its node is there again")]
    if known:
        return [Delete(record, "none of its node's HAProxies is healthy") for record in ours]
    counted = marker.absent_again(now)
    if counted.gone:
        why = f"its node is absent since {counted.absent_since:%Y-%m-%dT%H:%M:%SZ}"
        return [Delete(record, why) for record in ours]
    return [count(have[marker_key(name)], name, counted)] if counted != marker else []


def count(old: Record, name: Hostname, counted: Marker) -> Update:
    """The change that notes one more read without the node."""
    why = f"its node is absent, read {counted.absent_reads}"
    return Update(old, marker_record(name, counted, old.ttl), why)


def marker_key(name: Hostname) -> tuple[Hostname, RecordType]:
    """The key of a name's marker."""
    return marker_name(name), RecordType.TXT


def in_turn(record_key: tuple[Hostname, RecordType]) -> tuple[bool, str, str]:
    """The SOA first, so that a name asked for too early is forgotten soon; then each name with its marker."""
    name, record_type = record_key
    return record_type is not RecordType.SOA, subject(name), record_type
