"""ElastiCache's answers: the shapes of its API, and the same as its server would write them."""

from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.support.fakes import ENDPOINT, ONE, TWO, named
from tests.support.programs.loopback import Request

ITEM = {
    "ReplicationGroups": "ReplicationGroup",
    "MemberClusters": "ClusterId",
    "NodeGroups": "NodeGroup",
    "NodeGroupMembers": "NodeGroupMember",
    "CacheClusters": "CacheCluster",
    "CacheNodes": "CacheNode",
    "Parameters": "Parameter",
}
"""What ElastiCache calls a member of each list."""


def group(*labels: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 (any member of the shape)
    """A replication group with cluster mode and TLS, as DescribeReplicationGroups shows it: no endpoint but its own."""
    members = [
        {"CacheClusterId": label, "CacheNodeId": "0001", "PreferredAvailabilityZone": "us-east-1a"}
        for label in labels
    ]
    return {
        "ReplicationGroupId": "demo",
        "Status": "available",
        "MemberClusters": list(labels),
        "NodeGroups": [{"NodeGroupId": "0001", "Status": "available", "NodeGroupMembers": members}],
        "ClusterEnabled": True,
        "TransitEncryptionEnabled": True,
        "ConfigurationEndpoint": {"Address": ENDPOINT, "Port": 6379},
        **changes,
    }


def cluster(
    label: str,
    *,
    status: str = "available",
    endpoint: bool | str = True,
    of: str = "demo",
    zone: str = "us-east-1b",
) -> dict[str, Any]:
    """A member as DescribeCacheClusters shows it. `endpoint`: its host name, or whether it has the usual one."""
    cache_node: dict[str, Any] = {
        "CacheNodeId": "0001",
        "CacheNodeStatus": status,
        "CustomerAvailabilityZone": zone,
    }
    if endpoint:
        host = endpoint if isinstance(endpoint, str) else named(label)
        cache_node["Endpoint"] = {"Address": host, "Port": 6379}
    return {
        "CacheClusterId": label,
        "CacheClusterStatus": status,
        "ReplicationGroupId": of,
        "PreferredAvailabilityZone": "us-east-1a",
        "CacheParameterGroup": {"CacheParameterGroupName": "default.valkey8.cluster.on"},
        "CacheNodes": [cache_node],
    }


class ElastiCacheServer:
    """Answers the calls of a look-up over HTTP, one cache cluster a page."""

    def __init__(self, **changes: Any) -> None:  # noqa: ANN401 (any member of the shape)
        self.group = group(ONE, TWO, **changes)
        self.clusters = [cluster(ONE), cluster("stranger-001", of="stranger"), cluster(TWO)]
        self.endpoint_type = "tls-dynamic"

    def __call__(self, request: Request) -> tuple[int, bytes]:
        """One call."""
        asked = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        match asked["Action"]:
            case "DescribeReplicationGroups":
                result: dict[str, Any] = {"ReplicationGroups": [self.group]}
            case "DescribeCacheClusters":
                at = int(asked.get("Marker", "0"))
                result = {"CacheClusters": self.clusters[at : at + 1]}
                if at + 1 < len(self.clusters):
                    result["Marker"] = str(at + 1)
            case _:
                name = "cluster-preferred-endpoint-type"
                result = {
                    "Parameters": [{"ParameterName": name, "ParameterValue": self.endpoint_type}]
                }
        action = asked["Action"]
        return (
            200,
            f"<{action}Response><{action}Result>{xml(result)}</{action}Result></{action}Response>".encode(),
        )


def xml(value: Any, name: str = "") -> str:  # noqa: ANN401 (any JSON)
    """A value as the query protocol writes it."""
    match value:
        case dict():
            return "".join(f"<{key}>{xml(one, key)}</{key}>" for key, one in value.items())
        case list():
            return "".join(f"<{ITEM[name]}>{xml(one)}</{ITEM[name]}>" for one in value)
        case bool():
            return str(value).lower()
        case _:
            return escape(str(value))
