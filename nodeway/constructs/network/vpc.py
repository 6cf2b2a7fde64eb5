"""The VPC for HAProxies that the deploy makes: private, logged, its default security group closed.

Nothing in it gets a public address but NAT gateways, and those only where the environment asks for them.
"""

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
"""The subnets that HAProxies run in."""
NAT = "Nat"
"""The public subnets: they hold NAT gateways and nothing else."""
EVERYTHING = "0.0.0.0/0"


def make_vpc(
    scope: Construct,
    construct_id: str,
    proxy_vpc: ProxyVpc,
    *,
    subnets: str = PROXIES,
    calls: AwsCalls | None = None,
) -> ec2.Vpc:
    """A private subnet in each zone, and by choice NAT gateways, in public subnets of their own.

    Room for `NEW_VPC_ZONES` zones and for NAT is kept either way, so that adding one of them replaces no subnet.
    `subnets` is the private subnets' name; `calls` makes the calls where the stack has some already.
    """
    zones = list(proxy_vpc.availability_zones)
    away = ec2.SubnetType.PRIVATE_WITH_EGRESS
    vpc = ec2.Vpc(
        scope,
        construct_id,
        ip_addresses=ec2.IpAddresses.cidr(str(proxy_vpc.cidr)),
        availability_zones=zones,
        reserved_azs=NEW_VPC_ZONES - len(zones),
        nat_gateways=proxy_vpc.nat_gateways,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        # the CDK's own way leaves a log group behind for ever
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
                subnet_type=away if proxy_vpc.nat_gateways else ec2.SubnetType.PRIVATE_ISOLATED,
            ),
        ],
    )
    for subnet in [*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets]:
        # the zones are the environment's own words: the caches' nodes are in zones, not anywhere
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
    of_any_kind = [*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets]
    name_without_part(vpc, *of_any_kind, flow_log)
    return vpc


def name_without_part(*named: IConstruct) -> None:
    """Names parts of a VPC by their paths, as the CDK does, without the id of the part of ours that they are in."""
    for one in named:
        cdk.Tags.of(one).add("Name", one.node.path.replace(f"/{PART_ID}/", "/", 1))


def close_default_group(vpc: ec2.Vpc, calls: AwsCalls) -> None:
    """Takes away the two rules that AWS gives a VPC's default security group; CloudFormation has no key for it.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    group_id = vpc.vpc_default_security_group
    arn = cdk.Stack.of(vpc).format_arn(
        service="ec2", resource="security-group", resource_name=group_id
    )
    itself, anybody = (
        {"UserIdGroupPairs": [{"GroupId": group_id}]},
        {"IpRanges": [{"CidrIp": EVERYTHING}]},
    )
    for way, peer in (("Ingress", itself), ("Egress", anybody)):
        calls.make(
            f"{vpc.node.id}{way}",
            kind="NodewayDefaultGroup",
            physical_id=f"{group_id}-{way}",
            call=Call(
                "ec2",
                f"revokeSecurityGroup{way}",
                {"GroupId": group_id, "IpPermissions": [{"IpProtocol": "-1", **peer}]},
                ignored_errors="InvalidPermission.NotFound",
            ),
            undo=None,
            statement=iam.PolicyStatement(
                actions=[f"ec2:RevokeSecurityGroup{way}"], resources=[arn]
            ),
        )
