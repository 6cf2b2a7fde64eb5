"""The overlay on ministack: its parts in order, and the account's initial resources."""

from pathlib import Path

from ministack.core.responses import request_scope
from ministack.services import ec2

from lab import layout
from lab.containers.runtime import Runtime
from lab.fake_aws import cloudwatch as overlay_monitoring
from lab.fake_aws import elasticache as overlay_elasticache
from lab.fake_aws import iam as overlay_iam
from lab.fake_aws import lambda_async as overlay_lambda
from lab.fake_aws import lambda_vpc as overlay_vpc
from lab.fake_aws import route53 as overlay_route53
from lab.fake_aws import strict as overlay_strict
from lab.fake_aws.cloudformation import types as overlay_cloudformation
from lab.fake_aws.ecs import scheduler as overlay_services
from lab.fake_aws.ecs import secrets as overlay_secrets
from lab.fake_aws.ecs import validation as overlay_requests
from lab.fake_aws.ecs.tasks import Tasks


def install(run_dir: Path) -> None:
    """Patch ministack before it serves its first request."""
    Tasks(Runtime(run_dir)).install()
    overlay_services.install()
    overlay_requests.install()
    overlay_route53.install()
    overlay_elasticache.install()
    overlay_lambda.install()
    overlay_vpc.install(run_dir)
    overlay_secrets.install()
    overlay_iam.install()
    overlay_monitoring.install()
    overlay_cloudformation.install()
    overlay_strict.install()
    with request_scope(layout.ACCOUNT, layout.REGION):
        _seed()


def _seed() -> None:
    """The VPCs, subnets and the cache's security group of lab.layout; no default VPC."""
    ec2._ensure_defaults_initialized()
    for store in (
        ec2._vpcs,
        ec2._subnets,
        ec2._security_groups,
        ec2._route_tables,
        ec2._internet_gateways,
    ):
        for key in list(store.keys()):
            del store[key]
    for vpc in (layout.CLIENT_VPC, layout.PROXY_VPC, layout.CACHE_VPC):
        ec2._vpcs[vpc.vpc_id] = {
            "VpcId": vpc.vpc_id,
            "CidrBlock": str(vpc.cidr),
            "State": "available",
            "IsDefault": False,
            "DhcpOptionsId": "dopt-00000001",
            "InstanceTenancy": "default",
            "OwnerId": layout.ACCOUNT,
            "EnableDnsSupport": True,
            "EnableDnsHostnames": True,
        }
    client = layout.Subnet(
        layout.CLIENT_SUBNET,
        f"{layout.REGION}a",
        next(layout.CLIENT_VPC.cidr.subnets(new_prefix=24)),
    )
    for subnet in (client, *layout.PROXY_SUBNETS):
        vpc = layout.CLIENT_VPC if subnet is client else layout.PROXY_VPC
        ec2._subnets[subnet.subnet_id] = {
            "SubnetId": subnet.subnet_id,
            "VpcId": vpc.vpc_id,
            "CidrBlock": str(subnet.cidr),
            "AvailabilityZone": subnet.availability_zone,
            "AvailabilityZoneId": f"use1-az{'abc'.index(subnet.availability_zone[-1]) + 1}",
            "AvailableIpAddressCount": subnet.cidr.num_addresses - 5,
            "State": "available",
            "DefaultForAz": False,
            "MapPublicIpOnLaunch": False,
            "OwnerId": layout.ACCOUNT,
        }
    ec2._security_groups[layout.CACHE_SECURITY_GROUP] = {
        "GroupId": layout.CACHE_SECURITY_GROUP,
        "GroupName": "cache",
        "Description": "the nodes of the lab's cluster",
        "VpcId": layout.CACHE_VPC.vpc_id,
        "OwnerId": layout.ACCOUNT,
        "IpPermissions": [],
        "IpPermissionsEgress": [],
    }
