"""Adapter: ECS' answers to a Fleet.

Which node a task serves comes from the tag that its own task definition (or the RunTask call of a
stand-in) put on it, never
from its position in a list or the order of services.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from resync.errors import ReadFailed
from resync.topology import Address, Fleet, Proxy, address, hostname

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef

NODE_TAG = "nodeway:node"
"""The tag with the node's hostname; `stacks/haproxy.py` writes it."""

DESCRIBE_TASKS_LIMIT = 100
"""Tasks a DescribeTasks call takes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""


class Ecs:
    """Reads the HAProxy tasks with a boto3 client."""

    def __init__(self, client: "ECSClient") -> None:
        self._client = client

    def fleet(self, cluster: str) -> Fleet:
        """The tasks that are meant to run; raises ReadFailed when the API does not answer."""
        try:
            pages = self._client.get_paginator("list_tasks").paginate(
                cluster=cluster, desiredStatus="RUNNING"
            )
            arns = [arn for page in pages for arn in page["taskArns"]]
            tasks: list[TaskTypeDef] = []
            problems: list[str] = []
            for start in range(0, len(arns), DESCRIBE_TASKS_LIMIT):
                answer = self._client.describe_tasks(
                    cluster=cluster,
                    tasks=arns[start : start + DESCRIBE_TASKS_LIMIT],
                    include=["TAGS"],
                )
                tasks += answer["tasks"]
                # a task that ended between the two calls is MISSING: it is gone, not unread
                problems += [
                    f"task {f.get('arn')}: {f.get('reason')}"
                    for f in answer["failures"]
                    if f.get("reason") != "MISSING"
                ]
        except (ClientError, BotoCoreError) as error:
            msg = f"ECS did not answer for cluster {cluster}: {error}"
            raise ReadFailed(msg) from error
        proxies = [proxy for task in tasks if (proxy := proxy_of(task, problems)) is not None]
        return Fleet(tuple(sorted(proxies)), tuple(problems))


def proxy_of(task: "TaskTypeDef", problems: list[str]) -> Proxy | None:
    """The proxy that a task is, or None for a task of somebody else's, one without an address yet, or
    one that is ending.
    """
    tags = {
        tag["key"]: tag["value"] for tag in task.get("tags", []) if "key" in tag and "value" in tag
    }
    if NODE_TAG not in tags or task.get("desiredStatus") != "RUNNING":
        return None
    where = address_of(task)
    if where is None:
        return None
    try:
        node = hostname(tags[NODE_TAG])
    except ValueError as error:
        problems.append(f"task {task['taskArn']}: its tag {NODE_TAG} is {error}")
        return None
    health = task.get("healthStatus") if task.get("lastStatus") == "RUNNING" else None
    zone = task.get("availabilityZone", "")
    return Proxy(
        node,
        where,
        zone,
        task["taskArn"],
        healthy=health == "HEALTHY",
        starting=health == "UNKNOWN",
    )


def address_of(task: "TaskTypeDef") -> Address | None:
    """The private IPv4 address of the task's network interface, once it has one."""
    for attachment in task.get("attachments", []):
        if attachment.get("type") != "ElasticNetworkInterface":
            continue
        for detail in attachment.get("details", []):
            if detail.get("name") == "privateIPv4Address" and detail.get("value"):
                return address(detail["value"])
    return None
