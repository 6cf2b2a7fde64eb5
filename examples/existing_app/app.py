#!/usr/bin/env python3
"""An app that had two VPCs and a Valkey cluster already, and adds Nodeway so that the client VPC reaches every node.

Everything is in one stack. The lines of Nodeway are the last ones of the stack.
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_sns as sns

from nodeway import ClientNetwork, Nodeway, ProxyNetwork, ProxySettings, topology_of_group

SHARDS = ("0001", "0002", "0003")
REPLICAS = 1


class ShopStack(cdk.Stack):
    """A client VPC, a VPC for cache and proxies with a peering between the two, and a cluster."""

    def __init__(self, scope: cdk.App, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        clients = self.private_vpc("Clients", "10.40.0.0/16")
        data = self.private_vpc("Data", "10.60.0.0/16")
        self.peer(clients, data)
        cache_group = ec2.SecurityGroup(self, "CacheGroup", vpc=data, allow_all_outbound=False)
        cluster = self.cluster("shop", data, cache_group)

        nodeway = Nodeway(
            self,
            "Nodeway",
            replication_group_id="shop",
            topology=topology_of_group(
                cluster, replication_group_id="shop", shards=SHARDS, replicas=REPLICAS
            ),
            network=ProxyNetwork.of_vpc(data),
            client_vpcs=[ClientNetwork.of_vpc(clients)],
            proxy_settings=ProxySettings(cache_security_group_id=cache_group.security_group_id),
        )
        nodeway.add_alarms(sns.Topic(self, "Pager", enforce_ssl=True))

    def private_vpc(self, construct_id: str, cidr: str) -> ec2.Vpc:
        """A VPC in two availability zones, with NAT gateways for the way out."""
        return ec2.Vpc(self, construct_id, ip_addresses=ec2.IpAddresses.cidr(cidr), max_azs=2)

    def peer(self, one: ec2.Vpc, other: ec2.Vpc) -> None:
        """A peering connection with its routes on both sides."""
        peering = ec2.CfnVPCPeeringConnection(
            self, "Peering", vpc_id=one.vpc_id, peer_vpc_id=other.vpc_id
        )
        for here, there in ((one, other), (other, one)):
            for number, subnet in enumerate(here.private_subnets):
                ec2.CfnRoute(
                    self,
                    f"{here.node.id}To{there.node.id}{number}",
                    route_table_id=subnet.route_table.route_table_id,
                    destination_cidr_block=there.vpc_cidr_block,
                    vpc_peering_connection_id=peering.ref,
                )

    def cluster(
        self, name: str, vpc: ec2.Vpc, group: ec2.SecurityGroup
    ) -> elasticache.CfnReplicationGroup:
        """Cluster mode enabled, TLS required; the shards have ids of their own, so that node names are known."""
        subnets = elasticache.CfnSubnetGroup(
            self,
            "CacheSubnets",
            description="the cache's nodes",
            subnet_ids=[subnet.subnet_id for subnet in vpc.private_subnets],
        )
        return elasticache.CfnReplicationGroup(
            self,
            "Cache",
            replication_group_id=name,
            replication_group_description="carts and sessions",
            engine="valkey",
            engine_version="8.0",
            cache_node_type="cache.r7g.large",
            cache_parameter_group_name="default.valkey8.cluster.on",
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[group.security_group_id],
            node_group_configuration=[
                elasticache.CfnReplicationGroup.NodeGroupConfigurationProperty(
                    node_group_id=shard, replica_count=REPLICAS
                )
                for shard in SHARDS
            ],
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
        )


def build() -> cdk.App:
    """The app with its only stack."""
    app = cdk.App()
    ShopStack(app, "shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    return app


if __name__ == "__main__":
    build().synth()
