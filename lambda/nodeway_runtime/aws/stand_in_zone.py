"""Writes the stand-in zone, in which stand-ins resolve their nodes (planner/stand_ins.py).

Only this program writes the zone, so its records need no markers and no compare and set.
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
"""Short, so that a node is found soon after it becomes available."""


class NoStandInZone:
    """The stand-in zone port of a deployment without stand-ins."""

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Does nothing; raises ApplyFailed if there are records to write."""
        if wanted:
            msg = "the deployment has no stand-in zone"
            raise ApplyFailed(msg)

    def clear(self) -> None:
        """Does nothing."""


class Route53StandInZone:
    """The stand-in zone port over a boto3 client. It reads the zone only if the records differ from the last ones."""

    def __init__(self, client: "Route53Client", hosted_zone_id: str) -> None:
        self._client = client
        self._id = hosted_zone_id
        self._written: tuple[StandInRecord, ...] = ()

    def write(self, wanted: tuple[StandInRecord, ...]) -> None:
        """Creates or changes these records; raises ApplyFailed.

        Other names stay, as a stand-in that was not read may still use them.
        """
        if wanted != self._written:
            names = {record.name for record in wanted}
            self._write({to_entry(record) for record in wanted}, names)
            self._written = wanted

    def clear(self) -> None:
        """Deletes every record, so that the zone can be deleted; raises ApplyFailed."""
        self._write(set(), None)
        self._written = ()

    def _write(self, want: set[Entry], names: set[Hostname] | None) -> None:
        """Makes these names, or all if `names` is None, have exactly the records `want`."""
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
    """A record as name, type and value."""
    if record.target is None:
        return record.name, "A", PLACEHOLDER
    return record.name, "CNAME", record.target


def to_record_set(name: str, record_type: str, value: str) -> "ResourceRecordSetTypeDef":
    """The API's form of a record."""
    return {
        "Name": name,
        "Type": "CNAME" if record_type == "CNAME" else "A",
        "TTL": TTL_SECONDS,
        "ResourceRecords": [{"Value": value}],
    }
