"""A Route 53 Resolver inbound endpoint, to which DNS servers outside AWS forward queries for the zones' names.

It is in a client VPC, as it answers with the zones that are associated with its VPC.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53resolver as route53resolver
from constructs import Construct

from nodeway.config.model import OnPremises


class InboundResolver(Construct):
    """The endpoint, with a security group that admits only DNS queries of the ranges outside AWS.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-forwarding-inbound-queries.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        outside: OnPremises,
        region: str,
        zone_names: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=outside.resolver_vpc_id,
            # required by the CDK, but not used
            availability_zones=[f"{region}a"],
        )
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            allow_all_outbound=False,
            description="DNS queries from outside AWS",
        )
        for cidr in outside.cidrs:
            for port in (ec2.Port.tcp(53), ec2.Port.udp(53)):
                group.add_ingress_rule(ec2.Peer.ipv4(str(cidr)), port, "DNS servers outside AWS")
        endpoint = route53resolver.CfnResolverEndpoint(
            self,
            "Endpoint",
            direction="INBOUND",
            resolver_endpoint_type="IPV4",
            protocols=["Do53"],
            security_group_ids=[group.security_group_id],
            ip_addresses=[
                route53resolver.CfnResolverEndpoint.IpAddressRequestProperty(subnet_id=subnet_id)
                for subnet_id in outside.resolver_subnet_ids
            ],
        )
        stack = cdk.Stack.of(self)
        cdk.CfnOutput(
            stack,
            "ResolverAddresses",
            description="Prints the addresses that the DNS servers outside AWS are to ask",
            value=(
                "aws route53resolver list-resolver-endpoint-ip-addresses"
                f" --region {region} --resolver-endpoint-id {endpoint.attr_resolver_endpoint_id}"
                " --query 'IpAddresses[].Ip' --output text"
            ),
        )
        cdk.CfnOutput(
            stack,
            "ForwardZones",
            description="The zones that the DNS servers outside AWS are to forward to those addresses",
            value=", ".join(zone_names),
        )
