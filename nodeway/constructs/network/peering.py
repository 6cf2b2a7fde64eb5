"""The VPC peering of an environment: connections, routes on both sides, DNS options.

Proxies are connected with clients and caches. Caches without proxies are connected with their clients, and get rules
for them. Peering is not transitive, so proxies do not give clients a route to a cache. Nothing is changed in another
account or Region: outputs have the commands to run there.
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from nodeway.config.model import EnvironmentConfig
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.network.peers import Peer, peering_pairs
from nodeway.constructs.network.sdk_calls import AwsCalls, Call

OPTION = "AllowDnsResolutionFromRemoteVpc"


class Peering(Construct):
    """Every connection of the environment. `network` is that of the proxies, if their VPC is new."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        network: ProxyNetwork | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._calls: AwsCalls | None = None
        connections = {}
        for near, far in peering_pairs(environment, network):
            connection = self._connect(environment, near, far)
            connections[near.vpc_id, far.vpc_id] = connection
            if far.is_local:
                self._enable_dns(f"{near.name}-{far.name}", connection)
            else:
                self._add_outputs(near, far, connection)
        self._admit_clients(environment, connections)

    def _connect(
        self, environment: EnvironmentConfig, near: Peer, far: Peer
    ) -> ec2.CfnVPCPeeringConnection:
        """Creates the connection, and the routes of local sides."""
        scope = Construct(self, f"{near.name}-{far.name}")
        connection = ec2.CfnVPCPeeringConnection(
            scope,
            "Connection",
            vpc_id=near.vpc_id,
            peer_vpc_id=far.vpc_id,
            peer_owner_id=far.account,
            peer_region=far.region,
            peer_role_arn=far.peer_role_arn,
        )
        name = f"nodeway {environment.name} {near.name} {far.name}"
        cdk.Tags.of(connection).add("Name", name)
        for here, there in ((near, far), (far, near)):
            for table, table_id in here.route_tables if here.is_local else ():
                for cidr in there.cidrs:
                    ec2.CfnRoute(
                        scope,
                        f"{table}-{cidr.replace('/', '-')}",
                        route_table_id=table_id,
                        destination_cidr_block=cidr,
                        vpc_peering_connection_id=connection.ref,
                    )
        return connection

    def _enable_dns(self, name: str, connection: ec2.CfnVPCPeeringConnection) -> None:
        """Makes public names of instances resolve to private addresses on both sides.

        CloudFormation has no property for it. It is possible within one account and Region only:
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcPeeringConnectionOptions.html
        The options are deleted with the connection.
        """
        self._calls = self._calls or AwsCalls(self, "Calls")
        arn = cdk.Stack.of(self).format_arn(
            service="ec2", resource="vpc-peering-connection", resource_name=connection.ref
        )
        self._calls.make(
            name,
            kind="NodewayPeeringOptions",
            physical_id=connection.ref,
            call=Call(
                "ec2",
                "modifyVpcPeeringConnectionOptions",
                {
                    "VpcPeeringConnectionId": connection.ref,
                    "RequesterPeeringConnectionOptions": {OPTION: True},
                    "AccepterPeeringConnectionOptions": {OPTION: True},
                },
            ),
            undo=None,
            statement=iam.PolicyStatement(
                actions=["ec2:ModifyVpcPeeringConnectionOptions"], resources=[arn]
            ),
        )

    def _add_outputs(self, near: Peer, far: Peer, connection: ec2.CfnVPCPeeringConnection) -> None:
        """Adds outputs with the commands that the owner of the far side runs."""
        tables = " ".join(table for table, _ in far.route_tables) or "ROUTE_TABLE_ID"
        region = far.region or cdk.Stack.of(self).region
        cdk.CfnOutput(
            self,
            f"Routes-{near.name}-{far.name}",
            description=f"To run for {far.vpc_id}, with each of its route tables",
            value=(
                f"for table in {tables}; do for range in {' '.join(near.cidrs)}; do"
                f" aws ec2 create-route --region {region} --route-table-id $table"
                f" --destination-cidr-block $range --vpc-peering-connection-id {connection.ref};"
                " done; done"
            ),
        )
        cdk.CfnOutput(
            self,
            f"DnsOptions-{near.name}-{far.name}",
            description=f"By choice, for {far.vpc_id}: its instances' public names as private addresses",
            value=(
                f"aws ec2 modify-vpc-peering-connection-options --region {region}"
                f" --vpc-peering-connection-id {connection.ref}"
                f" --accepter-peering-connection-options {OPTION}=true"
            ),
        )

    def _admit_clients(
        self,
        environment: EnvironmentConfig,
        connections: dict[tuple[str, str], ec2.CfnVPCPeeringConnection],
    ) -> None:
        """Adds a rule for each client to the groups of caches without proxies, once for clusters that share a group."""
        cache_vpc_id = environment.cache_vpc.vpc_id if environment.cache_vpc else ""
        rules = {
            (cluster.cache_security_group_id, cluster.port, source): client
            for cluster in environment.clusters
            if cluster.proxy == "none"
            for client in environment.client_vpcs
            for source in client.security_group_ids or (str(client.cidr),)
        }
        for (group_id, port, source), client in rules.items():
            is_group = source in client.security_group_ids
            is_foreign = client.account not in {None, environment.account}
            rule = ec2.CfnSecurityGroupIngress(
                self,
                f"{group_id}-{port}-{source.replace('/', '-')}",
                group_id=group_id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ip=None if is_group else source,
                source_security_group_id=source if is_group else None,
                source_security_group_owner_id=client.account if is_group and is_foreign else None,
                description=f"clients of {client.vpc_id}",
            )
            connection = connections.get((cache_vpc_id, client.vpc_id))
            if connection is not None:
                # a rule can reference a group of a peer only while the peering exists
                rule.add_resource_dependency(connection)
