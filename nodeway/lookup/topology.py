"""Which nodes a cluster has, at synth: a look-up in the CDK's manner, kept in cdk.context.json.

Synth is a function of files: the answer of AWS is written to cdk.context.json once (commit it) and read
from there until
`-c refresh=true` or `cdk context --reset`. A cluster that cannot be served is refused here, with the
way that does serve it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
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
    from mypy_boto3_elasticache.type_defs import ReplicationGroupTypeDef

CONTEXT_FILE = "cdk.context.json"
TIMEOUTS = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3}
)


class KnownNode(Block):
    """A node as a synth needs it."""

    cache_cluster_id: str
    hostname: NodeName
    availability_zone: str


class KnownTopology(Block):
    """A cluster's nodes as a synth needs them, in cdk.context.json's form.

    `zone_name`: the zone that the clients get; `endpoint`: the cluster's own configuration endpoint, where it is not
    `clustercfg` in that zone; `tls`: whether the nodes speak it.
    """

    zone_name: NodeName
    port: int
    nodes: tuple[KnownNode, ...]
    endpoint: NodeName | None = None
    tls: bool = True

    @property
    def configuration_endpoint(self) -> str:
        """The cluster's own."""
        return self.endpoint or f"clustercfg.{self.zone_name}"


def context_key(environment: EnvironmentConfig, cluster: ClusterConfig) -> str:
    """The key in cdk.context.json, in the form of the CDK's own look-ups."""
    # Envoy serves groups that no other proxy can: what was found out for it must not be taken for those
    way = ":proxy=envoy" if cluster.proxy == "envoy" else ""
    return (
        f"nodeway:topology:account={environment.account}:region={environment.region}"
        f":replication-group={cluster.replication_group_id}{way}"
    )


