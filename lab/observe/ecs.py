"""The deployed HAProxies and their deploys, as the describe calls of ECS and CloudFormation show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.deployment.product import Product, client
from nodeway_runtime.aws.ecs import NODE_TAG

SERVICE = "AWS::ECS::Service"
DEFINITION = "AWS::ECS::TaskDefinition"
PAGE = 10
"""DescribeServices takes no more (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html)."""


@dataclass(frozen=True, slots=True)
class NodeService:
    """A node's service; nothing of it may change when another node changes."""

    node: str
    arn: str
    definition: str
    tasks: frozenset[str]
    running: int
    desired: int


@dataclass(frozen=True, slots=True)
class Event:
    """A stack event of one resource."""

    at: datetime
    stack: str
    logical_id: str
    kind: str
    status: str
    reason: str


def services(product: Product) -> dict[str, NodeService]:
    """The services by their nodes' host names."""
    ecs, cluster = client("ecs"), product.outputs["EcsCluster"]
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
    arns = [arn for page in pages for arn in page["serviceArns"]]
    found = {}
    for start in range(0, len(arns), PAGE):
        page_arns = arns[start : start + PAGE]
        answer = ecs.describe_services(cluster=cluster, services=page_arns, include=["TAGS"])
        for one in answer["services"]:
            node = next(tag["value"] for tag in one["tags"] if tag["key"] == NODE_TAG)
            tasks = ecs.list_tasks(cluster=cluster, serviceName=one["serviceName"])["taskArns"]
            found[node] = NodeService(
                node=node,
                arn=one["serviceArn"],
                definition=one["taskDefinition"],
                tasks=frozenset(tasks),
                running=one["runningCount"],
                desired=one["desiredCount"],
            )
    return found


def service_tasks(product: Product) -> frozenset[str]:
    """The ARNs of all tasks that services have started, ended ones included, stand-ins excluded."""
    ecs, cluster = client("ecs"), product.outputs["EcsCluster"]
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
        for arn in page["taskArns"]
    ]
    tasks = describe_tasks(product, arns)
    return frozenset(t["taskArn"] for t in tasks if t["group"].startswith("service:"))


def describe_tasks(product: Product, arns: list[str]) -> list[dict[str, Any]]:
    """ECS's descriptions of these tasks."""
    if not arns:
        return []
    answer = client("ecs").describe_tasks(cluster=product.outputs["EcsCluster"], tasks=arns)
    return list(answer["tasks"])


def events(product: Product, since: datetime) -> list[Event]:
    """The events of resources of all stacks of the product since then, the oldest first."""
    found = []
    for stack, described in product.stacks().items():
        pages = (
            client("cloudformation")
            .get_paginator("describe_stack_events")
            .paginate(StackName=stack)
        )
        found += [
            Event(
                at=one["Timestamp"],
                stack=stack,
                logical_id=one["LogicalResourceId"],
                kind=one["ResourceType"],
                status=one["ResourceStatus"],
                reason=one.get("ResourceStatusReason", ""),
            )
            for page in pages
            for one in page["StackEvents"]
            if one["Timestamp"] >= since and one["PhysicalResourceId"] != described["StackId"]
        ]
    return sorted(found, key=lambda event: event.at)


def logical_ids(product: Product) -> dict[str, str]:
    """The node of each service, by the service's logical id."""
    by_arn = {one.arn: one.node for one in services(product).values()}
    found = {}
    for stack in product.stacks():
        resources = client("cloudformation").describe_stack_resources(StackName=stack)
        for one in resources["StackResources"]:
            if one["ResourceType"] == SERVICE:
                found[one["LogicalResourceId"]] = by_arn[one["PhysicalResourceId"]]
    return found
