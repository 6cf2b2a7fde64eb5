"""What the HAProxies of one cluster share beside their fleet: what all of them run, and what it tells."""

from typing import Any

from constructs import Construct

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.proxies.fleet import FleetStack, Kind
from nodeway.constructs.proxies.haproxy_metrics import HaproxyMetrics
from nodeway.constructs.proxies.task import Program
from nodeway.haproxy.render import START_COMMAND, HaproxySpec, render
from nodeway.lookup.topology import KnownTopology

GRACE_SECONDS = 30
"""How long a stopping HAProxy still accepts: the event, the run, Route 53's propagation and the records' TTL fit in."""
DRAIN_SECONDS = 60


class HaproxyStack(FleetStack):
    """The fleet of one cluster without its nodes' own services (`nodeway/constructs/proxies/nodes.py`)."""

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
        self.spec = HaproxySpec(
            client_cidrs=environment.client_cidrs,
            port=topology.port,
            memory_mib=environment.memory,
            grace_seconds=GRACE_SECONDS,
            drain_seconds=DRAIN_SECONDS,
        )
        self.label = cluster.label
        self.program = Program(START_COMMAND, render(self.spec))
        HaproxyMetrics(self, "Metrics", log_group=self.log_group, by_node=environment.node_metrics)
