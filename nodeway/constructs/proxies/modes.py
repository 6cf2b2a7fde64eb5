"""The modes of proxies, with everything that differs between them.

Each mode has:

- `suffix`: the end of a cluster's label in this mode;
- `title`: the mode's name in the dashboard; `page`: the section of docs/clients.md about its clients;
- `endpoint`: the name of the output with the endpoint for clients, and the first label of the endpoint;
- `follows_nodes`: whether each node has a record and a proxy of its own, so that the resync reads the nodes;
- `overrides_cluster_names`: whether the zone overrides the cluster's own names, so that it must not be associated with
  a VPC that has proxies;
- `runs_haproxy`: whether the proxies are HAProxies;
- `fleet_name`: the one record for all proxies, None if each node has its own;
- `build`: creates the proxies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from constructs import Construct

from nodeway.constructs.parts import PART_ID, Parts
from nodeway.constructs.proxies.envoy import EnvoyLogins, Envoys
from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.proxies.haproxy import Haproxies
from nodeway.constructs.proxies.nodes import NodeServices, group_by_stack
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.proxies.shared import SharedHaproxies
from nodeway.constructs.proxies.task import HaproxyTasks
from nodeway.lookup.topology import KnownTopology
from nodeway_runtime.model.topology import Hostname


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of one cluster.

    `parts`: their constructs, in the order of deployment. `haproxies`: the task parameters of HAProxies per node, and
    of stand-ins; None in other modes.
    """

    fleet: Fleet
    parts: tuple[Construct, ...]
    haproxies: HaproxyTasks | None = None


@dataclass(frozen=True, slots=True)
class PerNode:
    """`haproxies_per_node` HAProxies for each node, with an A record each. The default mode."""

    haproxies_per_node: int = 1
    suffix: ClassVar[str] = ""
    title: ClassVar[str] = "a HAProxy for each node"
    page: ClassVar[str] = "per-node"
    endpoint: ClassVar[tuple[str, str]] = ("ConfigurationEndpoint", "clustercfg")
    follows_nodes: ClassVar[bool] = True
    overrides_cluster_names: ClassVar[bool] = True
    runs_haproxy: ClassVar[bool] = True

    def fleet_name(self, _: KnownTopology) -> str | None:
        """Returns None, as each node has its own record."""
        return None

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """Creates the shared resources, and the services of each range of shards."""
        haproxies = Haproxies(parts.scope("haproxy"), PART_ID, cluster=cluster)
        services = []
        for first, nodes in group_by_stack(cluster.topology.nodes).items():
            scope = parts.scope(f"nodes-{first}")
            services.append(
                NodeServices(
                    scope,
                    PART_ID,
                    prefix=parts.prefix(scope),
                    fleet=haproxies.fleet,
                    haproxies=haproxies.tasks,
                    haproxies_per_node=self.haproxies_per_node,
                    nodes=nodes,
                )
            )
        return Proxies(haproxies.fleet, (haproxies, *services), haproxies.tasks)


@dataclass(frozen=True, slots=True)
class Shared:
    """`tasks` HAProxies (2 to 8) that serve all nodes, and select the node by SNI.

    `cache_cidrs`: the networks that they may connect to.
    """

    cache_cidrs: Sequence[str]
    tasks: int = 2
    suffix: ClassVar[str] = "-shared"
    title: ClassVar[str] = "shared HAProxies"
    page: ClassVar[str] = "shared"
    endpoint: ClassVar[tuple[str, str]] = ("ConfigurationEndpoint", "clustercfg")
    follows_nodes: ClassVar[bool] = False
    overrides_cluster_names: ClassVar[bool] = True
    runs_haproxy: ClassVar[bool] = True

    def fleet_name(self, topology: KnownTopology) -> str | None:
        """Returns the wildcard name of the zone."""
        return f"*.{topology.zone_name}"

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """Creates the fleet with its service."""
        scope = parts.scope("proxies")
        proxies = SharedHaproxies(
            scope,
            PART_ID,
            cluster=cluster,
            prefix=parts.prefix(scope),
            cache_cidrs=self.cache_cidrs,
            tasks=self.tasks,
        )
        return Proxies(proxies.fleet, (proxies,))


@dataclass(frozen=True, slots=True)
class EnvoyMode:
    """`tasks` Envoys (2 to 8) with the Redis filter: clients without cluster mode connect to one name."""

    logins: EnvoyLogins
    tasks: int = 2
    suffix: ClassVar[str] = "-envoy"
    title: ClassVar[str] = "Envoy's Redis filter"
    page: ClassVar[str] = "envoy"
    endpoint: ClassVar[tuple[str, str]] = ("Endpoint", "redis")
    follows_nodes: ClassVar[bool] = False
    overrides_cluster_names: ClassVar[bool] = False
    runs_haproxy: ClassVar[bool] = False

    def fleet_name(self, topology: KnownTopology) -> str | None:
        """Returns the name of the endpoint."""
        return Hostname(f"{self.endpoint[1]}.{topology.zone_name}")

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """Creates the fleet with its service."""
        scope = parts.scope("proxies")
        proxies = Envoys(
            scope,
            PART_ID,
            cluster=cluster,
            prefix=parts.prefix(scope),
            logins=self.logins,
            tasks=self.tasks,
        )
        return Proxies(proxies.fleet, (proxies,))


ProxyMode = PerNode | Shared | EnvoyMode
