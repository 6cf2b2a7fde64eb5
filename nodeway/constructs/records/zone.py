"""The private hosted zone with the records of one cluster for its clients. The resync function owns the records."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from nodeway.constructs.network.sdk_calls import AwsCalls, Call
from nodeway.constructs.proxies.settings import ClientNetwork
from nodeway.constructs.tokens import plain_id
from nodeway.lookup.topology import KnownTopology


class ClientsZone(Construct):
    """One zone, associated with the client VPCs only.

    `anchor`: the VPC that the zone is created with, if every client VPC is another account's. `endpoint`: the name of
    the output with the endpoint, and the first label of the endpoint. `page`: the section of docs/clients.md for these
    clients.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topology: KnownTopology,
        clients: Sequence[ClientNetwork],
        endpoint: tuple[str, str],
        page: str,
        anchor: ec2.IVpc | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        # a VPC with two ranges has two networks, but one association
        vpcs = {client.vpc_id: client for client in clients if client.vpc_id}
        own = {None, cdk.Stack.of(self).account}
        first, *others = [
            *([anchor] if anchor else []),
            *(
                self._import_vpc(vpc_id, client)
                for vpc_id, client in vpcs.items()
                if client.account in own
            ),
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
        self._authorise(
            {vpc_id: client for vpc_id, client in vpcs.items() if client.account not in own}
        )
        cdk.CfnOutput(self, "HostedZoneId", value=self.zone.hosted_zone_id)
        if not cdk.Token.is_unresolved(topology.zone_name):
            # with a token, the stack that creates the cluster has an output for it
            output, label = endpoint
            cdk.CfnOutput(self, output, value=f"{label}.{topology.zone_name}:{topology.port}")
        cdk.CfnOutput(
            self,
            "ClientSettings",
            description="The smallest working code of each client",
            value=f"docs/clients.md#{page}",
        )

    def _import_vpc(self, vpc_id: str, client: ClientNetwork) -> ec2.IVpc:
        region = client.region or cdk.Stack.of(self).region
        return ec2.Vpc.from_vpc_attributes(
            self,
            plain_id(vpc_id, "ClientVpc"),
            vpc_id=vpc_id,
            availability_zones=[f"{region}a"],
            region=region,
        )

    def _authorise(self, clients: dict[str, ClientNetwork]) -> None:
        """Authorises other accounts to associate their VPCs, and adds outputs with their commands for it.

        https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-associate-vpcs-different-accounts.html
        """
        if not clients:
            return
        calls = AwsCalls(self, "Calls")
        previous: Construct | None = None
        for vpc_id, client in clients.items():
            region = client.region or cdk.Stack.of(self).region
            authorisation = self._authorisation(calls, vpc_id, region)
            # Route 53 allows one change of a zone at a time
            if previous is not None:
                authorisation.node.add_dependency(previous)
            previous = authorisation
            for verb, action in (
                ("Associate", "associate-vpc-with-hosted-zone"),
                ("Disassociate", "disassociate-vpc-from-hosted-zone"),
            ):
                cdk.CfnOutput(
                    self,
                    f"{verb}-{vpc_id}",
                    description=f"To run in account {client.account}",
                    value=f"aws route53 {action} --hosted-zone-id {self.zone.hosted_zone_id}"
                    f" --vpc VPCRegion={region},VPCId={vpc_id}",
                )

    def _authorisation(self, calls: AwsCalls, vpc_id: str, region: str) -> Construct:
        zone_id = self.zone.hosted_zone_id
        parameters = {
            "HostedZoneId": zone_id,
            "VPC": {"VPCId": vpc_id, "VPCRegion": region},
        }
        return calls.make(
            vpc_id,
            kind="NodewayZoneAuthorisation",
            physical_id=f"{zone_id}-{region}-{vpc_id}",
            call=Call("route53", "createVPCAssociationAuthorization", parameters),
            undo=Call(
                "route53",
                "deleteVPCAssociationAuthorization",
                parameters,
                ignored_errors="VPCAssociationAuthorizationNotFound|NoSuchHostedZone",
            ),
            statement=iam.PolicyStatement(
                actions=[
                    "route53:CreateVPCAssociationAuthorization",
                    "route53:DeleteVPCAssociationAuthorization",
                ],
                resources=[self.zone.hosted_zone_arn],
                conditions={
                    "ForAllValues:StringEquals": {
                        "route53:VPCs": [f"VPCId={vpc_id},VPCRegion={region}"]
                    },
                    # the condition above is true for a request without a VPC too
                    "Null": {"route53:VPCs": "false"},
                },
            ),
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Permits the grantee to read the zone."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="ReadRecords",
                actions=["route53:ListResourceRecordSets", "route53:GetHostedZone"],
                resources=[self.zone.hosted_zone_arn],
            )
        )

    def grant_sync(self, grantee: iam.IGrantable) -> None:
        """Permits the grantee to read the zone, to write A and TXT records below its name, and to change its SOA.

        Condition keys: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
        """
        zone_arn = self.zone.hosted_zone_arn
        self.grant_read(grantee)
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
