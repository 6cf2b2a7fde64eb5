"""The private hosted zones of a VPC: their answers, and how the resolver reads them.

A failed read keeps the zones of the last one; it does not mean that there are none.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

READ_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 0.3
"""How long a query waits for a read, at most twice: clients ask again after 1 s."""

NO_SOA = "ns-0.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
DEFAULT_SOA_TTL = 900
"""Route 53's own SOA (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html)."""


class ZonesUnknownError(Exception):
    """No read has succeeded yet."""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Values in zone-file form, and how long they may be kept, in seconds."""

    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone; names are in lower case and without the last dot."""

    name: str
    records: Mapping[tuple[str, str], RecordSet]
    """By name and type."""

    def holds(self, name: str) -> bool:
        """Whether a name falls into this zone."""
        return name == self.name or name.endswith(f".{self.name}")

    def find(self, name: str, kind: str) -> RecordSet | None:
        """The records of a name and type; a wildcard stands for a name that does not exist."""
        if not self._is_written(name):
            wildcard = next((w for w in self._wildcards(name) if self._is_written(w)), name)
            return self.records.get((wildcard, kind))
        return self.records.get((name, kind))

    def exists(self, name: str) -> bool:
        """Whether a name or a name below it has records, or a wildcard stands for it."""
        return self._is_written(name) or any(map(self._is_written, self._wildcards(name)))

    @property
    def soa(self) -> RecordSet:
        """The zone's SOA record."""
        return self.records.get((self.name, "SOA"), RecordSet(DEFAULT_SOA_TTL, (NO_SOA,)))

    def _is_written(self, name: str) -> bool:
        return any(known == name or known.endswith(f".{name}") for known, _ in self.records)

    def _wildcards(self, name: str) -> Iterator[str]:
        parent = name.partition(".")[2]
        while self.holds(parent):
            yield f"*.{parent}"
            parent = parent.partition(".")[2]


def negative_ttl(soa: RecordSet) -> int:
    """How long a refusal may be cached, in seconds: the lower of the SOA's TTL and minimum (RFC 2308, section 5)."""
    return min(soa.ttl, int(soa.values[0].split()[-1]))


class ZoneSource(Protocol):
    """Knows the zones of one VPC."""

    def __call__(self, *, fresh: bool) -> Sequence[Zone]:
        """All of them, read anew if `fresh`. May raise ZonesUnknownError."""
        ...


class ZoneReader(Protocol):
    """Reads the zones of one VPC."""

    def read(self) -> Sequence[Zone]:
        """All of them; raises any error."""
        ...


class Route53Zones:
    """Reads the zones that Route 53's API says are associated with a VPC."""

    def __init__(self, client: "Route53Client", vpc_id: str, region: str) -> None:
        """`client` of boto3."""
        self._client = client
        self._vpc_id = vpc_id
        self._region = region

    def read(self) -> Sequence[Zone]:
        """See ZoneReader."""
        zones: list[Zone] = []
        token: dict[str, str] = {}
        while True:
            page = self._client.list_hosted_zones_by_vpc(
                VPCId=self._vpc_id,
                VPCRegion=self._region,  # type: ignore[arg-type]  # a Literal of all regions
                **token,
            )
            zones += [
                Zone(normal(found["Name"]), self._records(found["HostedZoneId"]))
                for found in page["HostedZoneSummaries"]
            ]
            if "NextToken" not in page:
                return zones
            token = {"NextToken": page["NextToken"]}

    def _records(self, zone_id: str) -> dict[tuple[str, str], RecordSet]:
        records: dict[tuple[str, str], RecordSet] = {}
        pages = self._client.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=zone_id
        )
        for page in pages:
            for found in page["ResourceRecordSets"]:
                key = (normal(found["Name"]), str(found["Type"]))
                values = tuple(record["Value"] for record in found.get("ResourceRecords", []))
                # records of the same name and type with a SetIdentifier each: all of them answer
                before = records[key].values if key in records else ()
                records[key] = RecordSet(found.get("TTL", 60), before + values)
        return records


class LastKnown:
    """The zones as of the last successful read: Route 53's DNS answers while its API is down."""

    def __init__(self, reader: ZoneReader) -> None:
        """Reads through `reader` when asked, at most once in 200 ms."""
        self._reader = reader
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._lock = threading.Lock()
        self._started = float("-inf")
        self._reading: Future[Sequence[Zone]] | None = None
        self._zones: Sequence[Zone] | None = None

    def __call__(self, *, fresh: bool) -> Sequence[Zone]:
        """The zones, at most 200 ms old, and if `fresh` not older than this call, unless the API is down.

        Raises ZonesUnknownError when no read has ever succeeded.
        """
        with self._lock:
            due = self._started + READ_EVERY_SECONDS - time.monotonic()
            if self._reading is None and (fresh or due <= 0):
                threading.Event().wait(max(due, 0))
                self._started = time.monotonic()
                self._reading = self._thread.submit(self._reader.read)
            if self._reading is not None and wait([self._reading], PATIENCE_SECONDS).done:
                if self._reading.exception() is None:
                    self._zones = self._reading.result()
                self._reading = None
            if self._zones is None:
                raise ZonesUnknownError
            return self._zones


def normal(name: str) -> str:
    r"""A name in lower case, without its last dot and without Route 53's \ooo escapes."""
    plain = re.sub(r"\\(\d{3})", lambda match: chr(int(match.group(1), 8)), name)
    return plain.rstrip(".").lower()
