"""A fake of ECS: services that keep a task each, tasks that need their time, and RunTask's rules.

A task gets its address after 3 seconds, runs after 6 and is healthy after 12, unless it died or hangs.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nodeway_runtime.aws.ecs import NODE_TAG, STAND_IN_TAG
from nodeway_runtime.model.topology import Hostname
from tests.support.fake_aws.calls import Calls, Clock, Pager, Shape, client_error

ARN = "arn:aws:ecs:us-east-1:123456789012"
SECONDS_TO_ADDRESS, SECONDS_TO_RUN, SECONDS_TO_HEALTH, SECONDS_TO_REPLACE = 3, 6, 12, 30


@dataclass(slots=True)
class Task:
    """A task as ECS knows it."""

    arn: str
    tags: dict[str, str]
    zone: str
    address: str
    started: float
    backend: str = ""
    stopped: bool = False
    hung_at: float | None = None
    asked_by: float = 0
    """When the run began that asked for it."""
    stopped_by_us: float | None = None
    late: float = 0
    """How long the run that tagged it had been under way, which a tag with the run's time does not tell."""

    @property
    def node(self) -> str:
        """What its tag says."""
        return self.tags[NODE_TAG]

    @property
    def stand_in(self) -> bool:
        """Whether RunTask started it."""
        return STAND_IN_TAG in self.tags

    def healthy(self, now: float) -> bool:
        """Whether its health check passes."""
        return not self.stopped and self.hung_at is None and now >= self.started + SECONDS_TO_HEALTH


