"""CloudFormation waits until an ECS service is steady, and fails the deployment when it never is.

ministack makes one resource after the other; AWS makes independent ones at the same time. So that a deployment does
not take the sum of all start times, a stack's services start one after the other and are waited for together, before
the first resource that depends on any of them.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack.services import ecs
from ministack.services.cloudformation import engine

from lab.errors import LabError
from lab.waiting import wait_until

SERVICE = "AWS::ECS::Service"
DEADLINE_SECONDS = 180.0
"""CloudFormation itself gives up after three hours; nobody waits for the lab as long."""


@dataclass(slots=True)
class Operation:
    """One create or update of a stack: its last service, and what is to become steady."""

    last_service: str | None
    expected: list[tuple[str, str, str]] = field(default_factory=list)


_operation: ContextVar[Operation | None] = ContextVar("operation", default=None)


def order(resources: dict[str, Any], conditions: dict[str, Any]) -> list[str]:
    """The order of creation: first what needs no service, then the services, then what needs one."""
    sequence: list[str] = engine._topological_sort(resources, conditions)
    names = set(sequence)
    services = [name for name in sequence if resources[name].get("Type") == SERVICE]
    after: set[str] = set()
    for name in sequence:
        needs = engine._extract_deps(resources[name], names)
        if needs & after or (needs & set(services) and name not in services):
            after.add(name)
    services = [name for name in services if name not in after]
    before = [name for name in sequence if name not in after and name not in services]
    _operation.set(Operation(services[-1] if services else None))
    return before + services + [name for name in sequence if name in after]


def expect(logical_id: str, service: Mapping[str, Any]) -> None:
    """This service's newest deployment must become complete."""
    operation = _operation.get()
    if operation is not None:
        key = "/".join(service["serviceArn"].split("/")[-2:])
        operation.expected.append((logical_id, key, service["deployments"][0]["id"]))


def wait(logical_id: str) -> None:
    """After the stack's last service, and after each one that depends on another: wait for all of them."""
    operation = _operation.get()
    if operation is None or not operation.expected or logical_id != operation.last_service:
        return
    expected, operation.expected = operation.expected, []
    for name, key, deployment in expected:
        try:
            wait_until(
                lambda key=key, deployment=deployment: _steady(key, deployment),  # type: ignore[misc]
                timeout_seconds=DEADLINE_SECONDS,
                what="it",
            )
        except LabError:
            raise ValueError(
                f"{name}: service {key} did not stabilize in {DEADLINE_SECONDS:g} s; {_why(key)}"
            ) from None


def _steady(key: str, deployment_id: str) -> bool:
    service = ecs._services[key]
    deployment = next((d for d in service["deployments"] if d["id"] == deployment_id), None)
    if deployment is None or deployment["rolloutState"] == "FAILED":
        raise ValueError(
            f"ECS Deployment Circuit Breaker was triggered: service {key}; {_why(key)}"
        )
    return (
        deployment["rolloutState"] == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
        and len(service["deployments"]) == 1
    )


def _why(key: str) -> str:
    """The last thing that went wrong with a task of the service, in one line."""
    name = key.partition("/")[2]
    stopped = [
        t
        for t in ecs._tasks.values()
        if t["group"] == f"service:{name}" and t["desiredStatus"] == "STOPPED"
    ]
    service = ecs._services[key]
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
    if not stopped:
        return f"{counts}; none is healthy yet"
    reason, task_id = stopped[-1]["stoppedReason"], stopped[-1]["taskArn"].rsplit("/", 1)[-1]
    return f"{counts}; last stopped task: {reason} (see logs/task-{task_id}-*.log)"
