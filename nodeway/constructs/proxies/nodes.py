"""One HAProxy per ElastiCache node: a task definition and a Fargate service each.

A stack holds the nodes of a range of shard numbers. So a node's stack and its ids follow from its own name alone,
nodes that come and go never move or replace another's service, and no stack comes near CloudFormation's limits
(500 resources and 1 MB: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
"""

import re
from collections import defaultdict
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.config.model import EnvironmentConfig
from nodeway.constructs.proxies.haproxy import HaproxyStack
from nodeway.constructs.proxies.task import Program, haproxy_task
from nodeway.lookup.topology import KnownNode
from nodeway_runtime.aws.ecs import NODE_TAG

SHARDS_PER_STACK = 25
"""A shard has at most 6 nodes, and a node 2 resources: at most 300 resources and 0.6 MB."""
SHARD = re.compile(r"-(\d{1,4})-\d{3}$")
"""The shard's number in a cache cluster id: NAME-NNNN-MMM."""

NEW_BEFORE_OLD = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}

Service = ecs.CfnService


class NodesStack(cdk.Stack):
    """The services of one range of shards."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        fleet: HaproxyStack,
        nodes: tuple[KnownNode, ...],
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.fleet = fleet
        self.per_node = environment.haproxies_per_node
        # once in a template, not once a node: they are most of a task definition's size
        texts = {
            "Start": {"Text": fleet.program.start},
            "Configuration": {"Text": fleet.program.configuration},
        }
        text = cdk.CfnMapping(self, "Haproxy", lazy=False, mapping=texts)
        self.program = Program(*(text.find_in_map(one, "Text") for one in texts))
        for members in by_shard(nodes):
            before: Service | None = None
            for node in members:
                service = self._service(node)
                # one after the other, so that a change never replaces all HAProxies of a shard at once
                if before is not None:
                    service.add_resource_dependency(before)
                before = service

    def _service(self, node: KnownNode) -> Service:
        fleet = self.fleet
        place = Construct(self, node.cache_cluster_id)
        tags = {NODE_TAG: node.hostname}
        task = haproxy_task(
            place,
            "Task",
            fleet=fleet,
            node=node.hostname,
            stream_prefix=node.cache_cluster_id,
            program=self.program,
            tags=tags,
        )
        return Service(
            place,
            "Service",
            cluster=fleet.cluster_name,
            task_definition=task.ref,
            desired_count=self.per_node,
            launch_type="FARGATE",
            deployment_configuration=NEW_BEFORE_OLD,
            network_configuration={
                "awsvpcConfiguration": {
                    "assignPublicIp": "DISABLED",
                    "securityGroups": [fleet.group_id],
                    "subnets": fleet.network.near(node.availability_zone, self.per_node),
                }
            },
            propagate_tags="TASK_DEFINITION",
            availability_zone_rebalancing="DISABLED",
            tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
        )


def stacks_of(nodes: tuple[KnownNode, ...]) -> dict[str, tuple[KnownNode, ...]]:
    """The nodes by the end of their stack's name: the first shard number of its range, as `0001`, `0026`."""
    found: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in nodes:
        found[max(shard(node) - 1, 0) // SHARDS_PER_STACK].append(node)
    return {
        f"{place * SHARDS_PER_STACK + 1:04d}": tuple(members)
        for place, members in sorted(found.items())
    }


def by_shard(nodes: tuple[KnownNode, ...]) -> list[list[KnownNode]]:
    """The nodes of each shard, in the order in which they are replaced: zone by zone."""
    found: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: (node.availability_zone, node.cache_cluster_id)):
        found[shard(node)].append(node)
    return [found[number] for number in sorted(found)]


def shard(node: KnownNode) -> int:
    """The number of the node's shard; 0 for a cluster that began without cluster mode, whose ids have none."""
    match = SHARD.search(node.cache_cluster_id)
    return int(match[1]) if match else 0
