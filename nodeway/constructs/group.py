"""The topology of a replication group of the same CDK app, of which the names are tokens at synth."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache

from nodeway.lookup.topology import KnownNode, KnownTopology

DEFAULT_PORT = 6379
FIRST_LABEL = "clustercfg."
"""First label of the configuration endpoint of a cluster with TLS. The rest of the endpoint is the zone."""


def topology_of_group(
    group: elasticache.CfnReplicationGroup,
    *,
    replication_group_id: str,
    shards: Sequence[str],
    replicas: int,
    availability_zones: Sequence[str] = (),
) -> KnownTopology:
    """Returns the topology of a group with cluster mode and TLS.

    `shards`: the `node_group_id` of each node group, such as `0001`. `replicas`: the number for each shard.
    `availability_zones`: the zones of the first shard's members, in their order; each further shard begins one zone
    later. A node's id is GROUP-SHARD-MEMBER: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Shards.html
    """
    zone_name = cdk.Fn.select(
        1, cdk.Fn.split(FIRST_LABEL, group.attr_configuration_end_point_address)
    )
    zones = availability_zones or ("",)
    names = (
        (f"{replication_group_id}-{shard}-{member + 1:03d}", zones[(index + member) % len(zones)])
        for index, shard in enumerate(shards)
        for member in range(replicas + 1)
    )
    # without validation, as names are tokens
    return KnownTopology.model_construct(
        zone_name=zone_name,
        port=group.port or DEFAULT_PORT,
        nodes=tuple(
            KnownNode.model_construct(
                cache_cluster_id=name, hostname=f"{name}.{zone_name}", availability_zone=zone
            )
            for name, zone in names
        ),
    )
