"""A new VPC: private subnets, flow logs, a default security group without rules, and NAT gateways if configured."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from nodeway.config.model import ProxyVpc
from nodeway.config.rules_network import NEW_VPC_ZONES
from nodeway.constructs.network.sdk_calls import AwsCalls, Call
from nodeway.constructs.parts import PART_ID

PROXIES = "Proxies"
"""The name of the proxies' subnets."""
NAT = "Nat"
"""The name of the public subnets, which have NAT gateways only."""
EVERYTHING = "0.0.0.0/0"


def make_vpc(
    scope: Construct,
    construct_id: str,
    proxy_vpc: ProxyVpc,
    *,
    subnets: str = PROXIES,
    calls: AwsCalls | None = None,
) -> ec2.Vpc:
    """Creates a VPC with a private subnet in each zone and, if configured, NAT gateways in public subnets.

    Ranges for `NEW_VPC_ZONES` zones and for NAT are reserved, so that adding one of them replaces no subnet.
    `subnets` is the private subnets' name. `calls` are those of the stack, if it has some already.
    """
    zones = list(proxy_vpc.availability_zones)
    vpc = ec2.Vpc(
        scope,
        construct_id,
        ip_addresses=ec2.IpAddresses.cidr(str(proxy_vpc.cidr)),
        availability_zones=zones,
        reserved_azs=NEW_VPC_ZONES - len(zones),
        nat_gateways=proxy_vpc.nat_gateways,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        # the CDK's implementation leaves a log group behind
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(
                name=NAT,
                subnet_type=ec2.SubnetType.PUBLIC,
                cidr_mask=28,
                map_public_ip_on_launch=False,
                reserved=not proxy_vpc.nat_gateways,
            ),
            ec2.SubnetConfiguration(
                name=subnets,
                subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                if proxy_vpc.nat_gateways
                else ec2.SubnetType.PRIVATE_ISOLATED,
            ),
        ],
    )
    all_subnets = [*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets]
    for subnet in all_subnets:
        # literal zones, as proxies run in the configured zones of the caches' nodes
        child = subnet.node.default_child
        if isinstance(child, cdk.CfnResource):
            child.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3010"]}})
    close_default_group(vpc, calls or AwsCalls(scope, "Calls"))
    log_group = logs.LogGroup(
        scope,
        "FlowLogs",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    flow_log = vpc.add_flow_log(
        "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group)
    )
    name_without_part(vpc, *all_subnets, flow_log)
    return vpc


def name_without_part(*constructs: IConstruct) -> None:
    """Sets the Name tags of a VPC's constructs to their paths, as the CDK does, without the id PART_ID."""
    for construct in constructs:
        cdk.Tags.of(construct).add("Name", construct.node.path.replace(f"/{PART_ID}/", "/", 1))


def close_default_group(vpc: ec2.Vpc, calls: AwsCalls) -> None:
    """Revokes the two rules of a VPC's default security group, for which CloudFormation has no property.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    group_id = vpc.vpc_default_security_group
    arn = cdk.Stack.of(vpc).format_arn(
        service="ec2", resource="security-group", resource_name=group_id
    )
    for direction, peer in (
        ("Ingress", {"UserIdGroupPairs": [{"GroupId": group_id}]}),
        ("Egress", {"IpRanges": [{"CidrIp": EVERYTHING}]}),
    ):
        calls.make(
            f"{vpc.node.id}{direction}",
            kind="NodewayDefaultGroup",
            physical_id=f"{group_id}-{direction}",
            call=Call(
                "ec2",
                f"revokeSecurityGroup{direction}",
                {"GroupId": group_id, "IpPermissions": [{"IpProtocol": "-1", **peer}]},
                ignored_errors="InvalidPermission.NotFound",
            ),
            undo=None,
            statement=iam.PolicyStatement(
                actions=[f"ec2:RevokeSecurityGroup{direction}"], resources=[arn]
            ),
        )