@dataclass(slots=True)
class FakeEcs:
    """The client of the cluster `nodeway`."""

    calls: Calls
    clock: Clock
    services: dict[Hostname, int] = field(default_factory=dict)
    """Node to the number of tasks that are wanted."""
    tasks: dict[str, Task] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """RunTask's client token to its parameters and the task that came of them."""
    page_size: int = 4
    unsure: bool = False
    """Whether DescribeTasks cannot tell of its first task just now."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Every address that a task ever had, and the node it served; none is given twice."""

    @property
    def running(self) -> list[Task]:
        """The tasks that are meant to run."""
        return [task for task in self.tasks.values() if not task.stopped]

    def begin(self, node: str, *, backend: str = "", **tags: str) -> Task:
        """A task is started; arns have no order."""
        number = len(self.tasks) + 1
        task = Task(
            f"{ARN}:task/nodeway/{number * 7919 % 10007:032x}",
            {NODE_TAG: node, **tags},
            f"us-east-1{'abc'[number % 3]}",
            f"10.20.{number // 250}.{number % 250 + 1}",
            self.clock.timestamp(),
            backend,
        )
        self.tasks[task.arn] = task
        self.addresses[task.address] = node
        return task

    def keep_services(self) -> None:
        """What ECS does by itself: each service has its task, and one that hangs is replaced."""
        now = self.clock.timestamp()
        for task in self.running:
            hung = task.hung_at is not None and now >= task.hung_at + SECONDS_TO_REPLACE
            if not task.stand_in and (hung or Hostname(task.node) not in self.services):
                task.stopped = True
        for node, count in self.services.items():
            have = sum(one.node == node and not one.stand_in for one in self.running)
            for _ in range(count - have):
                self.begin(node)

    def get_paginator(self, operation: str) -> Pager:
        """Of `list_tasks` and `list_services`."""
        if operation == "list_services":
            arns = [f"{ARN}:service/nodeway/{node}" for node in sorted(self.services)]
            return Pager(self._pages("ListServices", "serviceArns", lambda: arns))
        assert operation == "list_tasks"
        return Pager(
            self._pages("ListTasks", "taskArns", lambda: sorted(one.arn for one in self.running))
        )

    def _pages(
        self, operation: str, member: str, found: Callable[[], list[str]]
    ) -> Callable[[Shape, str], tuple[Shape, str]]:
        def page(asked: Shape, token: str) -> tuple[Shape, str]:
            after = [arn for arn in found() if arn > token]
            size = self.page_size
            following = after[size - 1] if len(after) > size else ""
            told = {member: after[:size]} | ({"nextToken": following} if following else {})
            asked = asked | ({"nextToken": token} if token else {})
            return self.calls("ecs", operation, asked, lambda: told), following

        return page

    def describe_tasks(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """At most 100; one that is long gone is MISSING."""

        def answer() -> Shape:
            assert 0 < len(asked["tasks"]) <= 100
            there = [self.tasks[arn] for arn in asked["tasks"] if not self.tasks[arn].stopped]
            gone = set(asked["tasks"]) - {task.arn for task in there}
            failures = [{"arn": arn, "reason": "MISSING"} for arn in sorted(gone)]
            if self.unsure and there:
                failures.append({"arn": there.pop(0).arn, "reason": "INTERNAL"})
            return {"tasks": [self._told(task) for task in there], "failures": failures}

        return self.calls("ecs", "DescribeTasks", asked, answer)

    def describe_services(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """At most 10."""

        def answer() -> Shape:
            assert 0 < len(asked["services"]) <= 10
            nodes = [Hostname(arn.rpartition("/")[2]) for arn in asked["services"]]
            told = [
                {"desiredCount": self.services[n], "tags": [{"key": NODE_TAG, "value": n}]}
                for n in nodes
                if n in self.services
            ]
            return {"services": told, "failures": []}

        return self.calls("ecs", "DescribeServices", asked, answer)

    def run_task(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """Starts a task; the same token with the same parameters is the same task, even if that has ended."""

        def answer() -> Shape:
            token, told = asked["clientToken"], json.dumps(asked, sort_keys=True)
            before, arn = self.tokens.get(token, (told, ""))
            if before != told:
                raise client_error("RunTask", "ConflictException", "the clientToken is in use")
            if not arn:
                tags = {tag["key"]: tag["value"] for tag in asked["tags"]}
                (container,) = asked["overrides"]["containerOverrides"]
                environment = {one["name"]: one["value"] for one in container["environment"]}
                node = tags.pop(NODE_TAG)
                assert environment["NODE_HOSTNAME"] == node
                task = self.begin(node, backend=environment["NODE_BACKEND"], **tags)
                task.asked_by = self.calls.began
                self.tokens[token] = told, task.arn
                arn = task.arn
            return {"tasks": [self._told(self.tasks[arn])], "failures": []}

        return self.calls("ecs", "RunTask", asked, answer)

    def tag_resource(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """Adds tags to a task that runs."""

        def answer() -> Shape:
            task = self.tasks[asked["resourceArn"]]
            if task.stopped:
                raise client_error(
                    "TagResource", "InvalidParameterException", "the task is stopped"
                )
            task.tags |= {tag["key"]: tag["value"] for tag in asked["tags"]}
            task.late = self.clock.timestamp() - self.calls.began
            return {}

        return self.calls("ecs", "TagResource", asked, answer)

    def stop_task(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """Stops a task, or one that has stopped."""

        def answer() -> Shape:
            task = self.tasks[asked["task"]]
            assert task.stand_in, f"a service's task was stopped: {task}"
            if not task.stopped:
                task.stopped, task.stopped_by_us = True, self.clock.timestamp()
            return {"task": self._told(task)}

        return self.calls("ecs", "StopTask", asked, answer)

    def _told(self, task: Task) -> Shape:
        age = self.clock.timestamp() - task.started
        details = [{"name": "subnetId", "value": "subnet-0000000a"}]
        if age >= SECONDS_TO_ADDRESS:
            details.append({"name": "privateIPv4Address", "value": task.address})
        health = "HEALTHY" if task.healthy(self.clock.timestamp()) else "UNKNOWN"
        return {
            "taskArn": task.arn,
            "availabilityZone": task.zone,
            "desiredStatus": "STOPPED" if task.stopped else "RUNNING",
            "lastStatus": "RUNNING" if age >= SECONDS_TO_RUN else "PROVISIONING",
            "healthStatus": "UNHEALTHY" if task.hung_at is not None else health,
            "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
            "tags": [{"key": key, "value": value} for key, value in task.tags.items()],
        }
