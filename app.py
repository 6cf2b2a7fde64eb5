#!/usr/bin/env python3
"""The CDK app: configuration in, stacks out. No logic lives here.

What the environment's clusters share of the network first; then for each cluster its proxies, its private zone, and the
resync that ties them together; at the end what watches all of it.
"""

import sys
from typing import Any

import aws_cdk as cdk

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.constructs.monitoring.monitored import Watched
from nodeway.constructs.monitoring.monitoring import MonitoringStack
from nodeway.constructs.nag import review
from nodeway.constructs.network.network import NetworkStack, ProxyNetwork, needs_network_stack
from nodeway.constructs.network.peering import PeeringStack
from nodeway.constructs.probe.probe import ProbeStack, probed_vpcs
from nodeway.constructs.proxies.envoy import EnvoyStack
from nodeway.constructs.proxies.fleet import FleetStack
from nodeway.constructs.proxies.haproxy import HaproxyStack
from nodeway.constructs.proxies.nodes import NodesStack, stacks_of
from nodeway.constructs.proxies.shared import SharedStack
from nodeway.constructs.records.function import ResyncStack
from nodeway.constructs.records.zone import DnsStack
from nodeway.constructs.sandbox.sandbox import SandboxStack
from nodeway.errors import ConfigError
from nodeway.lookup.quota import known_quota, shortages
from nodeway.lookup.topology import KnownTopology, known_topologies
from nodeway.pricing.prices import load_prices
from nodeway.pricing.table import told


def build(app: cdk.App) -> str:
    """Adds the stacks of the environment that the app's context chooses, and gives its month's estimate as text.

    Raises ConfigError.
    """
    context = app.node.get_all_context()
    environment = load(context)
    common: dict[str, Any] = {
        "environment": environment,
        "env": cdk.Environment(account=environment.account, region=environment.region),
        "termination_protection": environment.termination_protection,
    }
    if environment.sandbox:
        trial = SandboxStack(
            app, f"nodeway-{environment.name}-sandbox", sandbox=environment.sandbox, **common
        )
        topologies: tuple[KnownTopology, ...] = (trial.topology,)
        environment = common["environment"] = trial.config
    else:
        topologies = known_topologies(environment, context)
    network, peering = add_networks(app, environment, topologies, common)
    clusters = [
        add_cluster(app, cluster, topology, network, peering, common)
        for cluster, topology in zip(environment.proxied, topologies, strict=True)
    ]
    short = shortages(environment, topologies, known_quota(environment, context))
    if clusters:
        MonitoringStack(app, f"nodeway-{environment.name}-monitoring", clusters=clusters, **common)
    if clusters and short:
        cdk.Annotations.of(clusters[0].fleet).add_warning_v2(
            "nodeway:fargate-vcpu-quota", " ".join(short)
        )
    cdk.Tags.of(app).add("nodeway:environment", environment.name)
    return told(environment, [len(one.nodes) for one in topologies], load_prices())


def add_networks(
    app: cdk.App,
    environment: EnvironmentConfig,
    topologies: tuple[KnownTopology, ...],
    common: dict[str, Any],
) -> tuple[NetworkStack | None, PeeringStack | None]:
    """What all clusters share: nothing, where the VPCs and the ways between them are there already."""
    name = f"nodeway-{environment.name}"
    network = peering = None
    if needs_network_stack(environment):
        zones = [topology.zone_name for topology in topologies]
        network = NetworkStack(app, f"{name}-network", zone_names=zones, **common)
    if environment.access == "peering":
        made = network.network if network else None
        peering = PeeringStack(app, f"{name}-peering", made=made, **common)
    return network, peering


def add_cluster(
    app: cdk.App,
    cluster: ClusterConfig,
    topology: KnownTopology,
    network: NetworkStack | None,
    peering: PeeringStack | None,
    common: dict[str, Any],
) -> Watched:
    """The stacks of one cluster, in the order in which they are deployed."""
    name = f"nodeway-{common['environment'].name}-{cluster.label}"
    of_cluster = {"cluster": cluster, "topology": topology, **common}
    made = network.network if network else None
    entrance, fleet_name = ("ConfigurationEndpoint", "clustercfg"), None
    if cluster.proxy == "envoy":
        fleet: FleetStack = EnvoyStack(app, f"{name}-proxies", network=made, **of_cluster)
        proxies: list[cdk.Stack] = [fleet]
        entrance, fleet_name = ("Endpoint", "redis"), f"redis.{topology.zone_name}"
    elif cluster.proxy == "shared":
        fleet = SharedStack(app, f"{name}-proxies", network=made, **of_cluster)
        proxies, fleet_name = [fleet], f"*.{topology.zone_name}"
    else:
        fleet, proxies = add_haproxies(app, name, topology, made, of_cluster, common)
    for before in (network, peering):
        # the endpoints that images are pulled through, and the way to the nodes
        if before:
            fleet.add_stack_dependency(before)
    dns = DnsStack(
        app,
        f"{name}-dns",
        anchor=network.anchor if network else None,
        topology=topology,
        entrance=entrance,
        page="per-node" if cluster.by_node else cluster.proxy,
        **common,
    )
    for stack in proxies:
        # the zone hides the true names as soon as it exists: only when the proxies run is it time for it
        dns.add_stack_dependency(stack)
    resync = ResyncStack(
        app, f"{name}-resync", fleet=fleet, dns=dns, fleet_name=fleet_name, **of_cluster
    )
    probe = None
    if cluster in common["environment"].shadowed and probed_vpcs(common["environment"]):
        probe = ProbeStack(app, f"{name}-probe", fleet=fleet, dns=dns, resync=resync, **of_cluster)
        # before the records are there, every path is broken
        probe.add_stack_dependency(resync)
    return Watched(cluster, topology, fleet, resync, probe)


def add_haproxies(
    app: cdk.App,
    name: str,
    topology: KnownTopology,
    made: ProxyNetwork | None,
    of_cluster: dict[str, Any],
    common: dict[str, Any],
) -> tuple[FleetStack, list[cdk.Stack]]:
    """A HAProxy for each node: what they share, and the stacks of their services."""
    fleet = HaproxyStack(app, f"{name}-haproxy", network=made, **of_cluster)
    return fleet, [
        NodesStack(app, f"{name}-nodes-{first}", fleet=fleet, nodes=nodes, **common)
        for first, nodes in stacks_of(topology.nodes).items()
    ]


if __name__ == "__main__":
    app = cdk.App()
    review(app)
    try:
        sys.stderr.write(build(app))
    except ConfigError as error:
        sys.exit(f"nodeway: {error}")
    app.synth()
