"""ECS's service scheduler: subnet and tags of each task, a brake on failures, the end of a deployment.

A deployment is complete when its tasks are healthy.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import json_response, request_scope
from ministack.services import ecs

from lab.fake_aws.ecs.placement import next_subnet, prepare

Data = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

STEADY_SECONDS = 1.0
"""How long a task without a health check must run before its deployment counts it."""

FIRST_RESTART_DELAY_SECONDS = 0.25
LONGEST_RESTART_DELAY_SECONDS = 30.0

_failures: dict[str, int] = {}
_answered: dict[str, Response] = {}
"""What RunTask has answered, by the caller's idempotency token."""


def install() -> None:
    """Patch ministack.services.ecs; after overlay_tasks.Tasks.install."""
    original = ecs._run_task
    ecs._run_task = lambda data: _run_task(original, data)
    make = ecs._make_deployment
    ecs._make_deployment = lambda *a, **k: _in_progress(make(*a, **k))
    ecs._schedule_service_deployment_completion = _complete_when_steady
    ecs._start_task_worker = _before(_brake, ecs._start_task_worker)
    ecs._mark_task_stopped = _before(_count_failure, ecs._mark_task_stopped)
    actions = ecs._ACTION_MAP
    actions["RunTask"] = ecs._run_task
    actions["StopTask"] = _stop_task


def _run_task(original: Callable[[Data], Response], data: Data) -> Response:
    """RunTask, and the service scheduler's own starts: one subnet for each task, tags, placement, first event."""
    if (token := data.get("clientToken")) in _answered:
        return _answered[token]
    subnets = data["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    deployment = data.get("_deploymentId")
    started: list[Data] = []
    for _ in range(int(data.get("count") or 1)):
        subnet = next_subnet(data.get("group") or f"family:{data['taskDefinition']}", subnets)
        one = {
            **data,
            "count": 1,
            "startedBy": deployment or data.get("startedBy", ""),
            "group": data.get("group")
            or f"family:{data['taskDefinition'].rsplit('/', 1)[-1].split(':')[0]}",
            "tags": _task_tags(data),
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
        }
        status, headers, body = original(one)
        if status != 200:
            return status, headers, body
        started += json.loads(body)["tasks"]
    tasks = [ecs._tasks[t["taskArn"]] for t in started]
    for task in tasks:
        prepare(task)
    answer: Response = json_response({"tasks": [ecs._sanitize(t) for t in tasks], "failures": []})
    if token:
        _answered[token] = answer
    return answer


def _task_tags(data: Data) -> list[Data]:
    """The tags that ECS gives a task: its own, the propagated ones, and ECS's managed ones."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    name = (data.get("group") or "").removeprefix("service:")
    service = ecs._services.get(f"{cluster}/{name}") if data.get("_deploymentId") else None
    asked = service or data
    definition = ecs._task_defs[ecs._resolve_td_key(data["taskDefinition"])]
    sources: list[Data] = []
    match asked.get("propagateTags") or "NONE":
        case "TASK_DEFINITION":
            sources += ecs._tags.get(definition["taskDefinitionArn"], [])
        case "SERVICE" if service:
            sources += ecs._tags.get(service["serviceArn"], [])
    sources += data.get("tags") or []
    if asked.get("enableECSManagedTags"):
        sources.append({"key": "aws:ecs:clusterName", "value": cluster})
        if service:
            sources.append({"key": "aws:ecs:serviceName", "value": name})
    return [
        {"key": k, "value": v} for k, v in {t["key"]: t.get("value", "") for t in sources}.items()
    ]


def _stop_task(data: Data) -> Response:
    """StopTask; a service then starts another task, as its scheduler does."""
    response: Response = ecs._stop_task(data)
    if response[0] == 200:
        task = json.loads(response[2])["task"]
        cluster = ecs._cluster_name_from_arn(task["clusterArn"])
        group = task.get("group", "")
        if group.startswith("service:"):
            service = f"{cluster}/{group.removeprefix('service:')}"
            spawn_background(
                ecs._reconcile_service_tasks, cluster, service, thread_name="ecs-reconcile"
            )
    return response


def _in_progress(deployment: Data) -> Data:
    """Note that a deployment is complete when its tasks are steady, not at its start."""
    return deployment | {
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "ECS deployment in progress.",
    }


def _complete_when_steady(
    cluster: str, service: str, account: str, region: str, healthy_task: Data | None = None
) -> None:
    """Once a task has become healthy (or has run for a while, without a check), let its deployment go on."""
    spawn_background(
        _become_steady,
        cluster,
        service,
        account,
        region,
        healthy_task,
        thread_name="ecs-deployment",
    )


def _become_steady(
    cluster: str, service: str, account: str, region: str, task: Data | None
) -> None:
    pause = threading.Event()
    with request_scope(account, region):
        pause.wait(STEADY_SECONDS)
        while task is not None and any(task["_checked"]) and task["healthStatus"] != "HEALTHY":
            if not ecs._task_is_active(task["taskArn"], task):
                return
            pause.wait(0.1)
        record = ecs._services.get(service)
        if record is None or record["status"] != "ACTIVE":
            return
        deployment = (
            ecs._deployment_for_task(record, task) if task else ecs._primary_deployment(record)
        )
        if task is not None and task["lastStatus"] == "RUNNING":
            _failures.pop(task["group"], None)
            ecs._record_service_task_healthy(service, task)
        ecs._refresh_service_state(cluster, f"service:{record['serviceName']}")
        ecs._reconcile_service_tasks(cluster, service)
        ecs._complete_service_deployment(
            cluster, service, expected_deployment_id=deployment["id"] if deployment else None
        )


def _before(first: Callable[..., None], action: Callable[..., Any]) -> Callable[..., Any]:
    def both(*arguments: Any, **options: Any) -> Any:
        first(*arguments)
        return action(*arguments, **options)

    return both


def _count_failure(_arn: str, task: Data, _reason: str, stop_code: str, *_rest: object) -> None:
    if stop_code in ("EssentialContainerExited", "TaskFailedToStart"):
        _failures[task["group"]] = _failures.get(task["group"], 0) + 1


def _brake(task: Data, *_rest: object) -> None:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
    failures = _failures.get(task["group"], 0)
    if failures > 1 and task["group"].startswith("service:"):
        delay = FIRST_RESTART_DELAY_SECONDS * 2 ** (failures - 1)
        threading.Event().wait(min(delay, LONGEST_RESTART_DELAY_SECONDS))
