"""The sandbox's cluster: Valkey with cluster mode, TLS and a generated AUTH token. The token is in no template."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from nodeway.config.model import Sandbox
from nodeway.config.sandbox import PORT, list_shards, list_zones
from nodeway.constructs.nag import acknowledge
from nodeway.lookup.parameter_groups import ENDPOINT_TYPE

NODE_TYPE = "cache.t4g.micro"
ENGINE, VERSION, FAMILY = "valkey", "7.2", "valkey7"
"""Parameters of the family: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html"""

Group = elasticache.CfnReplicationGroup


class SandboxCache(Construct):
    """The cluster with its subnet group, its parameter group, and a security group without rules."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sandbox: Sandbox,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet],
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = make_auth_token(self)
        # the HAProxies' stack adds the only rule
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="cache nodes"
        )
        self.security_group_id = group.security_group_id
        subnet_group = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description=f"nodes of {sandbox.replication_group_id}",
            subnet_ids=[subnet.subnet_id for subnet in subnets],
        )
        parameters = elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family=FAMILY,
            description=f"{sandbox.replication_group_id}: cluster mode, names in MOVED",
            properties={"cluster-enabled": "yes", ENDPOINT_TYPE: "tls-dynamic"},
        )
        self.group = self._group(sandbox, subnet_group.ref, parameters.ref)
        self.group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self.endpoint = self.group.attr_configuration_end_point_address

    def _group(self, sandbox: Sandbox, subnet_group: str, parameter_group: str) -> Group:
        return Group(
            self,
            "Group",
            replication_group_id=sandbox.replication_group_id,
            replication_group_description="nodeway sandbox: nothing in it is kept",
            engine=ENGINE,
            engine_version=VERSION,
            cache_node_type=NODE_TYPE,
            cache_parameter_group_name=parameter_group,
            cache_subnet_group_name=subnet_group,
            security_group_ids=[self.security_group_id],
            port=PORT,
            num_node_groups=sandbox.shards,
            node_group_configuration=shard_configuration(
                sandbox, list_zones(sandbox, cdk.Stack.of(self).region)
            ),
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            # a dynamic reference, which CloudFormation resolves
            auth_token=self.secret.secret_value.unsafe_unwrap(),
            auto_minor_version_upgrade=True,
            snapshot_retention_limit=0,
        )


def shard_configuration(
    sandbox: Sandbox, zones: Sequence[str]
) -> list[Group.NodeGroupConfigurationProperty]:
    """Returns the configuration of each shard. Explicit ids and zones make those of the nodes known at synth."""
    return [
        Group.NodeGroupConfigurationProperty(
            node_group_id=node_group_id,
            primary_availability_zone=zones[index % len(zones)],
            replica_availability_zones=[
                zones[(index + replica) % len(zones)] for replica in range(1, sandbox.replicas + 1)
            ],
            replica_count=sandbox.replicas,
        )
        for index, node_group_id in enumerate(list_shards(sandbox))
    ]


def make_auth_token(scope: Construct) -> secretsmanager.Secret:
    """Generates a token of 64 letters and digits, which AUTH accepts.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
    """
    secret = secretsmanager.Secret(
        scope,
        "AuthToken",
        description="AUTH token of the nodeway sandbox",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            exclude_punctuation=True, include_space=False, password_length=64
        ),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    acknowledge(
        secret, "SMG4", "it lives for the hours of a trial and guards nothing that anybody keeps"
    )
    return secret
