"""The look-up of a cluster's nodes at synth, cached in cdk.context.json as the CDK's own look-ups are.

AWS is asked once. Commit cdk.context.json, so that every later synth is a function of files; `-c refresh=true` or
`cdk context --reset` looks up again. A cluster that the configured mode cannot serve is an error.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from nodeway.config.model import Block, ClusterConfig, EnvironmentConfig, NodeName
from nodeway.errors import ConfigError
from nodeway.lookup.parameter_groups import ENDPOINT_TYPE, endpoint_type
from nodeway_runtime.aws.elasticache import parse_topology
from nodeway_runtime.model.topology import Hostname, hostname

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import CacheClusterTypeDef, ReplicationGroupTypeDef

CONTEXT_FILE = "cdk.context.json"
TIMEOUTS = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3}
)


class KnownNode(Block):
    """A node of a topology."""

    cache_cluster_id: str
    hostname: NodeName
    availability_zone: str


class KnownTopology(Block):
    """A cluster's nodes, as cdk.context.json has them.

    `zone_name`: the private zone of the clients. `endpoint`: the configuration endpoint, if it is not `clustercfg` in
    that zone. `tls`: whether the group has encryption in transit.
    """

    zone_name: NodeName
    port: int
    nodes: tuple[KnownNode, ...]
    endpoint: NodeName | None = None
    tls: bool = True

    @property
    def configuration_endpoint(self) -> str:
        """The host name of the cluster's configuration endpoint."""
        return self.endpoint or f"clustercfg.{self.zone_name}"


def context_key(environment: EnvironmentConfig, cluster: ClusterConfig) -> str:
    """Returns the key in cdk.context.json, in the form of the CDK's own look-ups."""
    # Envoy serves groups that HAProxies cannot, so its look-ups have keys of their own
    suffix = ":proxy=envoy" if cluster.proxy == "envoy" else ""
    return (
        f"nodeway:topology:account={environment.account}:region={environment.region}"
        f":replication-group={cluster.replication_group_id}{suffix}"
    )


def load_topologies(
    environment: EnvironmentConfig, context: Mapping[str, Any]
) -> tuple[KnownTopology, ...]:
    """Returns the topology of each cluster with proxies, in their order; raises ConfigError."""
    refresh = str(context.get("refresh", "false")).lower()
    if refresh not in {"true", "false"}:
        msg = f"-c refresh: got {context['refresh']!r}; allowed: true, false"
        raise ConfigError(msg)
    topologies = tuple(
        with_clients_zone(
            environment,
            cluster,
            load_topology(
                environment,
                cluster,
                None if refresh == "true" else context.get(context_key(environment, cluster)),
                partial(fetch_topology, environment, cluster),
            ),
        )
        for cluster in environment.proxied
    )
    refuse_pins_elsewhere(environment, [topology.zone_name for topology in topologies])
    return topologies


def load_topology(
    environment: EnvironmentConfig,
    cluster: ClusterConfig,
    cached: Any,  # noqa: ANN401 (any JSON)
    look_up: Callable[[], KnownTopology],
) -> KnownTopology:
    """Returns the configured nodes, else the cached ones, else those of `look_up`; raises ConfigError."""
    if cluster.nodes:
        return topology_from_names(cluster)
    if cached is not None:
        try:
            return KnownTopology.model_validate(cached)
        except ValidationError as error:
            msg = (
                f"{CONTEXT_FILE}: {context_key(environment, cluster)} is not a topology"
                f" ({error.error_count()} problems); renew it with -c refresh=true"
            )
            raise ConfigError(msg) from error
    topology = look_up()
    save_lookup(
        context_key(environment, cluster), topology.model_dump(mode="json", exclude_defaults=True)
    )
    return topology


def with_clients_zone(
    environment: EnvironmentConfig, cluster: ClusterConfig, topology: KnownTopology
) -> KnownTopology:
    """Returns the topology with the clients' zone: one of its own for Envoy, else the zone of the cluster's names."""
    if cluster.envoy is None:
        return topology
    default = f"{cluster.replication_group_id}.{environment.name}.nodeway.internal"
    return topology.model_copy(
        update={
            "zone_name": cluster.envoy.zone_name or hostname(default),
            "endpoint": topology.configuration_endpoint,
        }
    )


def topology_from_names(cluster: ClusterConfig) -> KnownTopology:
    """Returns the topology of the cluster's configured `nodes`; raises ConfigError if they are of another cluster."""
    zone = cluster.nodes[0].partition(".")[2]
    if not zone.startswith(f"{cluster.replication_group_id}."):
        msg = (
            f"nodes of {cluster.replication_group_id}: got {cluster.nodes[0]!r}; allowed: the names of"
            f" a cluster with TLS, NODE.{cluster.replication_group_id}.HASH.REGION.cache.amazonaws.com"
            " (without TLS a cluster announces addresses, which DNS cannot override: use VPC peering or proxy: envoy)"
        )
        raise ConfigError(msg)
    nodes = tuple(
        KnownNode(cache_cluster_id=name.partition(".")[0], hostname=name, availability_zone="")
        for name in sorted(cluster.nodes)
    )
    return KnownTopology(zone_name=zone, port=cluster.port, nodes=nodes)


