"""The private hosted zone: the clients' view of one cluster's names. The resync function owns its records."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from stacks.config import EnvironmentConfig
from stacks.topology import KnownTopology


class DnsStack(cdk.Stack):
    """One zone, associated with the client VPCs only: a VPC that runs HAProxies would resolve its nodes to itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        topology: KnownTopology,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        first, *others = [
            ec2.Vpc.from_vpc_attributes(
                self,
                client.vpc_id,
                vpc_id=client.vpc_id,
                availability_zones=[f"{client.region or environment.region}a"],
                region=client.region or environment.region,
            )
            # a VPC with two ranges stands there twice, and a zone takes it once
            for client in {client.vpc_id: client for client in environment.client_vpcs}.values()
        ]
        self.zone_name = topology.zone_name
        self.zone = route53.PrivateHostedZone(
            self,
            "Zone",
            zone_name=topology.zone_name,
            vpc=first,
            comment="node names to HAProxies; records by nodeway resync",
        )
        for other in others:
            self.zone.add_vpc(other)
        cdk.CfnOutput(self, "HostedZoneId", value=self.zone.hosted_zone_id)
        cdk.CfnOutput(
            self, "ConfigurationEndpoint", value=f"clustercfg.{topology.zone_name}:{topology.port}"
        )

    def grant_sync(self, grantee: iam.IGrantable) -> None:
        """Lets the grantee read the zone, write addresses and markers below its name, and lower its SOA. Nothing else.

        Condition keys: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
        """
        zone_arn = self.zone.hosted_zone_arn
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="ReadRecords",
                actions=["route53:ListResourceRecordSets", "route53:GetHostedZone"],
                resources=[zone_arn],
            )
        )
        prefix = "route53:ChangeResourceRecordSets"
        for sid, kinds, actions, names in (
            ("WriteAddresses", ["A", "TXT"], ["CREATE", "DELETE"], f"*.{self.zone_name}"),
            ("LowerNegativeTtl", ["SOA"], ["UPSERT"], self.zone_name),
        ):
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    sid=sid,
                    actions=["route53:ChangeResourceRecordSets"],
                    resources=[zone_arn],
                    conditions={
                        "ForAllValues:StringEquals": {
                            f"{prefix}RecordTypes": kinds,
                            f"{prefix}Actions": actions,
                        },
                        "ForAllValues:StringLike": {f"{prefix}NormalizedRecordNames": [names]},
                    },
                )
            )
