"""Who owns a name, and since when its node is absent: a TXT record beside each name. Pure.

The zone is the only state: there is no database that could disagree with it. A record set without our marker is
somebody else's, whatever it is called.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from nodeway_runtime.model.topology import Hostname, Record, RecordType

PREFIX = "_nodeway."
HERITAGE = "nodeway"
READS_UNTIL_GONE = 3
"""Complete reads in which a node must be absent before its record may go."""
SECONDS_BETWEEN_READS = 20
"""A burst of events is one read, not three."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What the TXT beside a name says. `absent_reads` is 0 while the name's node is there."""

    owner: str
    absent_since: datetime | None = None
    absent_reads: int = 0
    last_read: datetime | None = None
    """The last read that was counted."""

    def absent_again(self, now: datetime) -> "Marker":
        """The marker after one more read in which the node was absent; the same while it is the same moment."""
        at = now.replace(microsecond=0)
        if self.absent_since is None:
            return replace(self, absent_since=at, absent_reads=1, last_read=at)
        since_last = now - (self.last_read or self.absent_since)
        if since_last < timedelta(seconds=SECONDS_BETWEEN_READS):
            return self
        return replace(self, absent_reads=self.absent_reads + 1, last_read=at)

    @property
    def gone(self) -> bool:
        """Whether the node was absent in enough reads."""
        return self.absent_reads >= READS_UNTIL_GONE


def marker_name(name: Hostname) -> Hostname:
    """Where the marker of a name is."""
    return Hostname(f"{PREFIX}{name}")


def subject(name: Hostname) -> Hostname:
    """The name that a record is about: itself, or for a marker the name beside it."""
    return Hostname(name.removeprefix(PREFIX))


def marker_record(name: Hostname, marker: Marker, ttl: int) -> Record:
    """The TXT record set that says this of a name."""
    parts = [f"heritage={HERITAGE}", f"owner={marker.owner}"]
    if marker.absent_since is not None:
        parts += [f"absent_since={stamp(marker.absent_since)}"]
        parts += [f"absent_reads={marker.absent_reads}"]
    if marker.last_read is not None:
        parts += [f"last_read={stamp(marker.last_read)}"]
    return Record(marker_name(name), RecordType.TXT, (f'"{",".join(parts)}"',), ttl)


def stamp(at: datetime) -> str:
    """A time as a marker holds it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime:
    """The time that a marker holds; raises ValueError or OverflowError for what `stamp` would not have written."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = f"a time without zone: {text}"
        raise ValueError(msg)
    return at.astimezone(UTC)


def marker_of(record: Record) -> Marker | None:
    """What a TXT record set says, or None when it is no marker of this program.

    An absence that this program would not have written is none: it is counted from the beginning.
    """
    if record.type is not RecordType.TXT or not record.name.startswith(PREFIX):
        return None
    if len(record.values) != 1:
        return None
    pairs = [part.partition("=") for part in record.values[0].strip('"').split(",")]
    said = {key: value for key, _, value in pairs}
    if said.get("heritage") != HERITAGE or not said.get("owner"):
        return None
    try:
        since, reads = time_of(said.get("absent_since", "")), int(said.get("absent_reads", ""))
        last = time_of(said["last_read"]) if "last_read" in said else None
        if 0 < reads <= READS_UNTIL_GONE:
            return Marker(said["owner"], since, reads, last)
    except (ValueError, OverflowError):
        pass
    return Marker(said["owner"])


def markers(records: tuple[Record, ...]) -> dict[Hostname, Marker]:
    """Name to what its marker says."""
    found = ((subject(record.name), marker_of(record)) for record in records)
    return {name: marker for name, marker in found if marker is not None}
