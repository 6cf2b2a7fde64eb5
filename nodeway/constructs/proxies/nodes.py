"""The HAProxies of each ElastiCache node: a task definition and a Fargate service per node.

A stack has the nodes of a range of shard numbers. So a node's stack and construct ids depend on its own name only, a
change of nodes does not move or replace the services of others, and stacks stay below CloudFormation's limits (500
resources and 1 MB: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.proxies.service import proxy_service
from nodeway.constructs.proxies.task import HaproxyTasks, Program, haproxy_task
from nodeway.lookup.topology import KnownNode
from nodeway_runtime.aws.ecs import NODE_TAG

SHARDS_PER_STACK = 25
"""A shard has at most 6 nodes with 2 resources each, so a stack has at most 300 resources and 0.6 MB."""
SHARD = re.compile(r"-(\d{1,4})-\d{3}$")
"""The shard's number in a cache cluster id: NAME-NNNN-MMM."""


class NodeServices(Construct):
    """The services of one range of shards: `haproxies_per_node` tasks for each node."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        fleet: Fleet,
        haproxies: HaproxyTasks,
        haproxies_per_node: int,
        nodes: Sequence[KnownNode],
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._fleet = fleet
        self._per_node = haproxies_per_node
        self._haproxies = replace(haproxies, program=self._add_mapping(haproxies.program))
        for members in group_by_shard(nodes):
            previous: ecs.CfnService | None = None
            for node in members:
                service = self._service(node)
                # one after the other, so that a deployment never replaces all HAProxies of a shard at once
                if previous is not None:
                    service.add_resource_dependency(previous)
                previous = service

    def _add_mapping(self, program: Program) -> Program:
        """Returns references to the texts in a mapping, as they are most of a task definition's size.

        A mapping cannot hold a token, such as the range of a client VPC of the same app.
        """
        if cdk.Token.is_unresolved(program.configuration):
            return program
        texts = {
            "Start": {"Text": program.start},
            "Configuration": {"Text": program.configuration},
        }
        mapping = cdk.CfnMapping(self, "Haproxy", lazy=False, mapping=texts)
        return Program(*(mapping.find_in_map(key, "Text") for key in texts))

    def _service(self, node: KnownNode) -> ecs.CfnService:
        scope = Construct(self, node.cache_cluster_id)
        tags = {NODE_TAG: node.hostname}
        task = haproxy_task(
            scope,
            "Task",
            haproxies=self._haproxies,
            node=node.hostname,
            family=f"{self._prefix}-{node.cache_cluster_id}",
            stream_prefix=node.cache_cluster_id,
            tags=tags,
        )
        return proxy_service(
            scope,
            "Service",
            fleet=self._fleet,
            task=task,
            tasks=self._per_node,
            subnet_ids=self._fleet.network.near(node.availability_zone, self._per_node),
            rebalancing="DISABLED",
            tags=tags,
        )


def group_by_stack(nodes: Sequence[KnownNode]) -> dict[str, tuple[KnownNode, ...]]:
    """Groups the nodes by the end of their stack's name: the first shard number of its range, such as `0026`."""
    stacks: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in nodes:
        stacks[max(shard_number(node) - 1, 0) // SHARDS_PER_STACK].append(node)
    return {
        f"{index * SHARDS_PER_STACK + 1:04d}": tuple(members)
        for index, members in sorted(stacks.items())
    }


def group_by_shard(nodes: Sequence[KnownNode]) -> list[list[KnownNode]]:
    """Groups the nodes by shard, each in the order of replacement, which is by zone."""
    shards: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: (node.availability_zone, node.cache_cluster_id)):
        shards[shard_number(node)].append(node)
    return [members for _, members in sorted(shards.items())]


def shard_number(node: KnownNode) -> int:
    """Returns the number of the node's shard; 0 for ids without one, of clusters created without cluster mode."""
    match = SHARD.search(node.cache_cluster_id)
    return int(match[1]) if match else 0
