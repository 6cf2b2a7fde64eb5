"""The composition: one environment of the configuration, as stacks. A part is a construct of the library in a stack."""

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
    """What all clusters of an environment share; None where it is there already or not wanted."""

    network: Network | None
    peering: Peering | None


def build(app: cdk.App) -> str:
    """Adds the stacks of the environment that the app's context chooses, and gives its month's estimate as text.

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
    environment, topologies = known(environment, parts)
    foundation = add_foundation(environment, topologies, parts)
    clusters = [
        add_cluster(environment, cluster, topology, foundation, parts)
        for cluster, topology in zip(environment.proxied, topologies, strict=True)
    ]
    if clusters:
        add_monitoring(environment, clusters, parts)
        short = describe_shortages(environment, topologies, load_quota(environment, context))
        if short:
            warnings = cdk.Annotations.of(clusters[0].proxies.fleet)
            warnings.add_warning_v2("nodeway:fargate-vcpu-quota", " ".join(short))
    cdk.Tags.of(app).add("nodeway:environment", environment.name)
    return render_estimate(environment, [len(one.nodes) for one in topologies], load_prices())


def known(
    environment: EnvironmentConfig, parts: StackPerPart
) -> tuple[EnvironmentConfig, tuple[KnownTopology, ...]]:
    """The environment and its clusters' nodes; of a sandbox with the attributes of what its own stack makes."""
    if environment.sandbox is None:
        return environment, load_topologies(environment, parts.app.node.get_all_context())
    site = SandboxSite(
        parts.scope("sandbox"), PART_ID, environment=environment, sandbox=environment.sandbox
    )
    return site.config, (site.topology,)


def add_foundation(
    environment: EnvironmentConfig, topologies: Sequence[KnownTopology], parts: StackPerPart
) -> Foundation:
    """The network and the peering, where the deploy makes them."""
    network = peering = None
    if needs_network(environment):
        network = Network(
            parts.scope("network"),
            PART_ID,
            environment=environment,
            zone_names=[topology.zone_name for topology in topologies],
        )
    if environment.access == "peering":
        made = network.network if network else None
        peering = Peering(parts.scope("peering"), PART_ID, environment=environment, made=made)
    return Foundation(network, peering)


def add_cluster(
    environment: EnvironmentConfig,
    cluster: ClusterConfig,
    topology: KnownTopology,
    foundation: Foundation,
    parts: StackPerPart,
) -> Nodeway:
    """The stacks of one cluster, which are deployed in their order."""
    made = foundation.network.network if foundation.network else None
    mode = mode_of(environment, cluster)
    name = f"{parts.name}-{cluster.label}"
    nodeway = Nodeway(
        parts.app,
        name,
        environment_name=environment.name,
        replication_group_id=cluster.replication_group_id,
        topology=topology,
        network=made or existing_network(environment),
        client_vpcs=clients_of(environment),
        mode=mode,
        ttl=environment.ttl,
        proxy_settings=proxy_settings_of(environment, cluster),
        record_settings=record_settings_of(environment),
        probe_login=login_of(cluster),
        anchor=foundation.network.anchor if foundation.network else None,
        parts=StackPerPart(parts.app, name, parts.options),
    )
    # the endpoints that images are pulled through, and the way to the nodes
    for one in (foundation.network, foundation.peering):
        if one:
            deploy_after(nodeway.proxies.fleet, one)
    return nodeway


def add_monitoring(
    environment: EnvironmentConfig, clusters: Sequence[Nodeway], parts: StackPerPart
) -> None:
    """The environment's alarms and dashboard."""
    monitoring = Monitoring(
        parts.scope("monitoring"),
        PART_ID,
        name=parts.name,
        clusters=[one.monitored for one in clusters],
        topic_arn=environment.alarm_topic_arn,
        email=environment.alarm_email,
        node_metrics=environment.node_metrics,
    )
    for one in clusters:
        # also where no value of theirs is needed here
        watched = (one.proxies.fleet, one.resync, *([one.probe] if one.probe else []))
        deploy_after(monitoring, *watched)
