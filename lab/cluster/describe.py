"""What AWS says about the lab's cluster: its nodes in the shapes of the ElastiCache API and in public DNS.

It is derived from the nodes alone. Shapes: botocore's service model `elasticache`. In cluster mode NodeGroupMembers
have no endpoint, and a node that is not ready yet has none at all
(https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Shards.html).
"""

from collections.abc import Sequence
from typing import Any

from lab import layout
from lab.cluster.node import Node

CACHE_NODE_ID = "0001"  # the only one a Valkey or Redis cache cluster has
NODE_TYPE = "cache.t4g.small"
ENGINE, ENGINE_VERSION = "valkey", "8.2"
PARAMETER_GROUP = "default.valkey8.cluster.on"
ZONES = [subnet.availability_zone for subnet in layout.PROXY_SUBNETS]


def describe(nodes: Sequence[Node]) -> dict[str, Any]:
    """The answers of DescribeReplicationGroups, DescribeCacheClusters and DescribeCacheParameters."""
    return {
        "ReplicationGroups": [_replication_group(nodes)],
        "CacheClusters": [_cache_cluster(node) for node in nodes],
        "Parameters": {
            PARAMETER_GROUP: [
                {
                    "ParameterName": "cluster-preferred-endpoint-type",
                    "ParameterValue": "tls-dynamic",
                },
                {"ParameterName": "cluster-enabled", "ParameterValue": "yes"},
            ]
        },
    }


def public_dns(nodes: Sequence[Node]) -> dict[str, list[str]]:
    """Name to addresses: of each node that is ready, and of the configuration endpoint, which has them all."""
    ready = {node.hostname: [node.address] for node in nodes if node.status != "creating"}
    everyone = [address for addresses in ready.values() for address in addresses]
    return {**ready, layout.CONFIGURATION_ENDPOINT: everyone}


def availability_zone(name: str) -> str:
    """The zone of a node; a shard's nodes are in different ones, as are the first nodes of neighbouring shards."""
    _, shard, member = name.rsplit("-", 2)
    return ZONES[(int(shard) + int(member) - 2) % len(ZONES)]


def _replication_group(nodes: Sequence[Node]) -> dict[str, Any]:
    shards = sorted({node.shard for node in nodes})
    settled = all(node.status == "available" for node in nodes)
    return {
        "ReplicationGroupId": layout.REPLICATION_GROUP,
        "Description": "the lab's cluster",
        "Status": "available" if settled else "modifying",
        "MemberClusters": [node.name for node in nodes],
        "NodeGroups": [
            _node_group(shard, [n for n in nodes if n.shard == shard]) for shard in shards
        ],
        "AutomaticFailover": "enabled",
        "MultiAZ": "enabled",
        "ConfigurationEndpoint": {
            "Address": layout.CONFIGURATION_ENDPOINT,
            "Port": layout.PORT,
        },
        "ClusterEnabled": True,
        "ClusterMode": "enabled",
        "CacheNodeType": NODE_TYPE,
        "AuthTokenEnabled": True,
        "TransitEncryptionEnabled": True,
        "TransitEncryptionMode": "required",
        "AtRestEncryptionEnabled": True,
        "ARN": f"arn:aws:elasticache:{layout.REGION}:{layout.ACCOUNT}:replicationgroup:{layout.REPLICATION_GROUP}",
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
        "Engine": ENGINE,
    }


def _node_group(shard: str, nodes: Sequence[Node]) -> dict[str, Any]:
    members = [
        {
            "CacheClusterId": node.name,
            "CacheNodeId": CACHE_NODE_ID,
            "PreferredAvailabilityZone": availability_zone(node.name),
        }
        for node in nodes
    ]
    return {
        "NodeGroupId": shard,
        "Status": nodes[0].status,
        "NodeGroupMembers": members,
    }


def _cache_cluster(node: Node) -> dict[str, Any]:
    zone = availability_zone(node.name)
    cache_node: dict[str, Any] = {
        "CacheNodeId": CACHE_NODE_ID,
        "CacheNodeStatus": node.status,
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": zone,
    }
    if (
        node.status == "available"
    ):  # absent too while a node is being removed: botocore, CacheNode.Endpoint
        cache_node["Endpoint"] = {"Address": node.hostname, "Port": layout.PORT}
    return {
        "CacheClusterId": node.name,
        "ReplicationGroupId": layout.REPLICATION_GROUP,
        "CacheClusterStatus": node.status,
        "CacheNodeType": NODE_TYPE,
        "Engine": ENGINE,
        "EngineVersion": ENGINE_VERSION,
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": zone,
        "CacheParameterGroup": {
            "CacheParameterGroupName": PARAMETER_GROUP,
            "ParameterApplyStatus": "in-sync",
        },
        "CacheNodes": [cache_node],
        "SecurityGroups": [{"SecurityGroupId": layout.CACHE_SECURITY_GROUP, "Status": "active"}],
        "AuthTokenEnabled": True,
        "TransitEncryptionEnabled": True,
        "TransitEncryptionMode": "required",
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
