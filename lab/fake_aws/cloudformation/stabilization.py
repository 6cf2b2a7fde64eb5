"""CloudFormation changes ECS services in waves, waits until each is steady, and fails when one never is.

ministack makes one resource after the other; AWS makes resources at the same time that do not depend on each other
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html). Here the
services that depend on no other service are changed one after the other and then awaited together, next those that
depend on them, and so on. Simpler than on AWS: when a service fails, the rest of its wave is awaited; AWS cancels and
rolls it back, too.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ministack.services import ecs
from ministack.services.cloudformation import engine

from lab.errors import LabError
from lab.wait import wait_until

SERVICE = "AWS::ECS::Service"
DEADLINE_SECONDS = 300.0
"""CloudFormation itself gives up after three hours; nobody waits for the lab as long."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A service, and its deployment that must complete."""

    arn: str
    deployment_id: str

    @property
    def key(self) -> str:
        """The service's key in ministack."""
        return "/".join(self.arn.split("/")[-2:])


@dataclass(slots=True)
class Operation:
    """One create or update of a stack."""

    ends: frozenset[str]
    """The last service of each wave, after which all of the wave are waited for."""
    expected: dict[str, Expected] = field(default_factory=dict)
    watched: set[str] = field(default_factory=set)
    """Services whose end `wait` tells, and nobody else."""
    tell: dict[str, Callable[[str, str, str], None]] = field(default_factory=dict)
    """How a service's end becomes an event: physical id, COMPLETE or FAILED, reason."""
    failures: dict[str, str] = field(default_factory=dict)
    rolls_back: bool = False


_operation: ContextVar[Operation | None] = ContextVar("operation", default=None)
current = _operation.get


def order(resources: dict[str, Any], conditions: dict[str, Any]) -> list[str]:
    """The order of a create or update, wave by wave: resources that need no service, then the services, and so on."""
    sequence: list[str] = engine._topological_sort(resources, conditions)
    services = {name for name in sequence if resources[name].get("Type") == SERVICE}
    wave: dict[str, int] = {}
    for name in sequence:
        needs = engine._extract_deps(resources[name], set(sequence)) - {name}
        wave[name] = max((wave[other] + (other in services) for other in needs), default=0)
    ordered = sorted(sequence, key=lambda name: (wave[name], name in services))
    ends = {wave[name]: name for name in ordered if name in services}
    _operation.set(Operation(frozenset(ends.values())))
    return ordered


def expect(logical_id: str, service: Mapping[str, Any]) -> None:
    """Note that this service's primary deployment must complete."""
    operation = _operation.get()
    if operation is not None:
        primary = ecs._primary_deployment(service)
        operation.expected[logical_id] = Expected(service["serviceArn"], primary["id"])
        operation.watched.add(logical_id)


def wait(logical_id: str) -> None:
    """Wait for all services of a wave, at its last. Raises ValueError with the reasons of those that failed."""
    operation = _operation.get()
    if operation is None or logical_id not in operation.ends:
        return
    operation.failures = settle(operation)
    if operation.failures:
        raise ValueError("; ".join(operation.failures.values()))


def wait_for_rollback(kind: str) -> None:
    """Wait for a service that was rolled back. Raises ValueError, which fails the rollback itself."""
    operation = _operation.get()
    if kind == SERVICE and operation is not None and operation.rolls_back:
        failures = settle(operation)
        if failures:
            raise ValueError("; ".join(failures.values()))


def settle(operation: Operation) -> dict[str, str]:
    """Wait until every expected deployment has ended, with an event for each; returns the reasons of the failed."""
    waiting, operation.expected = operation.expected, {}
    ends: dict[str, str] = {}

    def look() -> bool:
        for name in waiting.keys() - ends.keys():
            if (why := _read_outcome(name, waiting[name])) is not None:
                ends[name] = why
                _tell(operation, name, waiting[name], why)
        return ends.keys() == waiting.keys()

    try:
        wait_until(look, timeout_seconds=DEADLINE_SECONDS, what="them")
    except LabError:
        for name in waiting.keys() - ends.keys():
            late = (
                f"{name}: service {waiting[name].key} did not stabilize in {DEADLINE_SECONDS:g} s"
            )
            ends[name] = f"{late}; {_failure_reason(waiting[name].key)}"
            _tell(operation, name, waiting[name], ends[name])
    return {name: why for name, why in ends.items() if why}


def _tell(operation: Operation, name: str, one: Expected, why: str) -> None:
    if not operation.rolls_back:
        operation.tell[name](one.arn, "FAILED" if why else "COMPLETE", why)


def _read_outcome(name: str, expected: Expected) -> str | None:
    """None while the deployment runs; then the reason of its failure, or an empty text."""
    service = ecs._services[expected.key]
    ours = [d for d in service["deployments"] if d["id"] == expected.deployment_id]
    if not ours or ours[0]["rolloutState"] == "FAILED":
        return (
            f"{name}: ECS Deployment Circuit Breaker was triggered; {_failure_reason(expected.key)}"
        )
    others = [d for d in service["deployments"] if d["rolloutState"] != "FAILED" and d not in ours]
    steady = (
        ours[0]["rolloutState"] == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
        and not others
    )
    return "" if steady else None


def _failure_reason(key: str) -> str:
    """The last error of a task of the service, in one line."""
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


def event_recorder(
    add_event: Callable[..., None], stack_id: str, stack: str, logical_id: str, verb: str
) -> Callable[[str, str, str], None]:
    """A function that records the end of a service's create or update as an event of its stack."""
    begun = partial(add_event, stack_id, stack, logical_id, SERVICE)
    return lambda physical_id, state, reason: begun(f"{verb}_{state}", reason, physical_id)
