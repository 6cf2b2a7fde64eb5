"""Reads the topology of a replication group from ElastiCache.

With cluster mode, DescribeReplicationGroups has no node endpoints. They come from DescribeCacheClusters, which cannot
filter by group and is read for the whole Region: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.topology import Hostname, Node, Topology, hostname

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import CacheClusterTypeDef, ReplicationGroupTypeDef

NO_ENDPOINT_YET = frozenset(
    {"creating", "deleting", "deleted", "modifying", "rebooting cluster nodes", "snapshotting"}
)
"""Statuses in which ElastiCache may show no endpoint."""


class ElastiCache:
    """The ElastiCache port over a boto3 client."""

    def __init__(self, client: "ElastiCacheClient") -> None:
        self._client = client

    def topology(self, replication_group_id: str) -> Topology:
        """The group's nodes; raises ReadFailed when a call fails or the group does not exist."""
        try:
            answer = self._client.describe_replication_groups(
                ReplicationGroupId=replication_group_id
            )
            clusters = [
                cluster
                for page in self._client.get_paginator("describe_cache_clusters").paginate(
                    ShowCacheNodeInfo=True
                )
                for cluster in page["CacheClusters"]
                if cluster.get("ReplicationGroupId") == replication_group_id
            ]
        except (ClientError, BotoCoreError) as error:
            msg = f"ElastiCache did not answer for {replication_group_id}: {error}"
            raise ReadFailed(msg) from error
        groups = answer["ReplicationGroups"]
        if len(groups) != 1:
            msg = f"ElastiCache answered {len(groups)} replication groups for {replication_group_id}, not 1"
            raise ReadFailed(msg)
        return parse_topology(groups[0], clusters)


def parse_topology(
    group: "ReplicationGroupTypeDef", clusters: Iterable["CacheClusterTypeDef"]
) -> Topology:
    """The topology from both answers. Each contradiction between them becomes a problem."""
    endpoint = group.get("ConfigurationEndpoint", {})
    nodes: list[Node] = []
    problems: list[str] = []
    for cluster in clusters:
        node = parse_node(cluster)
        nodes.append(node)
        if node.hostname is None and node.status not in NO_ENDPOINT_YET:
            problems.append(f"{node.cache_cluster_id} is {node.status} but has no endpoint")
    known = {node.cache_cluster_id for node in nodes}
    problems += [
        f"member {name} is missing from DescribeCacheClusters"
        for name in member_ids(group)
        if name not in known
    ]
    if "Address" not in endpoint:
        problems.append("the group has no configuration endpoint")
    return Topology(
        nodes=tuple(sorted(nodes, key=lambda node: node.cache_cluster_id)),
        configuration_endpoint=hostname(endpoint["Address"]) if "Address" in endpoint else None,
        port=endpoint.get("Port", 6379),
        problems=tuple(problems),
    )


def member_ids(group: "ReplicationGroupTypeDef") -> list[str]:
    """The cache cluster ids of all members in either list of the answer."""
    from_shards = {
        m["CacheClusterId"]
        for shard in group.get("NodeGroups", [])
        for m in shard.get("NodeGroupMembers", [])
    }
    return sorted(from_shards | set(group.get("MemberClusters", [])))


def parse_node(cluster: "CacheClusterTypeDef") -> Node:
    """A cache cluster as Node, with the endpoint of its only cache node."""
    name: Hostname | None = None
    zone = cluster.get("PreferredAvailabilityZone", "")
    for cache_node in cluster.get("CacheNodes", []):
        zone = cache_node.get("CustomerAvailabilityZone", zone)
        if "Address" in cache_node.get("Endpoint", {}):
            name = hostname(cache_node["Endpoint"]["Address"])
    return Node(cluster["CacheClusterId"], name, zone, cluster.get("CacheClusterStatus", "unknown"))
