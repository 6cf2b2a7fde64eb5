"""The sandbox: what of somebody else's account the product needs, made by the deploy, to try it on a live account.

A client's VPC with a host in it, a cache's VPC with a small cluster. The product's own stacks do the rest as for any
environment. Nothing here is for data that anybody needs: all of it goes with `cdk destroy`, without a snapshot.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from nodeway.config.model import CacheVpc, ClientVpc, EnvironmentConfig, ProxyVpc, Sandbox
from nodeway.config.sandbox import quarters, shards_of, zones_of
from nodeway.constructs.group import topology_of_group
from nodeway.constructs.network.sdk_calls import AwsCalls
from nodeway.constructs.network.vpc import make_vpc
from nodeway.constructs.sandbox.cache import SandboxCache
from nodeway.constructs.sandbox.client_host import SandboxClient

SUBNETS = "Private"


class SandboxSite(Construct):
    """Client and cache; `config` and `topology` have the deploy's own attributes where these are."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        sandbox: Sandbox,
    ) -> None:
        super().__init__(scope, construct_id)
        client_range, _, cache_range = quarters(sandbox.cidr)
        zones = tuple(zones_of(sandbox, environment.region))
        calls = AwsCalls(self, "Calls")

        def vpc(name: str, description: ProxyVpc) -> tuple[ec2.Vpc, list[ec2.ISubnet]]:
            made = make_vpc(
                Construct(self, name), f"{name}Vpc", description, subnets=SUBNETS, calls=calls
            )
            return made, list(made.select_subnets(subnet_group_name=SUBNETS).subnets)

        client_vpc, client_subnets = vpc(
            "Client", ProxyVpc(cidr=client_range, availability_zones=zones, nat_gateways=1)
        )
        cache_vpc, cache_subnets = vpc(
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
            shards=shards_of(sandbox),
            replicas=sandbox.replicas,
            # should a replica be a shard's first member, bytes cross a zone
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
        self._tell(cache_vpc)

    def _tell(self, cache_vpc: ec2.Vpc) -> None:
        """What `nodeway sandbox check` reads; none of it is secret."""
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
    """The route tables of the subnets."""
    return tuple(subnet.route_table.route_table_id for subnet in subnets)
