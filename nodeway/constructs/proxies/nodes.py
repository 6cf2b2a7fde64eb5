"""One HAProxy per ElastiCache node: a task definition and a Fargate service each.

A stack holds the nodes of a range of shard numbers. So a node's stack and its ids follow from its own name alone,
nodes that come and go never move or replace another's service, and no stack comes near CloudFormation's limits
(500 resources and 1 MB: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
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
"""A shard has at most 6 nodes, and a node 2 resources: at most 300 resources and 0.6 MB."""
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
        self._haproxies = replace(haproxies, program=self._once_in_a_template(haproxies.program))
        for members in by_shard(nodes):
            before: ecs.CfnService | None = None
            for node in members:
                service = self._service(node)
                # one after the other, so that a change never replaces all HAProxies of a shard at once
                if before is not None:
                    service.add_resource_dependency(before)
                before = service

    def _once_in_a_template(self, program: Program) -> Program:
        """References to the texts in a mapping: they are most of a task definition's size.

        A text that only the deploy knows (a client VPC of the same app has its range then) cannot be in a mapping.
        """
        if cdk.Token.is_unresolved(program.configuration):
            return program
        texts = {
            "Start": {"Text": program.start},
            "Configuration": {"Text": program.configuration},
        }
        text = cdk.CfnMapping(self, "Haproxy", lazy=False, mapping=texts)
        return Program(*(text.find_in_map(one, "Text") for one in texts))

    def _service(self, node: KnownNode) -> ecs.CfnService:
        place = Construct(self, node.cache_cluster_id)
        tags = {NODE_TAG: node.hostname}
        task = haproxy_task(
            place,
            "Task",
            haproxies=self._haproxies,
            node=node.hostname,
            family=f"{self._prefix}-{node.cache_cluster_id}",
            stream_prefix=node.cache_cluster_id,
            tags=tags,
        )
        return proxy_service(
            place,
            "Service",
            fleet=self._fleet,
            task=task,
            tasks=self._per_node,
            subnet_ids=self._fleet.network.near(node.availability_zone, self._per_node),
            rebalancing="DISABLED",
            tags=tags,
        )


def by_stack(nodes: Sequence[KnownNode]) -> dict[str, tuple[KnownNode, ...]]:
    """The nodes by the end of their stack's name: the first shard number of its range, as `0001`, `0026`."""
    found: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in nodes:
        found[max(shard(node) - 1, 0) // SHARDS_PER_STACK].append(node)
    return {
        f"{place * SHARDS_PER_STACK + 1:04d}": tuple(members)
        for place, members in sorted(found.items())
    }


def by_shard(nodes: Sequence[KnownNode]) -> list[list[KnownNode]]:
    """The nodes of each shard, in the order in which they are replaced: zone by zone."""
    found: defaultdict[int, list[KnownNode]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: (node.availability_zone, node.cache_cluster_id)):
        found[shard(node)].append(node)
    return [found[number] for number in sorted(found)]


def shard(node: KnownNode) -> int:
    """The number of the node's shard; 0 for a cluster that began without cluster mode, whose ids have none."""
    match = SHARD.search(node.cache_cluster_id)
    return int(match[1]) if match else 0
