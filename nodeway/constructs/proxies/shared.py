"""HAProxies that serve all nodes of a cluster, for clients that send the node's name as SNI.

A wildcard record has the addresses of all tasks. Each task selects the node by SNI.
"""

from collections.abc import Sequence

from constructs import Construct

from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.haproxy import DRAIN_SECONDS, GRACE_SECONDS, haproxy_fleet
from nodeway.constructs.proxies.haproxy_metrics import HaproxyMetrics
from nodeway.constructs.proxies.service import fleet_service, fleet_tags
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.proxies.task import Program, haproxy_container, proxy_task
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared

STREAM_PREFIX = "haproxy"


class SharedHaproxies(Construct):
    """The shared HAProxies of one cluster: at least two tasks in different availability zones.

    `cache_cidrs`: the networks that they may connect to.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        cluster: ProxiedCluster,
        cache_cidrs: Sequence[str],
        tasks: int,
    ) -> None:
        super().__init__(scope, construct_id)
        settings, topology = cluster.settings, cluster.topology
        self.fleet = haproxy_fleet(self, cluster)
        self.spec = SharedSpec(
            client_cidrs=cluster.client_cidrs,
            port=topology.port,
            memory_mib=settings.memory_mib,
            grace_seconds=GRACE_SECONDS,
            drain_seconds=DRAIN_SECONDS,
            replication_group_id=cluster.replication_group_id,
            zone_name=topology.zone_name,
            nodes=tuple(node.hostname for node in topology.nodes),
            cache_cidrs=tuple(cache_cidrs),
            threads=max(1, settings.cpu // 1024),
        )
        program = Program(START_COMMAND, render_shared(self.spec))
        variables = {"CLUSTER": cluster.label}
        tags = fleet_tags(cluster.label)
        task = proxy_task(
            self,
            "Task",
            settings=self.fleet.task_settings,
            container=haproxy_container(settings.image, self.spec, program, variables),
            family=f"{prefix}-{STREAM_PREFIX}",
            stream_prefix=STREAM_PREFIX,
            tags=tags,
        )
        acknowledge(
            task, "ECS2", "the variable is the public configuration text; nothing is secret"
        )
        fleet_service(self, "Service", fleet=self.fleet, task=task, tasks=tasks, tags=tags)
        HaproxyMetrics(
            self, "Metrics", log_group=self.fleet.log_group, by_node=settings.node_metrics
        )
