"""One VPC's view of the DNS: private zones first, else public DNS, and a cache in front of both.

A private zone that matches is the only source, as on AWS: a name that it lacks does not exist
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html).
The cache holds answers, not failures.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.dns.zones import NO_SOA, RecordSet, ZoneSource, ZonesUnknownError, negative_ttl, normal

PUBLIC_TTL = 5
"""Seconds; what ElastiCache's own records have is not documented: an assumption."""
PUBLIC_SOA = RecordSet(900, (NO_SOA,))
"""Public zones refuse as Route 53's do by default: an assumption too."""

LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record; the value in zone-file form, the TTL in seconds."""

    name: str
    kind: str
    ttl: int
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A resolver's answer: records, or a refusal with a SOA as its `authority`.

    A refusal is NXDOMAIN for a name that does not exist, and NOERROR for one without records of that type.
    """

    rcode: str
    records: tuple[Record, ...] = ()
    authority: Record | None = None
    source: str = ""
    """The private zone's name, or `public`."""
    cached: bool = False

    @property
    def ttl(self) -> int:
        """How long it may be cached, in seconds."""
        ttls = [record.ttl for record in self.records]
        return min(ttls + ([self.authority.ttl] if self.authority else []), default=0)

    def aged(self, ttl: int) -> "Answer":
        """The same answer with `ttl` seconds left."""
        return replace(
            self,
            records=tuple(replace(record, ttl=ttl) for record in self.records),
            authority=replace(self.authority, ttl=ttl) if self.authority else None,
            cached=True,
        )


class View:
    """The resolver of one VPC."""

    def __init__(
        self,
        name: str,
        zones: ZoneSource,
        public: Callable[[], Mapping[str, Sequence[str]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`zones` may raise ZonesUnknownError and `public` OSError: the answer is then SERVFAIL."""
        self.name = name
        self._zones = zones
        self._public = public
        self._clock = clock
        self._cache: dict[tuple[str, str], tuple[float, Answer]] = {}
        self._lock = threading.Lock()
        self._asked = 0

    def resolve(self, name: str, kind: str) -> Answer:
        """Answer a query, through CNAMEs; several values come in another order each time."""
        with self._lock:
            try:
                return self._follow(normal(name), kind)
            except (ZonesUnknownError, OSError):
                return Answer("SERVFAIL")

    def _follow(self, name: str, kind: str) -> Answer:
        chain: tuple[Record, ...] = ()
        for _ in range(LONGEST_CHAIN):
            answer = self._ask(name, kind)
            if kind == "CNAME" or not answer.records or answer.records[0].kind != "CNAME":
                return replace(answer, records=chain + self._rotated(answer.records))
            chain += answer.records
            name = normal(answer.records[0].value)
        return Answer("SERVFAIL")

    def _ask(self, name: str, kind: str) -> Answer:
        """Answer from the cache, else from the source of the name; the answer is cached for its TTL."""
        now = self._clock()
        for key in ((name, kind), (name, "NXDOMAIN")):
            expires, answer = self._cache.get(key, (now, None))
            if answer is not None and expires > now:
                return answer.aged(int(expires - now))
        answer = self._source(name, kind, fresh=False)
        if answer.rcode == "NXDOMAIN":
            # it will be kept for long: not on the word of a read before the question
            answer = self._source(name, kind, fresh=True)
        # that a name does not exist holds for all types of it (RFC 2308, section 5)
        key = (name, "NXDOMAIN" if answer.rcode == "NXDOMAIN" else kind)
        self._cache[key] = (now + answer.ttl, answer)
        return answer

    def _source(self, name: str, kind: str, *, fresh: bool) -> Answer:
        matching = [zone for zone in self._zones(fresh=fresh) if zone.holds(name)]
        if not matching:
            return self._from_public(name, kind)
        zone = max(matching, key=lambda zone: len(zone.name))
        for wanted in (kind, "CNAME"):
            found = zone.find(name, wanted)
            if found is not None:
                records = tuple(Record(name, wanted, found.ttl, value) for value in found.values)
                return Answer("NOERROR", records, source=zone.name)
        return _refusal(zone.name, zone.soa, exists=zone.exists(name), source=zone.name)

    def _from_public(self, name: str, kind: str) -> Answer:
        addresses = self._public().get(name)
        if addresses and kind == "A":
            records = tuple(Record(name, "A", PUBLIC_TTL, address) for address in addresses)
            return Answer("NOERROR", records, source="public")
        return _refusal(".", PUBLIC_SOA, exists=bool(addresses), source="public")

    def _rotated(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        if not records:
            return records
        self._asked += 1
        start = self._asked % len(records)
        return records[start:] + records[:start]


def _refusal(owner: str, soa: RecordSet, *, exists: bool, source: str) -> Answer:
    authority = Record(owner, "SOA", negative_ttl(soa), soa.values[0])
    return Answer("NOERROR" if exists else "NXDOMAIN", (), authority, source)


def public_file(path: Path) -> Callable[[], Mapping[str, Sequence[str]]]:
    """Public DNS from a JSON file of name to addresses, read each time."""

    def read() -> Mapping[str, Sequence[str]]:
        names: dict[str, list[str]] = json.loads(path.read_text())
        return {normal(name): addresses for name, addresses in names.items()}

    return read
