"""Ownership markers: a TXT record for each name that says who owns it and since when its node is absent. Pure.

The hosted zone is the only state. A record set without a marker of this deployment belongs to somebody else.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from nodeway_runtime.model.topology import Hostname, Record, RecordType

PREFIX = "_nodeway."
HERITAGE = "nodeway"
READS_UNTIL_GONE = 3
"""Complete reads in which a node must be absent before its record may be deleted."""
SECONDS_BETWEEN_READS = 20
"""Reads within this time count as one, so that a burst of events is not taken for several reads."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The content of a marker.

    `absent_reads` is 0 while the name's node is a member of the cluster. `last_read`: the last read that was counted.
    """

    owner: str
    absent_since: datetime | None = None
    absent_reads: int = 0
    last_read: datetime | None = None

    def count_absence(self, now: datetime) -> "Marker":
        """The marker after another read without the node; unchanged within SECONDS_BETWEEN_READS of the last one."""
        at = now.replace(microsecond=0)
        if self.absent_since is None:
            return replace(self, absent_since=at, absent_reads=1, last_read=at)
        since_last = now - (self.last_read or self.absent_since)
        if since_last < timedelta(seconds=SECONDS_BETWEEN_READS):
            return self
        return replace(self, absent_reads=self.absent_reads + 1, last_read=at)

    @property
    def is_gone(self) -> bool:
        """Whether the node was absent in READS_UNTIL_GONE reads."""
        return self.absent_reads >= READS_UNTIL_GONE


def marker_name(name: Hostname) -> Hostname:
    """The name of the TXT record that marks a name."""
    return Hostname(f"{PREFIX}{name}")


def subject(name: Hostname) -> Hostname:
    """The name that a record is about: its own, or for a marker the name that it marks."""
    return Hostname(name.removeprefix(PREFIX))


def marker_record(name: Hostname, marker: Marker, ttl: int) -> Record:
    """The TXT record set with this marker; `ttl` in seconds."""
    parts = [f"heritage={HERITAGE}", f"owner={marker.owner}"]
    if marker.absent_since is not None:
        parts += [f"absent_since={format_time(marker.absent_since)}"]
        parts += [f"absent_reads={marker.absent_reads}"]
    if marker.last_read is not None:
        parts += [f"last_read={format_time(marker.last_read)}"]
    return Record(marker_name(name), RecordType.TXT, (f'"{",".join(parts)}"',), ttl)


def format_time(at: datetime) -> str:
    """A time in the form of a marker: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The inverse of `format_time`; raises ValueError or OverflowError for any other text."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = f"a time without a time zone: {text}"
        raise ValueError(msg)
    return at.astimezone(UTC)


def parse_marker(record: Record) -> Marker | None:
    """The marker in a TXT record set; None when it is no marker of this program.

    An absence in another form than this program writes is ignored: it is counted from the beginning.
    """
    if record.type is not RecordType.TXT or not record.name.startswith(PREFIX):
        return None
    if len(record.values) != 1:
        return None
    pairs = [part.partition("=") for part in record.values[0].strip('"').split(",")]
    fields = {key: value for key, _, value in pairs}
    if fields.get("heritage") != HERITAGE or not fields.get("owner"):
        return None
    try:
        since, reads = (
            parse_time(fields.get("absent_since", "")),
            int(fields.get("absent_reads", "")),
        )
        last = parse_time(fields["last_read"]) if "last_read" in fields else None
        if 0 < reads <= READS_UNTIL_GONE:
            return Marker(fields["owner"], since, reads, last)
    except (ValueError, OverflowError):
        pass
    return Marker(fields["owner"])


def markers_by_name(records: tuple[Record, ...]) -> dict[Hostname, Marker]:
    """The markers among the records, by the name that they mark."""
    found = ((subject(record.name), parse_marker(record)) for record in records)
    return {name: marker for name, marker in found if marker is not None}
