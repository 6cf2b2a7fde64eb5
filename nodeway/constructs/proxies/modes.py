"""The modes in which proxies lead clients to a cluster. What differs between them is decided here and nowhere else.

Each mode says:

- `suffix`: the end of the label of a cluster that is reached in it;
- `title`: the mode for a person; `page`: the section of docs/clients.md about its clients;
- `endpoint`: the name of the output that tells what clients connect to, and that name's first label;
- `follows_nodes`: whether each node has a record and a proxy of its own, so that the resync has to know the nodes;
- `overrides_cluster_names`: whether the zone hides the cluster's own names, so that no VPC with proxies may see it;
- `runs_haproxy`: whether the proxies are HAProxies;
- `fleet_name`: the one name that leads to all proxies, None where each node has its own;
- `build`: makes the proxies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from constructs import Construct

from nodeway.constructs.parts import PART_ID, Parts
from nodeway.constructs.proxies.envoy import EnvoyLogins, Envoys
from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.proxies.haproxy import Haproxies
from nodeway.constructs.proxies.nodes import NodeServices, by_stack
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.proxies.shared import SharedHaproxies
from nodeway.constructs.proxies.task import HaproxyTasks
from nodeway.lookup.topology import KnownTopology
from nodeway_runtime.model.topology import Hostname


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of one cluster as they were made.

    `parts`: their constructs, in the order in which they are deployed. `haproxies`: what
    the HAProxies of single nodes are made like, and stand-ins too; None where no node has its own.
    """

    fleet: Fleet
    parts: tuple[Construct, ...]
    haproxies: HaproxyTasks | None = None


@dataclass(frozen=True, slots=True)
class PerNode:
    """One HAProxy for each node, or `haproxies_per_node` of them with an A record each. The default."""

    haproxies_per_node: int = 1
    suffix: ClassVar[str] = ""
    title: ClassVar[str] = "a HAProxy for each node"
    page: ClassVar[str] = "per-node"
    endpoint: ClassVar[tuple[str, str]] = ("ConfigurationEndpoint", "clustercfg")
    follows_nodes: ClassVar[bool] = True
    overrides_cluster_names: ClassVar[bool] = True
    runs_haproxy: ClassVar[bool] = True

    def fleet_name(self, _: KnownTopology) -> str | None:
        """None: each node has its own."""
        return None

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """What the HAProxies share, and the services of each range of shards."""
        haproxies = Haproxies(parts.scope("haproxy"), PART_ID, cluster=cluster)
        services = []
        for first, nodes in by_stack(cluster.topology.nodes).items():
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
    """HAProxies that serve all nodes and tell them apart by SNI: `tasks` of them (2 to 8).

    `cache_cidrs`: the networks that any node of the cluster may be in.
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
        """Every name of the zone."""
        return f"*.{topology.zone_name}"

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """One service."""
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
    """Envoys that speak Redis: clients without cluster mode connect to one name. `tasks`: 2 to 8."""

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
        """The endpoint's."""
        return Hostname(f"{self.endpoint[1]}.{topology.zone_name}")

    def build(self, parts: Parts, cluster: ProxiedCluster) -> Proxies:
        """One service."""
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
