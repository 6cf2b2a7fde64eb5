"""AWS::Route53::HostedZone with its VPC associations, which ministack lacks."""

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import ec2, route53

Props = dict[str, Any]
Made = tuple[str, Props]


def create(logical_id: str, props: Props, stack: str) -> Made:
    """Make a private zone with its VPCs, or a public one."""
    name = props["Name"].removesuffix(".") + "."
    vpcs = _vpcs(props)
    zone_id = route53._zone_id()
    with route53._lock:
        for vpc in vpcs:
            _refuse_conflict(name, vpc)
        route53._zones[zone_id] = {
            "id": zone_id,
            "name": name,
            "caller_reference": f"{stack}-{logical_id}-{new_uuid()}",
            "comment": (props.get("HostedZoneConfig") or {}).get("Comment", ""),
            "private": bool(vpcs),
            "vpcs": vpcs,
        }
        route53._records[zone_id] = route53._default_records(name)
        _tag_zone(zone_id, props)
    return zone_id, {"Id": zone_id}


def update(physical_id: str, old: Props, new: Props, stack: str) -> Made:
    """Associate and dissociate VPCs; a zone keeps its records."""
    del old, stack
    vpcs = _vpcs(new)
    with route53._lock:
        zone = route53._zones[physical_id]
        if zone["private"] != bool(vpcs):
            raise ValueError("a hosted zone cannot change between public and private")
        for vpc in vpcs:
            if vpc not in zone["vpcs"]:
                _refuse_conflict(zone["name"], vpc)
        zone["vpcs"] = vpcs
        zone["comment"] = (new.get("HostedZoneConfig") or {}).get("Comment", "")
        _tag_zone(physical_id, new)
    return physical_id, {"Id": physical_id}


def delete(physical_id: str, props: Props) -> None:
    """Delete an empty zone; raises an error for any other, which fails the deletion of its stack."""
    del props
    status, _, body = route53._delete_hosted_zone(physical_id)
    if status == 400:
        raise ValueError(f"HostedZoneNotEmpty: {body.decode()}")


def _vpcs(props: Props) -> list[dict[str, str]]:
    found = [{"VPCId": v["VPCId"], "VPCRegion": v["VPCRegion"]} for v in props.get("VPCs") or ()]
    for vpc in found:
        if vpc["VPCId"] not in ec2._vpcs:
            raise ValueError(f"InvalidVPCId: the VPC {vpc['VPCId']} does not exist")
    return found


def _refuse_conflict(name: str, vpc: Mapping[str, str]) -> None:
    if route53._same_name_zone_with_vpc(name, vpc):
        raise ValueError(
            f"ConflictingDomainExists: {vpc['VPCId']} is already associated with a zone named {name}"
        )


def _tag_zone(zone_id: str, props: Props) -> None:
    route53._tags["hostedzone", zone_id] = {
        t["Key"]: t["Value"] for t in props.get("HostedZoneTags") or ()
    }
