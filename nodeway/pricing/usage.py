"""What of an environment costs money, as counts: of tasks, zones, endpoints. Pure; the prices are in
nodeway/pricing/estimate.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodeway.config.model import EnvironmentConfig
from nodeway_runtime.model import metrics

ENVOYS = "Envoys"
ENVOY_METRICS = len(metrics.EnvoyMetric)
"""For each fleet of Envoys."""
HAPROXY_METRICS = len(metrics.HAPROXY_CLUSTER_METRICS)
HAPROXY_NODE_METRICS = len(metrics.HAPROXY_NODE_METRICS)
"""For each cluster of HAProxies, and for each of its nodes; shared HAProxies count as one node.
A cause of abnormal sessions costs while there are such sessions: nobody knows that at synth."""
PROBE_METRICS = len(metrics.PROBE_CLUSTER_METRICS)
PROBE_NODE_METRICS = len(metrics.PROBE_NODE_METRICS)
"""For each cluster with a probe, and for each of its names."""
PROBE_ALARMS, LOGIN_ALARMS = 2, 3
"""Of a cluster with a probe, and with one that logs in, beside those of ALARMS. An alarm by anomaly is paid for as
three: https://aws.amazon.com/cloudwatch/pricing/"""
ALARMS: Mapping[str, int] = {"haproxy": 10, "shared": 8, "envoy": 7}
"""How many metrics the alarms of a cluster look at, in nodeway/constructs/monitoring/alarms.py: each is paid for."""
GATEWAY_ENDPOINTS = frozenset({"s3"})
"""Free: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Proxies that serve all nodes of a cluster together."""

    what: str
    tasks: int
    metrics: int = 0
    """Beside those of the resync."""

    @property
    def alarms(self) -> int:
        """The metrics that its alarms look at."""
        return ALARMS["envoy" if self.what == ENVOYS else "shared"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What of an environment costs money.

    `nodes`, of `clusters`: those with HAProxies of their own; `other_nodes`, of `other_clusters`: those behind `fleets`
    only.
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
    """Endpoints times AZs."""
    nat_gateways: int = 0
    resolver_addresses: int = 0
    client_vpcs: int = 1
    node_metrics: bool = True
    probed: int = 0
    """Clusters with a probe, of which `logins` log in."""
    logins: int = 0
    probed_names: int = 0
    """Of these clusters: their nodes, and an endpoint each."""
    probe_vpcs: int = 0
    """Client VPCs that each of them is walked from."""

    @property
    def alarms(self) -> int:
        """The metrics that the alarms of all clusters look at."""
        of_fleets = sum(fleet.alarms for fleet in self.fleets)
        of_probes = self.probed * PROBE_ALARMS + self.logins * LOGIN_ALARMS
        return self.clusters * ALARMS["haproxy"] + of_fleets + of_probes

    @property
    def probe_metrics(self) -> int:
        """The metrics that the probe writes."""
        of_names = self.probed_names * PROBE_NODE_METRICS if self.node_metrics else 0
        return self.probed * PROBE_METRICS + of_names

    @property
    def proxy_metrics(self) -> int:
        """The metrics that the proxies' own lines become."""
        of_nodes = self.nodes * HAPROXY_NODE_METRICS if self.node_metrics else 0
        of_fleets = sum(fleet.metrics for fleet in self.fleets)
        return self.clusters * HAPROXY_METRICS + of_nodes + of_fleets


def usage_of(environment: EnvironmentConfig, nodes: Sequence[int]) -> Usage:
    """What of this environment costs money, with so many nodes in each cluster that has proxies."""
    vpc = environment.proxy_vpc
    zones = (
        len({*vpc.availability_zones, *(one.availability_zone for one in vpc.subnets)})
        if vpc
        else 0
    )
    interface = [one for one in vpc.endpoints if one not in GATEWAY_ENDPOINTS] if vpc else []
    outside = environment.on_premises
    counted = list(zip(environment.proxied, nodes, strict=True))
    own = {one.replication_group_id: count for one, count in counted if one.by_node}
    every = {one.replication_group_id: count for one, count in counted}
    probe_vpcs = sum(bool(one.probe_subnet_ids) for one in environment.client_vpcs)
    probed = [pair for pair in counted if probe_vpcs and pair[0] in environment.overridden_clusters]
    of_shared = HAPROXY_METRICS + (HAPROXY_NODE_METRICS if environment.node_metrics else 0)
    return Usage(
        nodes=sum(own.values()),
        clusters=len(own),
        fleets=tuple(
            Fleet(ENVOYS, one.tasks, ENVOY_METRICS)
            if one.proxy == "envoy"
            else Fleet("shared HAProxies", one.tasks, of_shared)
            for one in environment.proxied
            if not one.by_node
        ),
        other_nodes=sum(every.values()) - sum(own.values()),
        other_clusters=len(every) - len(own),
        haproxies_per_node=environment.haproxies_per_node,
        cpu=environment.cpu,
        memory=environment.memory,
        interface_endpoints=len(interface) * zones,
        nat_gateways=vpc.nat_gateways if vpc else 0,
        resolver_addresses=len(outside.resolver_subnet_ids) if outside else 0,
        client_vpcs=len(environment.client_vpcs),
        node_metrics=environment.node_metrics,
        probed=len(probed),
        logins=sum(one.probe is not None and one.probe.logs_in for one, _ in probed),
        probed_names=sum(count + 1 for _, count in probed),
        probe_vpcs=probe_vpcs,
    )
