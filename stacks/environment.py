"""Composes the stacks of one environment of the configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.construct import Nodeway
from nodeway.constructs.monitoring.monitoring import Monitoring
from nodeway.constructs.network.network import Network, existing_network, needs_network
from nodeway.constructs.network.peering import Peering
from nodeway.constructs.parts import PART_ID, deploy_after
from nodeway.constructs.sandbox.sandbox import SandboxSite
from nodeway.lookup.quota import describe_shortages, load_quota
from nodeway.lookup.topology import KnownTopology, load_topologies
from nodeway.pricing.prices import load_prices
from nodeway.pricing.table import render_estimate
from stacks.parts import StackPerPart
from stacks.settings import clients_of, login_of, mode_of, proxy_settings_of, record_settings_of


@dataclass(frozen=True, slots=True)
class Foundation:
    """The network and the peering of an environment; None if the deployment does not create them."""

    network: Network | None
    peering: Peering | None


def build(app: cdk.App) -> str:
    """Adds the stacks of the environment that the app's context selects. Returns the estimate of its monthly cost.

    Raises ConfigError.
    """
    context = app.node.get_all_context()
    environment = load(context)
    parts = StackPerPart(
        app,
        f"nodeway-{environment.name}",
        {
            "env": cdk.Environment(account=environment.account, region=environment.region),
            "termination_protection": environment.termination_protection,
        },
    )
    environment, topologies = resolve_topologies(environment, parts)
    foundation = add_foundation(environment, topologies, parts)
    clusters = [
        add_cluster(environment, cluster, topology, foundation, parts)
        for cluster, topology in zip(environment.proxied, topologies, strict=True)
    ]
    if clusters:
        add_monitoring(environment, clusters, parts)
        shortages = describe_shortages(environment, topologies, load_quota(environment, context))
        if shortages:
            annotations = cdk.Annotations.of(clusters[0].proxies.fleet)
            annotations.add_warning_v2("nodeway:fargate-vcpu-quota", " ".join(shortages))
    cdk.Tags.of(app).add("nodeway:environment", environment.name)
    nodes = [len(topology.nodes) for topology in topologies]
    return render_estimate(environment, nodes, load_prices())


def resolve_topologies(
    environment: EnvironmentConfig, parts: StackPerPart
) -> tuple[EnvironmentConfig, tuple[KnownTopology, ...]]:
    """Returns the environment and its clusters' topologies. Those of a sandbox have the attributes of its own stack."""
    if environment.sandbox is None:
        return environment, load_topologies(environment, parts.app.node.get_all_context())
    site = SandboxSite(
        parts.scope("sandbox"), PART_ID, environment=environment, sandbox=environment.sandbox
    )
    return site.config, (site.topology,)


def add_foundation(
    environment: EnvironmentConfig, topologies: Sequence[KnownTopology], parts: StackPerPart
) -> Foundation:
    """Adds the stacks of the network and of the peering, if the environment needs them."""
    network = peering = None
    if needs_network(environment):
        network = Network(
            parts.scope("network"),
            PART_ID,
            environment=environment,
            zone_names=[topology.zone_name for topology in topologies],
        )
    if environment.access == "peering":
        peering = Peering(
            parts.scope("peering"),
            PART_ID,
            environment=environment,
            network=network.network if network else None,
        )
    return Foundation(network, peering)


def add_cluster(
    environment: EnvironmentConfig,
    cluster: ClusterConfig,
    topology: KnownTopology,
    foundation: Foundation,
    parts: StackPerPart,
) -> Nodeway:
    """Adds the stacks of one cluster."""
    network = foundation.network.network if foundation.network else None
    name = f"{parts.name}-{cluster.label}"
    nodeway = Nodeway(
        parts.app,
        name,
        environment_name=environment.name,
        replication_group_id=cluster.replication_group_id,
        topology=topology,
        network=network or existing_network(environment),
        client_vpcs=clients_of(environment),
        mode=mode_of(environment, cluster),
        ttl=environment.ttl,
        proxy_settings=proxy_settings_of(environment, cluster),
        record_settings=record_settings_of(environment),
        probe_login=login_of(cluster),
        anchor=foundation.network.anchor if foundation.network else None,
        parts=StackPerPart(parts.app, name, parts.options),
    )
    # the proxies need the endpoints to pull their image, and the routes to the nodes
    for part in (foundation.network, foundation.peering):
        if part:
            deploy_after(nodeway.proxies.fleet, part)
    return nodeway


def add_monitoring(
    environment: EnvironmentConfig, clusters: Sequence[Nodeway], parts: StackPerPart
) -> None:
    """Adds the stack with the environment's alarms and dashboard."""
    monitoring = Monitoring(
        parts.scope("monitoring"),
        PART_ID,
        name=parts.name,
        clusters=[cluster.monitored for cluster in clusters],
        topic_arn=environment.alarm_topic_arn,
        email=environment.alarm_email,
        node_metrics=environment.node_metrics,
    )
    for cluster in clusters:
        # not all of these are references of the template
        parts_of_cluster = [cluster.proxies.fleet, cluster.resync, cluster.probe]
        deploy_after(monitoring, *filter(None, parts_of_cluster))
