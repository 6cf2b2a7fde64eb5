"""Reads and changes one Route 53 hosted zone.

An update is a DELETE of exactly the record that was read plus a CREATE of the new one, in one atomic batch. Route 53
refuses the batch if the record was changed in between (compare and set). The SOA cannot be deleted, so it is an UPSERT.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.errors import ApplyFailed, Conflict, ReadFailed
from nodeway_runtime.model.ownership import parse_marker, subject
from nodeway_runtime.model.topology import Record, RecordType, address, record_name

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.type_defs import (
        ChangeTypeDef,
        ResourceRecordSetOutputTypeDef,
        ResourceRecordSetTypeDef,
    )

COMMENT_LIMIT = 256
"""Characters in the comment of a change batch."""

WRITABLE_TYPES: "dict[RecordType, Literal['A', 'TXT', 'SOA']]" = {
    RecordType.A: "A",
    RecordType.TXT: "TXT",
    RecordType.SOA: "SOA",
}
"""The record types that are written."""

LOST_RACE = ("already exists", "not found", "do not match")
"""Parts of Route 53's messages when a record is not as the batch expects."""


class Route53Zone:
    """The zone port over a boto3 client."""

    def __init__(self, client: "Route53Client", hosted_zone_id: str) -> None:
        self._client = client
        self._id = hosted_zone_id

    def records(self) -> tuple[Record, ...]:
        """A record sets, markers, the SOA, and record sets that prevent these; raises ReadFailed when a call fails."""
        try:
            pages = self._client.get_paginator("list_resource_record_sets").paginate(
                HostedZoneId=self._id
            )
            sets = [one for page in pages for one in page["ResourceRecordSets"]]
        except (ClientError, BotoCoreError) as error:
            msg = f"Route 53 did not answer for zone {self._id}: {error}"
            raise ReadFailed(msg) from error
        found = ((parse_record(one) or parse_obstacle(one)) for one in sets)
        return tuple(sorted(record for record in found if record is not None))

    def vpcs(self) -> frozenset[str]:
        """The VPCs that the zone is associated with; raises ReadFailed."""
        try:
            answer = self._client.get_hosted_zone(Id=self._id)
        except (ClientError, BotoCoreError) as error:
            msg = f"Route 53 did not answer for the VPCs of zone {self._id}: {error}"
            raise ReadFailed(msg) from error
        return frozenset(vpc["VPCId"] for vpc in answer.get("VPCs", []) if "VPCId" in vpc)

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Applies the batch atomically and returns its change id.

        Raises Conflict when a record is not as it was read, ApplyFailed for any other error.
        """
        changes = [entry for change in batch for entry in to_changes(change)]
        try:
            answer = self._client.change_resource_record_sets(
                HostedZoneId=self._id,
                ChangeBatch={"Comment": comment[:COMMENT_LIMIT], "Changes": changes},
            )
        except ClientError as error:
            if is_lost_race(error):
                msg = f"zone {self._id} was changed by somebody else: {error}; the next run reads it again"
                raise Conflict(msg) from error
            msg = f"Route 53 refused the change of zone {self._id}: {error}"
            raise ApplyFailed(msg) from error
        except BotoCoreError as error:
            msg = f"Route 53 did not answer the change of zone {self._id}: {error}"
            raise ApplyFailed(msg) from error
        return answer["ChangeInfo"]["Id"].rpartition("/")[2]


def is_lost_race(error: ClientError) -> bool:
    """Whether another writer caused the error. InvalidChangeBatch alone does not say so: it has other causes, too."""
    details = error.response.get("Error", {})
    code, text = details.get("Code"), details.get("Message", "")
    return code == "PriorRequestNotComplete" or (
        code == "InvalidChangeBatch" and any(words in text for words in LOST_RACE)
    )


def parse_record(one: "ResourceRecordSetOutputTypeDef") -> Record | None:
    """A simple A record set, a marker or the SOA as Record; None for any other record set."""
    plain = "ResourceRecords" in one and "SetIdentifier" not in one
    if not plain or one["Type"] not in {"A", "TXT", "SOA"}:
        return None
    try:
        name = record_name(one["Name"])
    except ValueError:
        return None
    values = [value["Value"] for value in one["ResourceRecords"]]
    if one["Type"] == "A":
        return Record.a(name, [address(v) for v in values], one["TTL"])
    record = Record(name, RecordType(one["Type"]), tuple(values), one["TTL"])
    return record if record.type is RecordType.SOA or parse_marker(record) else None


def parse_obstacle(one: "ResourceRecordSetOutputTypeDef") -> Record | None:
    """A record set with which Route 53 refuses an A record set or marker of the same name, as Record of type OTHER.

    These are a CNAME, an alias or routed A record set, and a TXT record set at a marker's name.
    """
    try:
        name = record_name(one["Name"])
    except ValueError:
        return None
    other_a = one["Type"] == "A" and ("ResourceRecords" not in one or "SetIdentifier" in one)
    other_text = one["Type"] == "TXT" and subject(name) != name
    if one["Type"] == "CNAME" or other_a or other_text:
        return Record(name, RecordType.OTHER, (one["Type"],), 0)
    return None


def to_changes(change: Change) -> "list[ChangeTypeDef]":
    """The API's changes for one change."""
    match change:
        case Create(new, _):
            return [{"Action": "CREATE", "ResourceRecordSet": to_record_set(new)}]
        case Update(_, new, _) if new.type is RecordType.SOA:
            return [{"Action": "UPSERT", "ResourceRecordSet": to_record_set(new)}]
        case Update(old, new, _):
            return [
                {"Action": "DELETE", "ResourceRecordSet": to_record_set(old)},
                {"Action": "CREATE", "ResourceRecordSet": to_record_set(new)},
            ]
        case Delete(old, _):
            return [{"Action": "DELETE", "ResourceRecordSet": to_record_set(old)}]


def to_record_set(record: Record) -> "ResourceRecordSetTypeDef":
    """The API's form of a record."""
    return {
        "Name": record.name,
        "Type": WRITABLE_TYPES[record.type],
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": value} for value in record.values],
    }
