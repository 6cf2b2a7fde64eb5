"""One HAProxy for all nodes of a cluster: for clients that send the node's name in their TLS hello, and at less cost.

A wildcard record leads every name of the zone to all of its tasks, and each of them finds the node itself.
"""

from typing import Any

from constructs import Construct

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.proxies.fleet import FleetStack, Kind
from nodeway.constructs.proxies.haproxy import DRAIN_SECONDS, GRACE_SECONDS
from nodeway.constructs.proxies.haproxy_metrics import HaproxyMetrics
from nodeway.constructs.proxies.shared_one_name import fleet_service, fleet_tags
from nodeway.constructs.proxies.task import Program, haproxy_container, proxy_task
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared
from nodeway.lookup.topology import KnownTopology

STREAM_PREFIX = "haproxy"


class SharedStack(FleetStack):
    """The shared HAProxies of one cluster: at least two tasks over availability zones."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        network: ProxyNetwork | None,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            cluster=cluster,
            topology=topology,
            network=network,
            kind=Kind("HAProxy", "HAProxies", environment.image, (topology.port,)),
            **stack,
        )
        self.spec = spec_of(environment, cluster, topology)
        tags = fleet_tags(cluster.label)
        program = Program(START_COMMAND, render_shared(self.spec))
        variables = {"CLUSTER": cluster.label}
        task = proxy_task(
            self,
            "Task",
            fleet=self,
            container=haproxy_container(environment.image, self.spec, program, variables),
            stream_prefix=STREAM_PREFIX,
            tags=tags,
        )
        acknowledge(
            task, "ECS2", "the variable is the public configuration text; nothing is secret"
        )
        service = fleet_service(
            self, "Service", fleet=self, task=task, tasks=cluster.tasks, tags=tags
        )
        # a task that starts before its role may write logs would fail
        service.node.add_dependency(self.execution_role)
        HaproxyMetrics(self, "Metrics", log_group=self.log_group, by_node=environment.node_metrics)


def spec_of(
    environment: EnvironmentConfig, cluster: ClusterConfig, topology: KnownTopology
) -> SharedSpec:
    """What the cluster's shared HAProxies run with."""
    return SharedSpec(
        client_cidrs=environment.client_cidrs,
        port=topology.port,
        memory_mib=environment.memory,
        grace_seconds=GRACE_SECONDS,
        drain_seconds=DRAIN_SECONDS,
        replication_group_id=cluster.replication_group_id,
        zone_name=topology.zone_name,
        nodes=tuple(node.hostname for node in topology.nodes),
        cache_cidrs=tuple(map(str, environment.cache_networks(cluster))),
        threads=max(1, environment.cpu // 1024),
    )
