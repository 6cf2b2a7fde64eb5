"""Changes of record sets as values. Pure."""

from dataclasses import dataclass
from typing import cast

from nodeway_runtime.model.ownership import subject
from nodeway_runtime.model.topology import Hostname, Record, RecordType


class _RecordChange:
    """What the three kinds of change have in common."""

    __slots__ = ()
    why: str

    @property
    def record(self) -> Record:
        """The record set as it will be; for a delete, as it was."""
        change = cast("Change", self)
        return change.old if isinstance(change, Delete) else change.new

    @property
    def key(self) -> tuple[Hostname, RecordType]:
        """Name and type of the record set."""
        return self.record.key

    @property
    def subject(self) -> Hostname:
        """The name that the change is about: the record's, or for a marker the name that it marks."""
        return subject(self.record.name)

    @property
    def summary(self) -> str:
        """The change on one line without its reason, such as `+ a.example A 10.0.0.1 ttl=5`."""
        match cast("Change", self):
            case Create(new, _):
                return f"+ {new}"
            case Update(old, new, _):
                return f"~ {old} -> {','.join(new.values)} ttl={new.ttl}"
            case Delete(old, _):
                return f"- {old}"

    def __str__(self) -> str:
        return f"{self.summary}  # {self.why}"


@dataclass(frozen=True, slots=True)
class Create(_RecordChange):
    """A record set that does not exist yet."""

    new: Record
    why: str


@dataclass(frozen=True, slots=True)
class Update(_RecordChange):
    """A record set with other values or another TTL than desired."""

    old: Record
    new: Record
    why: str


@dataclass(frozen=True, slots=True)
class Delete(_RecordChange):
    """A record set that should no longer exist."""

    old: Record
    why: str


Change = Create | Update | Delete
