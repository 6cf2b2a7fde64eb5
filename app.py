#!/usr/bin/env python3
"""The CDK app: configuration in, stacks out. No logic lives here.

For each cluster of the chosen environment: what its HAProxies share, the HAProxies, its private zone, and the
resync that ties them together.
"""

import sys

import aws_cdk as cdk

from stacks.config import ClusterConfig, EnvironmentConfig
from stacks.context import load
from stacks.dns import DnsStack
from stacks.errors import ConfigError
from stacks.haproxy import HaproxyStack
from stacks.nodes import NodesStack, stacks_of
from stacks.resync import ResyncStack
from stacks.review import review
from stacks.topology import KnownTopology, known_topologies


def build(app: cdk.App) -> EnvironmentConfig:
    """Adds the stacks of the environment that the app's context chooses; raises ConfigError."""
    context = app.node.get_all_context()
    environment = load(context)
    topologies = known_topologies(environment, context)
    for cluster, topology in zip(environment.proxied, topologies, strict=True):
        add_cluster(app, environment, cluster, topology)
    cdk.Tags.of(app).add("nodeway:environment", environment.name)
    return environment


def add_cluster(
    app: cdk.App, environment: EnvironmentConfig, cluster: ClusterConfig, topology: KnownTopology
) -> None:
    """The stacks of one cluster, in the order in which they are deployed."""
    name = f"nodeway-{environment.name}-{cluster.replication_group_id}"
    common = {
        "env": cdk.Environment(account=environment.account, region=environment.region),
        "termination_protection": environment.termination_protection,
    }
    fleet = HaproxyStack(
        app,
        f"{name}-haproxy",
        environment=environment,
        cluster=cluster,
        topology=topology,
        network=None,
        **common,
    )
    proxies = [
        NodesStack(app, f"{name}-nodes-{first}", fleet=fleet, nodes=nodes, **common)
        for first, nodes in stacks_of(topology.nodes).items()
    ]
    dns = DnsStack(app, f"{name}-dns", environment=environment, topology=topology, **common)
    for stack in proxies:
        # the zone hides the true names as soon as it exists: only when HAProxies run is it time for it
        dns.add_stack_dependency(stack)
    ResyncStack(
        app,
        f"{name}-resync",
        environment=environment,
        cluster=cluster,
        topology=topology,
        fleet=fleet,
        dns=dns,
        **common,
    )


if __name__ == "__main__":
    app = cdk.App()
    review(app)
    try:
        build(app)
    except ConfigError as error:
        sys.exit(f"nodeway: {error}")
    app.synth()