def load_topologies(
    environment: EnvironmentConfig, context: Mapping[str, Any]
) -> tuple[KnownTopology, ...]:
    """The nodes of each cluster of the environment, in its order; raises ConfigError."""
    refresh = str(context.get("refresh", "false")).lower()
    if refresh not in {"true", "false"}:
        msg = f"-c refresh: got {context['refresh']!r}; allowed: true, false"
        raise ConfigError(msg)
    found = tuple(
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
    refuse_pins_elsewhere(environment, [topology.zone_name for topology in found])
    return found


def load_topology(
    environment: EnvironmentConfig,
    cluster: ClusterConfig,
    cached: Any,  # noqa: ANN401 (whatever cdk.context.json holds)
    look_up: Callable[[], KnownTopology],
) -> KnownTopology:
    """The nodes by hand, else from cdk.context.json, else from AWS; raises ConfigError when none of
    the three serves.
    """
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
    found = look_up()
    save_lookup(
        context_key(environment, cluster), found.model_dump(mode="json", exclude_defaults=True)
    )
    return found


def with_clients_zone(
    environment: EnvironmentConfig, cluster: ClusterConfig, known: KnownTopology
) -> KnownTopology:
    """The topology with the zone that the clients get: Envoy's is one of ours, and the cluster's own names stay."""
    if cluster.envoy is None:
        return known
    ours = f"{cluster.replication_group_id}.{environment.name}.nodeway.internal"
    return known.model_copy(
        update={
            "zone_name": cluster.envoy.zone_name or hostname(ours),
            "endpoint": known.configuration_endpoint,
        }
    )


def topology_from_names(cluster: ClusterConfig) -> KnownTopology:
    """The topology that a list of hostnames states."""
    zone = cluster.nodes[0].partition(".")[2]
    if not zone.startswith(f"{cluster.replication_group_id}."):
        msg = (
            f"nodes of {cluster.replication_group_id}: got {cluster.nodes[0]!r}; allowed: the names of"
            f" a cluster with TLS, NODE.{cluster.replication_group_id}.HASH.REGION.cache.amazonaws.com"
            " (without TLS a cluster answers addresses, which no DNS can turn: use VPC peering or proxy: envoy)"
        )
        raise ConfigError(msg)
    nodes = tuple(
        KnownNode(cache_cluster_id=name.partition(".")[0], hostname=name, availability_zone="")
        for name in sorted(cluster.nodes)
    )
    return KnownTopology(zone_name=zone, port=cluster.port, nodes=nodes)


def fetch_topology(environment: EnvironmentConfig, cluster: ClusterConfig) -> KnownTopology:
    """Asks ElastiCache, once. Raises ConfigError when it cannot be asked, or says that this cluster
    cannot be served.
    """
    client = boto3.client("elasticache", region_name=environment.region, config=TIMEOUTS)
    group_id = cluster.replication_group_id
    try:
        group = client.describe_replication_groups(ReplicationGroupId=group_id)[
            "ReplicationGroups"
        ][0]
        refuse_unserved_group(group, cluster)
        pages = client.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
        members = [
            c
            for page in pages
            for c in page["CacheClusters"]
            if c.get("ReplicationGroupId") == group_id
        ]
        if cluster.proxy != "envoy":
            refuse_addresses(
                client,
                group_id,
                {
                    c.get("CacheParameterGroup", {}).get("CacheParameterGroupName", "")
                    for c in members
                },
            )
    except (ClientError, BotoCoreError) as error:
        msg = (
            f"the topology of {group_id} is not in {CONTEXT_FILE}, and ElastiCache in"
            f" {environment.region} cannot be asked: {error}; set AWS credentials for account"
            f" {environment.account}, or give the nodes with -c nodes=HOST,HOST"
        )
        raise ConfigError(msg) from error
    topology = parse_topology(group, members)
    if topology.problems or not topology.reachable or topology.configuration_endpoint is None:
        why = "; ".join(topology.problems) or "no node has an endpoint yet"
        msg = f"the topology of {group_id} is not whole: {why}; wait until the group is available, then synth again"
        raise ConfigError(msg)
    endpoint = topology.configuration_endpoint
    of_envoy = cluster.proxy == "envoy"
    return KnownTopology(
        zone_name=endpoint.partition(".")[2] if of_envoy else zone_of(endpoint),
        endpoint=endpoint if of_envoy else None,
        tls=bool(group.get("TransitEncryptionEnabled")),
        port=topology.port,
        nodes=tuple(
            KnownNode(
                cache_cluster_id=n.cache_cluster_id,
                hostname=n.hostname,
                availability_zone=n.availability_zone,
            )
            for n in topology.reachable
            if n.hostname
        ),
    )


def refuse_pins_elsewhere(environment: EnvironmentConfig, zones: Iterable[str]) -> None:
    """Raises ConfigError for a pin that is in no zone of the environment: it would pin nothing, silently."""
    known = tuple(zones)
    lost = [name for name in environment.pins if not name.endswith(tuple(f".{z}" for z in known))]
    if lost:
        msg = f"pin: got {', '.join(sorted(lost))}; allowed: names of {', '.join(known)}"
        raise ConfigError(msg)


def refuse_unserved_group(group: "ReplicationGroupTypeDef", cluster: ClusterConfig) -> None:
    """Raises ConfigError for a group whose clients are not sent from name to name; Envoy follows addresses, too."""
    name = group.get("ReplicationGroupId")
    if not group.get("ClusterEnabled"):
        msg = (
            f"{name} has cluster mode disabled: its clients are never redirected, so one HAProxy per"
            " endpoint is enough; this tool is for cluster mode enabled"
        )
        raise ConfigError(msg)
    if not group.get("TransitEncryptionEnabled") and cluster.proxy != "envoy":
        msg = (
            f"{name} has no encryption in transit: its MOVED answers carry addresses, which no DNS can turn; enable TLS"
            " (Redis OSS 7 and Valkey can do it on a live group), or use VPC peering or proxy: envoy"
        )
        raise ConfigError(msg)


def refuse_addresses(
    client: "ElastiCacheClient", group_id: str, parameter_groups: set[str]
) -> None:
    """Raises ConfigError when a parameter group makes the cluster announce addresses although it has names."""
    for parameter_group in sorted(filter(None, parameter_groups)):
        if endpoint_type(client, parameter_group) == "ip":
            msg = (
                f"{group_id} announces addresses: {ENDPOINT_TYPE}=ip in its parameter group {parameter_group};"
                " set it to tls-dynamic (it takes effect at once), or use VPC peering or proxy: envoy"
            )
            raise ConfigError(msg)


def zone_of(configuration_endpoint: Hostname) -> Hostname:
    """The zone that holds exactly this cluster's names: the configuration endpoint without its first label."""
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
    """Writes one look-up into cdk.context.json beside the app, as the CDK does; the others stay."""
    path = Path.cwd() / CONTEXT_FILE
    known = json.loads(path.read_text()) if path.exists() else {}
    known[key] = value
    scratch = path.with_suffix(".json.new")
    scratch.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    scratch.replace(path)
