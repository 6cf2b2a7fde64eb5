"""A replication group of the same app: its nodes' names, which only the deploy knows, as expressions."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache

from nodeway.lookup.topology import KnownNode, KnownTopology

DEFAULT_PORT = 6379
FIRST_LABEL = "clustercfg."
"""Of the configuration endpoint of a cluster with TLS; the rest of it is the zone."""


def topology_of_group(
    group: elasticache.CfnReplicationGroup,
    *,
    replication_group_id: str,
    shards: Sequence[str],
    replicas: int,
    availability_zones: Sequence[str] = (),
) -> KnownTopology:
    """The nodes of a group with cluster mode and TLS.

    `shards`: the ids that the group's node groups are given (`node_group_id`), as `0001`. `replicas`: of each shard.
    `availability_zones`: where the first shard's members are, in their order; each next shard begins one zone later.
    ElastiCache calls a node GROUP-SHARD-MEMBER: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Shards.html
    """
    zone_name = cdk.Fn.select(
        1, cdk.Fn.split(FIRST_LABEL, group.attr_configuration_end_point_address)
    )
    zones = availability_zones or ("",)
    names = (
        (f"{replication_group_id}-{shard}-{member + 1:03d}", zones[(place + member) % len(zones)])
        for place, shard in enumerate(shards)
        for member in range(replicas + 1)
    )
    # not validated: a name is a token until the deploy
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
