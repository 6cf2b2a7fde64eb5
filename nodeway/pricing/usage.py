"""Counts what of an environment costs money: tasks, zones, endpoints, metrics and so on. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodeway.config.model import EnvironmentConfig, ProxyVpc
from nodeway_runtime.model import metrics

ENVOYS = "Envoys"
ENVOY_METRICS = len(metrics.EnvoyMetric)
"""Metrics of each fleet of Envoys."""
HAPROXY_METRICS = len(metrics.HAPROXY_CLUSTER_METRICS)
HAPROXY_NODE_METRICS = len(metrics.HAPROXY_NODE_METRICS)
"""Metrics of each cluster of HAProxies, and of each of its nodes. Shared HAProxies count as one node. The metrics by
cause of abnormal sessions are not counted, as they exist only while there are such sessions."""
PROBE_METRICS = len(metrics.PROBE_CLUSTER_METRICS)
PROBE_NODE_METRICS = len(metrics.PROBE_NODE_METRICS)
"""Metrics of each cluster with a probe, and of each of its names."""
PROBE_ALARMS, LOGIN_ALARMS = 2, 3
"""Further alarm metrics of a cluster with a probe, and with one that logs in. An anomaly alarm counts as three:
https://aws.amazon.com/cloudwatch/pricing/"""
ALARMS: Mapping[str, int] = {"haproxy": 10, "shared": 8, "envoy": 7}
"""Alarm metrics of a cluster (nodeway/constructs/monitoring/alarms.py), each of which is billed."""
GATEWAY_ENDPOINTS = frozenset({"s3"})
"""Free: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Proxies that together serve all nodes of a cluster. `metrics` are those of the proxies themselves."""

    what: str
    tasks: int
    metrics: int = 0

    @property
    def alarms(self) -> int:
        """The number of alarm metrics."""
        return ALARMS["envoy" if self.what == ENVOYS else "shared"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What of an environment costs money.

    `clusters` have a HAProxy per node for their `nodes`. `other_clusters` with `other_nodes` have only `fleets`.
    """

    nodes: int
    clusters: int = 1
    fleets: tuple[Fleet, ...] = ()
    other_nodes: int = 0
    other_clusters: int = 0
    haproxies_per_node: int = 1
    cpu: int = 256
    memory: int = 512
    interface_endpoints: int = 0
    """The number of endpoints times that of AZs."""
    nat_gateways: int = 0
    resolver_addresses: int = 0
    client_vpcs: int = 1
    node_metrics: bool = True
    probed: int = 0
    """Clusters with a probe, of which `logins` have one that logs in."""
    logins: int = 0
    probed_names: int = 0
    """The names of these clusters: their nodes and their endpoints."""
    probe_vpcs: int = 0
    """Client VPCs with a probe."""

    @property
    def alarms(self) -> int:
        """The number of alarm metrics of all clusters."""
        of_fleets = sum(fleet.alarms for fleet in self.fleets)
        of_probes = self.probed * PROBE_ALARMS + self.logins * LOGIN_ALARMS
        return self.clusters * ALARMS["haproxy"] + of_fleets + of_probes

    @property
    def probe_metrics(self) -> int:
        """The number of metrics that the probe writes."""
        of_names = self.probed_names * PROBE_NODE_METRICS if self.node_metrics else 0
        return self.probed * PROBE_METRICS + of_names

    @property
    def proxy_metrics(self) -> int:
        """The number of metrics that metric filters read from the proxies' logs."""
        of_nodes = self.nodes * HAPROXY_NODE_METRICS if self.node_metrics else 0
        of_fleets = sum(fleet.metrics for fleet in self.fleets)
        return self.clusters * HAPROXY_METRICS + of_nodes + of_fleets


def compute_usage(environment: EnvironmentConfig, nodes: Sequence[int]) -> Usage:
    """Counts the environment; `nodes` are the numbers of nodes of the clusters with proxies, in their order."""
    vpc = environment.proxy_vpc
    outside = environment.on_premises
    counts = list(zip(environment.proxied, nodes, strict=True))
    every = {cluster.replication_group_id: count for cluster, count in counts}
    per_node = {
        cluster.replication_group_id: count
        for cluster, count in counts
        if cluster.has_proxy_per_node
    }
    probe_vpcs = sum(bool(client.probe_subnet_ids) for client in environment.client_vpcs)
    probed = [
        (cluster, count)
        for cluster, count in counts
        if probe_vpcs and cluster in environment.overridden_clusters
    ]
    shared_metrics = HAPROXY_METRICS + (HAPROXY_NODE_METRICS if environment.node_metrics else 0)
    return Usage(
        nodes=sum(per_node.values()),
        clusters=len(per_node),
        fleets=tuple(
            Fleet(ENVOYS, cluster.tasks, ENVOY_METRICS)
            if cluster.proxy == "envoy"
            else Fleet("shared HAProxies", cluster.tasks, shared_metrics)
            for cluster in environment.proxied
            if not cluster.has_proxy_per_node
        ),
        other_nodes=sum(every.values()) - sum(per_node.values()),
        other_clusters=len(every) - len(per_node),
        haproxies_per_node=environment.haproxies_per_node,
        cpu=environment.cpu,
        memory=environment.memory,
        interface_endpoints=count_interface_endpoints(vpc) if vpc else 0,
        nat_gateways=vpc.nat_gateways if vpc else 0,
        resolver_addresses=len(outside.resolver_subnet_ids) if outside else 0,
        client_vpcs=len(environment.client_vpcs),
        node_metrics=environment.node_metrics,
        probed=len(probed),
        logins=sum(cluster.probe is not None and cluster.probe.logs_in for cluster, _ in probed),
        probed_names=sum(count + 1 for _, count in probed),
        probe_vpcs=probe_vpcs,
    )


def count_interface_endpoints(vpc: ProxyVpc) -> int:
    """Returns the number of interface endpoints times that of the VPC's availability zones."""
    zones = {*vpc.availability_zones, *(subnet.availability_zone for subnet in vpc.subnets)}
    return len(set(vpc.endpoints) - GATEWAY_ENDPOINTS) * len(zones)
