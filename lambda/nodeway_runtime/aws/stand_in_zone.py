"""Adapter: the stand-in zone, where the stand-ins' HAProxies find their nodes (stand_ins.py).

It is all ours, and only HAProxies ask it, so it is simply made to say what is wanted.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.model.errors import ApplyFailed
from nodeway_runtime.model.steps import PLACEHOLDER, StandInRecord
from nodeway_runtime.model.topology import Hostname, hostname

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.type_defs import ChangeTypeDef, ResourceRecordSetTypeDef

Entry = tuple[str, str, str]
"""Name, type and value."""

TTL_SECONDS = 2
"""A node that just became available should be found at once."""


class NoStandInZone:
    """For a deployment without stand-ins."""

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Does nothing, since nothing is ever wanted; raises ApplyFailed if it is."""
        if wanted:
            msg = "the deployment has no stand-in zone"
            raise ApplyFailed(msg)

    def clear(self) -> None:
        """Nothing to clear."""


class Route53StandInZone:
    """Writes the stand-in zone with a boto3 client; reads it only when there is something to say."""

    def __init__(self, client: "Route53Client", hosted_zone_id: str) -> None:
        self._client = client
        self._id = hosted_zone_id
        self._said: tuple[StandInRecord, ...] = ()

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Makes these names say what they should; raises ApplyFailed.

        Other names stay: they lead nobody astray, and a HAProxy may still live on one that this read did not show.
        """
        if wanted != self._said:
            names = {record.name for record in wanted}
            self._make({to_entry(record) for record in wanted}, names)
            self._said = wanted

    def clear(self) -> None:
        """Takes every name away, so that the zone can be deleted; raises ApplyFailed."""
        self._make(set(), None)
        self._said = ()

    def _make(self, want: set[Entry], names: set[Hostname] | None) -> None:
        """Makes the zone say `want` of these names, or of all when `names` is None."""
        try:
            pages = self._client.get_paginator("list_resource_record_sets").paginate(
                HostedZoneId=self._id
            )
            sets = [
                one
                for page in pages
                for one in page["ResourceRecordSets"]
                if one["Type"] in {"A", "CNAME"}
            ]
            have = {
                (hostname(one["Name"]), one["Type"], one["ResourceRecords"][0]["Value"])
                for one in sets
            }
            changes: list[ChangeTypeDef] = [
                {"Action": "DELETE", "ResourceRecordSet": to_record_set(*gone)}
                for gone in sorted(have - want)
                if names is None or gone[0] in names
            ]
            changes += [
                {"Action": "CREATE", "ResourceRecordSet": to_record_set(*new)}
                for new in sorted(want - have)
            ]
            if changes:
                self._client.change_resource_record_sets(
                    HostedZoneId=self._id,
                    ChangeBatch={"Comment": "nodeway stand-ins", "Changes": changes},
                )
        except (ClientError, BotoCoreError) as error:
            msg = f"Route 53 did not change the stand-in zone {self._id}: {error}"
            raise ApplyFailed(msg) from error


def to_entry(record: StandInRecord) -> Entry:
    """Name, type and value of what a name should say."""
    if record.target is None:
        return record.name, "A", PLACEHOLDER
    return record.name, "CNAME", record.target


def to_record_set(name: str, record_type: str, value: str) -> "ResourceRecordSetTypeDef":
    """The API's form of it."""
    return {
        "Name": name,
        "Type": "CNAME" if record_type == "CNAME" else "A",
        "TTL": TTL_SECONDS,
        "ResourceRecords": [{"Value": value}],
    }
