"""Reads HAProxy tasks from ECS, and starts and stops stand-ins.

A tag on the task says which node it serves. Its task definition, or the RunTask call of a stand-in, sets the tag.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.model.errors import ApplyFailed, ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.model.topology import (
    Address,
    Fleet,
    Hostname,
    Pending,
    Proxy,
    address,
    hostname,
)

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        AwsVpcConfigurationTypeDef,
        FailureTypeDef,
        KeyValuePairTypeDef,
        ServiceTypeDef,
        TagTypeDef,
        TaskTypeDef,
    )

NODE_TAG = "nodeway:node"
"""The tag with the node's hostname, set by nodeway.constructs.proxies."""

FLEET_TAG = "nodeway:fleet"
"""Marks a task that serves the fleet's one name. The value of a tag cannot contain the `*` of a wildcard."""

STAND_IN_TAG = "nodeway:stand-in"
RETIRED_TAG = "nodeway:retired-at"
CONTAINER = "haproxy"
STARTED_BY = "nodeway-resync"

LIST_SERVICES_LIMIT = 100
DESCRIBE_SERVICES_LIMIT = 10
"""Limit of a DescribeServices call: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""
DESCRIBE_TASKS_LIMIT = 100
"""Limit of a DescribeTasks call: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""


class Ecs:
    """The ECS port over a boto3 client. `fleet_name`: the node of tasks with FLEET_TAG."""

    def __init__(
        self,
        client: "ECSClient",
        clock: Callable[[], float] = time.time,
        fleet_name: Hostname | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._fleet_name = fleet_name

    def fleet(self, cluster: str) -> Fleet:
        """The tasks with desired status RUNNING; raises ReadFailed when a call fails."""
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
                # MISSING: the task ended between the two calls.
                problems += [
                    f"task {f.get('arn')}: {f.get('reason')}"
                    for f in answer["failures"]
                    if f.get("reason") != "MISSING"
                ]
        except (ClientError, BotoCoreError) as error:
            msg = f"ECS did not answer for cluster {cluster}: {error}"
            raise ReadFailed(msg) from error
        read = (parse_task(task, problems, self._fleet_name) for task in tasks)
        found = [one for one in read if one is not None]
        proxies = sorted(one for one in found if isinstance(one, Proxy))
        pending = sorted(one for one in found if isinstance(one, Pending))
        return Fleet(tuple(proxies), tuple(problems), tuple(pending))

    def nodes_with_service(self, cluster: str) -> frozenset[Hostname]:
        """The nodes in the tags of the cluster's services with a desired task; raises ReadFailed when a call fails."""
        try:
            pages = self._client.get_paginator("list_services").paginate(
                cluster=cluster, PaginationConfig={"PageSize": LIST_SERVICES_LIMIT}
            )
            arns = [arn for page in pages for arn in page["serviceArns"]]
            services: list[ServiceTypeDef] = []
            for start in range(0, len(arns), DESCRIBE_SERVICES_LIMIT):
                few = arns[start : start + DESCRIBE_SERVICES_LIMIT]
                answer = self._client.describe_services(
                    cluster=cluster, services=few, include=["TAGS"]
                )
                services += answer["services"]
                raise_unread(answer["failures"])
            wanted = (service for service in services if service.get("desiredCount"))
            tagged = (parse_tags(service.get("tags", [])).get(NODE_TAG) for service in wanted)
            return frozenset(hostname(name) for name in tagged if name)
        except (ClientError, BotoCoreError, ValueError) as error:
            msg = f"ECS did not answer for the services of cluster {cluster}: {error}"
            raise ReadFailed(msg) from error

    def start(self, step: Start, settings: Settings) -> None:
        """Starts a stand-in for a node. Its client token prevents a second one in that minute. Raises ApplyFailed."""
        stand_in = settings.stand_in
        if stand_in is None:
            msg = f"no stand-in can be started for {step.node}: the deployment has no task definition for one"
            raise ApplyFailed(msg)
        backend = f"{step.cache_cluster_id}.{stand_in.zone_name}"
        environment: list[KeyValuePairTypeDef] = [
            {"name": "NODE_HOSTNAME", "value": step.node},
            {"name": "NODE_BACKEND", "value": backend},
        ]
        minute = int(self._clock() // 60)
        network: AwsVpcConfigurationTypeDef = {
            "subnets": list(stand_in.subnets),
            "securityGroups": [stand_in.security_group],
            "assignPublicIp": "DISABLED",
        }
        try:
            answer = self._client.run_task(
                cluster=settings.ecs_cluster,
                taskDefinition=stand_in.task_definition,
                launchType="FARGATE",
                count=1,
                clientToken=hashlib.sha256(
                    f"{settings.owner} {step.node} {minute}".encode()
                ).hexdigest()[:32],
                startedBy=STARTED_BY,
                networkConfiguration={"awsvpcConfiguration": network},
                overrides={"containerOverrides": [{"name": CONTAINER, "environment": environment}]},
                tags=[
                    {"key": NODE_TAG, "value": step.node},
                    {"key": STAND_IN_TAG, "value": "true"},
                ],
            )
        except (ClientError, BotoCoreError) as error:
            msg = f"ECS did not start a stand-in for {step.node}: {error}"
            raise ApplyFailed(msg) from error
        if answer.get("failures"):
            msg = f"ECS did not start a stand-in for {step.node}: {answer['failures'][0].get('reason')}"
            raise ApplyFailed(msg)

    def retire(self, step: Retire, now: datetime) -> None:
        """Tags the task with the time of this run, in which its address is in no record; raises ApplyFailed."""
        when = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            self._client.tag_resource(
                resourceArn=step.task_arn, tags=[{"key": RETIRED_TAG, "value": when}]
            )
        except (ClientError, BotoCoreError) as error:
            msg = f"ECS did not tag {step.task_arn}: {error}"
            raise ApplyFailed(msg) from error

    def stop(self, step: Stop, cluster: str) -> None:
        """Stops the task; raises ApplyFailed."""
        try:
            self._client.stop_task(
                cluster=cluster, task=step.task_arn, reason=f"nodeway: {step.why}"
            )
        except (ClientError, BotoCoreError) as error:
            msg = f"ECS did not stop {step.task_arn}: {error}"
            raise ApplyFailed(msg) from error


def raise_unread(failures: "Iterable[FailureTypeDef]") -> None:
    """Raises ValueError for a failure other than MISSING, which means that the service is gone."""
    for failure in failures:
        if failure.get("reason") != "MISSING":
            msg = f"{failure.get('arn')}: {failure.get('reason')}"
            raise ValueError(msg)


def parse_tags(tags: "Iterable[TagTypeDef]") -> dict[str, str]:
    """The tags as a mapping of key to value."""
    return {tag["key"]: tag["value"] for tag in tags if "key" in tag and "value" in tag}


def parse_task(
    task: "TaskTypeDef", problems: list[str], fleet_name: Hostname | None = None
) -> Proxy | Pending | None:
    """A task as Proxy, or as Pending without an address; None for another's task or one that stops.

    A tag that is no host name is added to `problems`.
    """
    tags = parse_tags(task.get("tags", []))
    if task.get("desiredStatus") != "RUNNING":
        return None
    try:
        node = fleet_name if FLEET_TAG in tags else node_of_tags(tags)
    except ValueError as error:
        problems.append(f"task {task['taskArn']}: its tag {NODE_TAG} is {error}")
        return None
    if node is None:
        return None
    stand_in = tags.get(STAND_IN_TAG) == "true"
    where = find_address(task)
    if where is None:
        return Pending(node, task["taskArn"], stand_in)
    health = task.get("healthStatus") if task.get("lastStatus") == "RUNNING" else "UNKNOWN"
    return Proxy(
        node,
        where,
        task.get("availabilityZone", ""),
        task["taskArn"],
        healthy=health == "HEALTHY",
        starting=health == "UNKNOWN",
        stand_in=stand_in,
        retired_at=parse_retired_at(tags.get(RETIRED_TAG)),
    )


def node_of_tags(tags: dict[str, str]) -> Hostname | None:
    """The node in NODE_TAG, if there is one; raises ValueError if it is no host name."""
    return hostname(tags[NODE_TAG]) if NODE_TAG in tags else None


def parse_retired_at(text: str | None) -> datetime | None:
    """The time in RETIRED_TAG; None without a time zone, or for anything else."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def find_address(task: "TaskTypeDef") -> Address | None:
    """The private IPv4 address of the task's network interface; None while it has none."""
    for attachment in task.get("attachments", []):
        if attachment.get("type") != "ElasticNetworkInterface":
            continue
        for detail in attachment.get("details", []):
            if detail.get("name") == "privateIPv4Address" and detail.get("value"):
                return address(detail["value"])
    return None
