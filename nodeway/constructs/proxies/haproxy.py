"""The fleet of one cluster's HAProxies, with their configuration and metrics."""

from constructs import Construct

from nodeway.constructs.parts import PART_ID
from nodeway.constructs.proxies.fleet import Fleet, Kind
from nodeway.constructs.proxies.haproxy_metrics import HaproxyMetrics
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.proxies.task import HaproxyTasks, Program
from nodeway.haproxy.render import START_COMMAND, HaproxySpec, render

GRACE_SECONDS = 30
"""Time for which a stopping HAProxy still accepts connections: enough for the event, the resync, Route 53's propagation
and the TTL."""
DRAIN_SECONDS = 60


class Haproxies(Construct):
    """The fleet of a cluster with HAProxies per node. The services are in `nodeway/constructs/proxies/nodes.py`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ProxiedCluster,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = cluster.settings
        self.fleet = haproxy_fleet(self, cluster)
        spec = HaproxySpec(
            client_cidrs=cluster.client_cidrs,
            port=cluster.topology.port,
            memory_mib=settings.memory_mib,
            grace_seconds=GRACE_SECONDS,
            drain_seconds=DRAIN_SECONDS,
        )
        self.tasks = HaproxyTasks(
            task=self.fleet.task_settings,
            cluster=cluster.label,
            image=settings.image,
            spec=spec,
            program=Program(START_COMMAND, render(spec)),
        )
        HaproxyMetrics(
            self, "Metrics", log_group=self.fleet.log_group, by_node=settings.node_metrics
        )


def haproxy_fleet(scope: Construct, cluster: ProxiedCluster) -> Fleet:
    """Creates a fleet of HAProxies, which listen on the cluster's port."""
    port, image = cluster.topology.port, cluster.settings.image
    kind = Kind("HAProxy", "HAProxies", image, (port,))
    return Fleet(scope, PART_ID, cluster=cluster, kind=kind)
