"""Record sets that somebody puts into a zone by hand, for the time of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.deployment.product import client


def record_set(name: str, value: str, *, kind: str = "A", ttl: int = 5) -> dict[str, Any]:
    """A record set of one value, in the shape of Route 53's API."""
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}]}


@contextmanager
def records_in_zone(zone_id: str, *records: dict[str, Any]) -> Iterator[None]:
    """These record sets exist for the time of the block."""
    route53 = client("route53")

    def change(action: str) -> None:
        changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})

    change("CREATE")
    try:
        yield
    finally:
        change("DELETE")
