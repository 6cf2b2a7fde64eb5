"""Changes of record sets as values. Pure."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from nodeway_runtime.model.ownership import subject
from nodeway_runtime.model.topology import Hostname, Record, RecordType


class _RecordChange(ABC):
    """What the three kinds of change have in common."""

    __slots__ = ()
    why: str

    @property
    @abstractmethod
    def record(self) -> Record:
        """The record set as it will be; for a delete, as it was."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """The change on one line, without its reason."""

    @property
    def key(self) -> tuple[Hostname, RecordType]:
        """Name and type of the record set."""
        return self.record.key

    @property
    def subject(self) -> Hostname:
        """The name that the change is about: the record's, or for a marker the name that it marks."""
        return subject(self.record.name)

    def __str__(self) -> str:
        return f"{self.summary}  # {self.why}"


@dataclass(frozen=True, slots=True)
class Create(_RecordChange):
    """A record set that does not exist yet."""

    new: Record
    why: str

    @property
    def record(self) -> Record:
        """The new record set."""
        return self.new

    @property
    def summary(self) -> str:
        """Such as `+ a.example A 10.0.0.1 ttl=5`."""
        return f"+ {self.new}"


@dataclass(frozen=True, slots=True)
class Update(_RecordChange):
    """A record set with other values or another TTL than desired."""

    old: Record
    new: Record
    why: str

    @property
    def record(self) -> Record:
        """The record set after the change."""
        return self.new

    @property
    def summary(self) -> str:
        """Such as `~ a.example A 10.0.0.1 ttl=5 -> 10.0.0.2 ttl=5`."""
        return f"~ {self.old} -> {','.join(self.new.values)} ttl={self.new.ttl}"


@dataclass(frozen=True, slots=True)
class Delete(_RecordChange):
    """A record set that should no longer exist."""

    old: Record
    why: str

    @property
    def record(self) -> Record:
        """The record set before the change."""
        return self.old

    @property
    def summary(self) -> str:
        """Such as `- a.example A 10.0.0.1 ttl=5`."""
        return f"- {self.old}"


Change = Create | Update | Delete
