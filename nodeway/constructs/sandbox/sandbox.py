"""The sandbox: a client VPC with a host, and a cache VPC with a small cluster, to try Nodeway in a live account.

The other stacks are those of any environment. `cdk destroy` deletes everything, without a snapshot.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from nodeway.config.model import CacheVpc, ClientVpc, EnvironmentConfig, ProxyVpc, Sandbox
from nodeway.config.sandbox import list_shards, list_zones, split_quarters
from nodeway.constructs.group import topology_of_group
from nodeway.constructs.network.sdk_calls import AwsCalls
from nodeway.constructs.network.vpc import make_vpc
from nodeway.constructs.sandbox.cache import SandboxCache
from nodeway.constructs.sandbox.client_host import SandboxClient

SUBNETS = "Private"


class SandboxSite(Construct):
    """Client and cache. `config` is the environment, and `topology` the cluster, with the attributes of both."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        sandbox: Sandbox,
    ) -> None:
        super().__init__(scope, construct_id)
        client_range, _, cache_range = split_quarters(sandbox.cidr)
        zones = tuple(list_zones(sandbox, environment.region))
        calls = AwsCalls(self, "Calls")

        def add_vpc(name: str, block: ProxyVpc) -> tuple[ec2.Vpc, list[ec2.ISubnet]]:
            vpc = make_vpc(Construct(self, name), f"{name}Vpc", block, subnets=SUBNETS, calls=calls)
            return vpc, list(vpc.select_subnets(subnet_group_name=SUBNETS).subnets)

        client_vpc, client_subnets = add_vpc(
            "Client", ProxyVpc(cidr=client_range, availability_zones=zones, nat_gateways=1)
        )
        cache_vpc, cache_subnets = add_vpc(
            "Cache", ProxyVpc(cidr=cache_range, availability_zones=zones)
        )
        self.cache = SandboxCache(
            self, "Valkey", sandbox=sandbox, vpc=cache_vpc, subnets=cache_subnets
        )
        self.client = SandboxClient(
            self, "Host", vpc=client_vpc, subnets=client_subnets, secret=self.cache.secret
        )
        self.topology = topology_of_group(
            self.cache.group,
            replication_group_id=sandbox.replication_group_id,
            shards=list_shards(sandbox),
            replicas=sandbox.replicas,
            # a member may be in another of these zones; its traffic then crosses zones
            availability_zones=zones,
        )
        self.config = environment.model_copy(
            update={
                "client_vpcs": (
                    ClientVpc.model_construct(
                        vpc_id=client_vpc.vpc_id,
                        cidr=client_range,
                        route_table_ids=route_tables_of(client_subnets),
                    ),
                ),
                "cache_vpc": CacheVpc.model_construct(
                    vpc_id=cache_vpc.vpc_id,
                    cidr=cache_range,
                    route_table_ids=route_tables_of(cache_subnets),
                ),
                "clusters": tuple(
                    cluster.model_copy(
                        update={"cache_security_group_id": self.cache.security_group_id}
                    )
                    for cluster in environment.clusters
                ),
            }
        )
        self._add_outputs(cache_vpc)

    def _add_outputs(self, cache_vpc: ec2.Vpc) -> None:
        """Adds the outputs that `nodeway sandbox check` reads. None of them is secret."""
        for name, value in (
            ("ClientInstance", self.client.instance_id),
            ("Secret", self.cache.secret.secret_arn),
            ("CacheVpcId", cache_vpc.vpc_id),
            ("CacheSecurityGroup", self.cache.security_group_id),
            ("Endpoint", self.cache.endpoint),
            ("NodeNames", ",".join(node.hostname for node in self.topology.nodes)),
        ):
            cdk.CfnOutput(self, name, value=value)


def route_tables_of(subnets: Sequence[ec2.ISubnet]) -> tuple[str, ...]:
    """Returns the ids of the subnets' route tables."""
    return tuple(subnet.route_table.route_table_id for subnet in subnets)
