#!/usr/bin/env python3
"""The CDK app: configuration in, stacks out. No logic lives here.

For each cluster of the chosen environment three stacks: its HAProxies, its private zone, and the resync
that ties them together.
"""

import sys

import aws_cdk as cdk

from stacks.config import EnvironmentConfig, load
from stacks.dns import DnsStack
from stacks.errors import ConfigError
from stacks.haproxy import HaproxyStack
from stacks.resync import ResyncStack
from stacks.review import review
from stacks.topology import known_topologies


def build(app: cdk.App) -> EnvironmentConfig:
    """Adds the stacks of the environment that the app's context chooses; raises ConfigError."""
    context = app.node.get_all_context()
    environment = load(context)
    where = cdk.Environment(account=environment.account, region=environment.region)
    topologies = known_topologies(environment, context)
    for cluster, topology in zip(environment.clusters, topologies, strict=True):
        name = f"nodeway-{environment.name}-{cluster.replication_group_id}"
        common = {"env": where, "termination_protection": environment.termination_protection}
        fleet = HaproxyStack(
            app,
            f"{name}-haproxy",
            environment=environment,
            cluster=cluster,
            topology=topology,
            **common,
        )
        dns = DnsStack(app, f"{name}-dns", environment=environment, topology=topology, **common)
        # the zone hides the true names as soon as it exists: only when HAProxies run is it time for it
        dns.add_stack_dependency(fleet)
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
    cdk.Tags.of(app).add("nodeway:environment", environment.name)
    return environment


if __name__ == "__main__":
    app = cdk.App()
    review(app)
    try:
        build(app)
    except ConfigError as error:
        sys.exit(f"nodeway: {error}")
    app.synth()