def fetch_topology(environment: EnvironmentConfig, cluster: ClusterConfig) -> KnownTopology:
    """Reads the topology from ElastiCache; raises ConfigError if that fails, or if the cluster cannot be served."""
    client = boto3.client("elasticache", region_name=environment.region, config=TIMEOUTS)
    group_id = cluster.replication_group_id
    try:
        group = client.describe_replication_groups(ReplicationGroupId=group_id)[
            "ReplicationGroups"
        ][0]
        refuse_unserved_group(group, cluster)
        pages = client.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
        members = [
            member
            for page in pages
            for member in page["CacheClusters"]
            if member.get("ReplicationGroupId") == group_id
        ]
        if cluster.proxy != "envoy":
            refuse_addresses(client, group_id, members)
    except (ClientError, BotoCoreError) as error:
        msg = (
            f"the topology of {group_id} is not in {CONTEXT_FILE}, and ElastiCache in"
            f" {environment.region} cannot be asked: {error}; set AWS credentials for account"
            f" {environment.account}, or give the nodes with -c nodes=HOST,HOST"
        )
        raise ConfigError(msg) from error
    topology = parse_topology(group, members)
    if topology.problems or not topology.reachable or topology.configuration_endpoint is None:
        problems = "; ".join(topology.problems) or "no node has an endpoint yet"
        msg = (
            f"the topology of {group_id} is incomplete: {problems};"
            " wait until the group is available, then synth again"
        )
        raise ConfigError(msg)
    endpoint = topology.configuration_endpoint
    is_envoy = cluster.proxy == "envoy"
    return KnownTopology(
        zone_name=endpoint.partition(".")[2] if is_envoy else zone_of(endpoint),
        endpoint=endpoint if is_envoy else None,
        tls=bool(group.get("TransitEncryptionEnabled")),
        port=topology.port,
        nodes=tuple(
            KnownNode(
                cache_cluster_id=node.cache_cluster_id,
                hostname=node.hostname,
                availability_zone=node.availability_zone,
            )
            for node in topology.reachable
            if node.hostname
        ),
    )


def refuse_pins_elsewhere(environment: EnvironmentConfig, zones: Sequence[str]) -> None:
    """Raises ConfigError for a pin that is in no zone of the environment, as it would have no effect."""
    suffixes = tuple(f".{zone}" for zone in zones)
    outside = sorted(name for name in environment.pins if not name.endswith(suffixes))
    if outside:
        msg = f"pin: got {', '.join(outside)}; allowed: names of {', '.join(zones)}"
        raise ConfigError(msg)


def refuse_unserved_group(group: "ReplicationGroupTypeDef", cluster: ClusterConfig) -> None:
    """Raises ConfigError for a group without cluster mode, or without TLS if the mode is not Envoy's."""
    name = group.get("ReplicationGroupId")
    if not group.get("ClusterEnabled"):
        msg = (
            f"{name} has cluster mode disabled: its clients are never redirected, so one HAProxy per"
            " endpoint is enough; Nodeway is for cluster mode enabled"
        )
        raise ConfigError(msg)
    if not group.get("TransitEncryptionEnabled") and cluster.proxy != "envoy":
        msg = (
            f"{name} has no encryption in transit: its MOVED answers carry addresses, which DNS cannot override; enable"
            " TLS (Redis OSS 7 and Valkey allow it on a live group), or use VPC peering or proxy: envoy"
        )
        raise ConfigError(msg)


def refuse_addresses(
    client: "ElastiCacheClient", group_id: str, members: "Iterable[CacheClusterTypeDef]"
) -> None:
    """Raises ConfigError if a member's parameter group makes the cluster announce addresses."""
    parameter_groups = {
        member.get("CacheParameterGroup", {}).get("CacheParameterGroupName", "")
        for member in members
    }
    for parameter_group in sorted(filter(None, parameter_groups)):
        if endpoint_type(client, parameter_group) == "ip":
            msg = (
                f"{group_id} announces addresses: {ENDPOINT_TYPE}=ip in its parameter group {parameter_group};"
                " set it to tls-dynamic (it takes effect at once), or use VPC peering or proxy: envoy"
            )
            raise ConfigError(msg)


def zone_of(configuration_endpoint: Hostname) -> Hostname:
    """Returns the configuration endpoint without its first label: the zone of this cluster's names and of no others.

    Raises ConfigError for an endpoint of another form.
    """
    first, _, zone = configuration_endpoint.partition(".")
    if first != "clustercfg":
        msg = (
            f"configuration endpoint {configuration_endpoint}: expected clustercfg.NAME…, the form of a"
            " cluster with TLS; while TransitEncryptionMode is `preferred` the names still change:"
            " finish the move to `required`"
        )
        raise ConfigError(msg)
    return hostname(zone)


def save_lookup(key: str, value: Any) -> None:  # noqa: ANN401 (any JSON)
    """Adds one look-up to the cdk.context.json of the working directory, atomically."""
    path = Path.cwd() / CONTEXT_FILE
    lookups = json.loads(path.read_text()) if path.exists() else {}
    lookups[key] = value
    scratch = path.with_suffix(".json.new")
    scratch.write_text(json.dumps(lookups, indent=2, sort_keys=True) + "\n")
    scratch.replace(path)
