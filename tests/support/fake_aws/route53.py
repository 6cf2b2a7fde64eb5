"""A fake of Route 53: zones of record sets, changed in batches that are taken whole or not at all.

It refuses what Route 53 refuses, in its words: a second create, a delete of anything but exactly what is there, a
CNAME beside others, a name of another zone, too much at once.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from tests.support.fake_aws.calls import Calls, Pager, Shape, client_error

ELEMENTS, CHARACTERS = 1000, 32_000
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"

Key = tuple[str, str, str]
"""Name, type and set identifier."""
Sets = dict[Key, Shape]


@dataclass(slots=True)
class HostedZone:
    """A hosted zone: its name, its record sets, and who may see it."""

    name: str
    sets: Sets = field(default_factory=dict)
    vpcs: list[str] = field(default_factory=lambda: ["vpc-0000000c"])
    taken: list[list[Shape]] = field(default_factory=list)
    """The batches that it took."""

    def __post_init__(self) -> None:
        soa = {"Name": f"{self.name}.", "Type": "SOA", "TTL": 900}
        self.sets[set_key(soa)] = {**soa, "ResourceRecords": [{"Value": SOA}]}


@dataclass(slots=True)
class FakeRoute53:
    """The client; zones by their id."""

    calls: Calls
    zones: dict[str, HostedZone]
    page_size: int = 5

    def get_paginator(self, operation: str) -> Pager:
        """Only of `list_resource_record_sets`."""
        assert operation == "list_resource_record_sets"
        return Pager(self._sets)

    def _sets(self, asked: Shape, token: str) -> tuple[Shape, str]:
        at, following = int(token or 0), ""

        def answer() -> Shape:
            nonlocal following
            sets = sorted(self.zones[asked["HostedZoneId"]].sets.items())
            end = at + self.page_size
            following = str(end) if end < len(sets) else ""
            return {
                "ResourceRecordSets": [one for _, one in sets[at:end]],
                "IsTruncated": bool(following),
                "MaxItems": str(self.page_size),
            }

        return self.calls("route53", "ListResourceRecordSets", asked, answer), following

    def get_hosted_zone(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """The VPCs of a zone."""

        def answer() -> Shape:
            zone = self.zones[asked["Id"]]
            about = {"Id": f"/hostedzone/{asked['Id']}", "Name": zone.name, "CallerReference": "x"}
            return {"HostedZone": about, "VPCs": [{"VPCId": vpc} for vpc in zone.vpcs]}

        return self.calls("route53", "GetHostedZone", asked, answer)

    def change_resource_record_sets(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """A batch, all or nothing."""

        def answer() -> Shape:
            zone = self.zones[asked["HostedZoneId"]]
            changes: list[Shape] = asked["ChangeBatch"]["Changes"]
            change_sets(zone, changes)
            about = {"Id": f"/change/C{len(zone.taken)}", "Status": "PENDING"}
            return {"ChangeInfo": {**about, "SubmittedAt": "2026-01-01T00:00:00Z"}}

        return self.calls("route53", "ChangeResourceRecordSets", asked, answer)


def change_sets(zone: HostedZone, changes: list[Shape]) -> None:
    """Changes the zone, as anybody may; raises ClientError and changes nothing when any of it is refused."""
    problems = list(over_limits(changes))
    after = dict(zone.sets)
    for change in changes:
        problems += one_change(zone, after, change["Action"], deepcopy(change["ResourceRecordSet"]))
    if problems:
        raise client_error(
            "ChangeResourceRecordSets", "InvalidChangeBatch", f"[{', '.join(problems)}]"
        )
    zone.sets = after
    zone.taken.append(deepcopy(changes))


def set_key(one: Shape) -> Key:
    """What makes a record set unique: names without case, and always with the dot at the end."""
    name = one["Name"].lower().removesuffix(".") + "."
    return name.replace("*", "\\052"), one["Type"], one.get("SetIdentifier", "")


def over_limits(changes: list[Shape]) -> Iterator[str]:
    """A UPSERT counts twice."""
    elements = characters = 0
    for change in changes:
        times = 2 if change["Action"] == "UPSERT" else 1
        values = [one["Value"] for one in change["ResourceRecordSet"].get("ResourceRecords", [])]
        elements += times * len(values)
        characters += times * sum(map(len, values))
    if elements > ELEMENTS or characters > CHARACTERS:
        yield f"Number of records limit of {ELEMENTS} or characters of {CHARACTERS} exceeded"


def one_change(zone: HostedZone, sets: Sets, action: str, one: Shape) -> Iterator[str]:
    """Makes one change in `sets`, or tells what is wrong with it."""
    at = set_key(one)
    one["Name"] = at[0]
    told = f"[name='{at[0]}', type='{at[1]}']"
    if at[0] != f"{zone.name}." and not at[0].endswith(f".{zone.name}."):
        yield f"RRSet with DNS name {at[0]} is not permitted in zone {zone.name}."
        return
    if action == "DELETE":
        if at not in sets:
            yield f"Tried to delete resource record set {told} but it was not found"
        elif exact(sets[at]) != exact(one):
            yield f"Tried to delete resource record set {told} but the values provided do not match the current values"
        else:
            del sets[at]
        return
    yield from bad_values(one)
    if action == "CREATE" and at in sets:
        yield f"Tried to create resource record set {told} but it already exists"
    beside = [other for other in sets if other[0] == at[0] and other != at]
    if any("CNAME" in (at[1], other[1]) for other in beside):
        yield (
            f"RRSet of type {at[1]} with DNS name {at[0]} is not permitted as it conflicts with other records"
            f" with the same DNS name in zone {zone.name}."
        )
    if any(other[1] == at[1] and not (other[2] and at[2]) for other in beside):
        yield (
            f"RRSet with DNS name {at[0]}, type {at[1]} cannot be created as a non simple set exists"
            " with the same name and type."
        )
    sets[at] = one


def bad_values(one: Shape) -> Iterator[str]:
    """What Route 53 says of values that it does not take."""
    values = [value["Value"] for value in one.get("ResourceRecords", [])]
    if len(set(values)) != len(values):
        yield "Duplicate Resource Record"
    if not values and "AliasTarget" not in one:
        yield "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]"
    if one["Type"] == "A":
        yield from (f"{value} is not an IPv4 address" for value in values if not is_ipv4(value))
    if one["Type"] == "TXT" and not all(v.startswith('"') and v.endswith('"') for v in values):
        yield "Value should be enclosed in quotation marks"


def is_ipv4(text: str) -> bool:
    """Whether it is one."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def exact(one: Shape) -> tuple[Any, ...]:
    """What a delete must match: the values in any order, and all else."""
    values = sorted(value["Value"] for value in one.get("ResourceRecords", []))
    rest = {name: one[name] for name in sorted(one) if name not in {"Name", "ResourceRecords"}}
    return tuple(values), repr(rest)
