"""Stage 3: what would have to change. Pure; the plan is data: sorted, countable, printable, hashable.

name    | current | desired | change
--------+---------+---------+----------------------------
a       |    -    |    x    | Create x
b       |    x    |    y    | Update x -> y
c       |    x    |    x    | nothing
d       |    x    |    -    | Delete x
"""

import hashlib
from dataclasses import dataclass

from resync.desired import Desired
from resync.topology import Record, RecordType


@dataclass(frozen=True, slots=True)
class Create:
    """A record set that is not there yet."""

    new: Record
    why: str


@dataclass(frozen=True, slots=True)
class Update:
    """A record set whose values or TTL are no longer right."""

    old: Record
    new: Record
    why: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A record set that should no longer be there."""

    old: Record
    why: str


Change = Create | Update | Delete


def key(change: Change) -> tuple[str, str]:
    """Name and type of the record set that a change is about."""
    record = change.old if isinstance(change, Delete) else change.new
    return record.key


def line(change: Change) -> str:
    """The change as a person reads it: `+`, `~` or `-`, name, type, values, why."""
    match change:
        case Create(new, why):
            return f"+ {new.name} {new.type} {','.join(new.values)} ttl={new.ttl}  # {why}"
        case Update(old, new, why):
            return (
                f"~ {new.name} {new.type} {','.join(old.values)} ttl={old.ttl}"
                f" -> {','.join(new.values)} ttl={new.ttl}  # {why}"
            )
        case Delete(old, why):
            return f"- {old.name} {old.type} {','.join(old.values)} ttl={old.ttl}  # {why}"


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
        """Names this plan and no other: the first 12 hex digits of a SHA-256 over its lines without the reasons."""
        text = "\n".join(line(c).partition("  # ")[0] for c in self.changes)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """One line a change."""
        return "\n".join(line(c) for c in self.changes) or "no changes"


def diff(current: tuple[Record, ...], desired: Desired) -> Plan:
    """The plan that turns the current records into the desired ones.

    The SOA is only ever updated: a zone has exactly one, and it cannot be created or deleted.
    """
    have = {record.key: record for record in current}
    want = {record.key: record for record in desired.records}
    why = desired.why
    writes: list[Change] = []
    for record_key, new in sorted(want.items(), key=in_turn):
        old = have.get(record_key)
        reason = why.get(new.name, "")
        if old is None:
            writes.append(Create(new, reason))
        elif old != new:
            writes.append(Update(old, new, reason))
    deletes = [
        Delete(
            old,
            "no node or pin of this deployment has this name, or none of its HAProxies is healthy",
        )
        for record_key, old in sorted(have.items())
        if record_key not in want and old.type is RecordType.A
    ]
    return Plan((*writes, *deletes))


def in_turn(item: tuple[tuple[str, RecordType], Record]) -> tuple[bool, str]:
    """The SOA first, so that a name asked for too early is forgotten soon; then names in order."""
    (name, record_type), _ = item
    return record_type is not RecordType.SOA, name
