"""The life of an ECS task in the fake AWS: placement, start, health, stop, and their events.

It replaces the part of ministack's ECS that talks to Docker. A task's state follows its processes: at RUNNING they
run, at STOPPED they have ended; a stopping task has desiredStatus STOPPED at once and drains in the background. When
a container restarts its program (lab.containers.container), only the health changes. Simpler than on AWS: an
unhealthy task of a service is stopped before it is replaced.
"""

import copy
import itertools
import json
import threading
from collections.abc import Mapping
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import now_iso, request_scope
from ministack.services import ecs, eventbridge

from lab import layout
from lab.containers.container import Container, ContainerSpec, RestartPolicy
from lab.containers.health import HealthCheck, watch
from lab.containers.images import PullError
from lab.containers.runtime import Runtime
from lab.fake_aws.ecs import secrets as overlay_secrets
from lab.fake_aws.ecs.placement import prepare

DEFAULT_STOP_TIMEOUT_SECONDS = 30
DEFAULT_RESTART_PERIOD_SECONDS = 300

Task = dict[str, Any]


class Tasks:
    """Functions in place of ministack's own; `install` puts them there."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def install(self) -> None:
        """Patch ministack.services.ecs."""
        ecs._get_docker = lambda: self._runtime
        ecs._deployment_needs_first_task = lambda *_a, **_k: False
        ecs._start_task_worker = self._start
        ecs._mark_task_stopped = self._ask_to_stop
        ecs._cleanup_task_resources = self._clean_up
        for name in ("_mark_task_pending", "_mark_task_running"):
            setattr(ecs, name, _publish_after(getattr(ecs, name)))

    def _start(self, task: Task, definition: Task, overrides: list[Task], _client: object) -> None:
        """Bring one task from PROVISIONING to RUNNING; runs in the task's own thread."""
        prepare(task)
        publish(task)
        if not (
            ecs._mark_task_pending(task["taskArn"], task)
            and ecs._mark_task_activating(task["taskArn"], task)
        ):
            return
        for index, container in enumerate(definition["containerDefinitions"]):
            override = ecs._container_override_for(overrides, container["name"])
            try:
                secrets = overlay_secrets.read_values(definition, container)
                spec = specification(task, definition, container, override, secrets)
                self._runtime.pull(spec.image)
                started = self._runtime.run(spec)
            except PullError as problem:
                raise ecs._ImagePullError(str(problem)) from problem
            except (RuntimeError, OSError) as problem:
                ecs._fail_task_start(task, None, _failure_reason(problem))
                return
            if not _attach(task, index, started):
                started.stop()
                return
            ecs._start_awslogs_forwarder(started, container, _id(task))
            if container.get("healthCheck"):
                check = HealthCheck.of(container["healthCheck"])
                spawn_background(
                    watch, started, check, _Reporter(task, index), thread_name="container-health"
                )
        if not ecs._mark_task_running(task["taskArn"], task):
            self._clean_up(task, None)

    def _ask_to_stop(
        self, arn: str, task: Task, reason: str, stop_code: str, exit_code: int | None = None
    ) -> bool:
        """Set desiredStatus STOPPED, at once and once; `_clean_up`, which ministack calls next, does the rest."""
        del exit_code  # the containers' own exit codes are told when they have ended
        with resource_lock("ecs-task", arn):
            if not ecs._task_is_active(arn, task):
                return False
            ecs._bump_task_version(task)
            task.update(
                desiredStatus="STOPPED",
                stoppingAt=now_iso(),
                stoppedReason=reason,
                stopCode=stop_code,
            )
        publish(task)
        with resource_lock("ecs-task", arn):
            task["lastStatus"] = "STOPPING"
        _recount(task)
        if stop_code in ("EssentialContainerExited", "TaskFailedToStart"):
            ecs._record_service_task_failure(task)
        return True

    def _clean_up(
        self, task: Task, _client: object, extra_container: Container | None = None
    ) -> None:
        """Stop the task's containers in the background, then set STOPPED."""
        with resource_lock("ecs-task", task["taskArn"]):
            if task.get("_draining"):
                return
            task["_draining"] = True
        spawn_background(
            self._drain, task, extra_container, thread_name=f"ecs-drain-{_id(task)[:8]}"
        )

    def _drain(self, task: Task, extra: Container | None) -> None:
        containers = [self._runtime.get(i) for i in task.get("_docker_ids") or []]
        stops = [
            threading.Thread(target=c.stop) for c in [*containers, *([extra] if extra else [])]
        ]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        with resource_lock("ecs-task", task["taskArn"]):
            ecs._bump_task_version(task)
            task.update(lastStatus="DEPROVISIONING", executionStoppedAt=now_iso())
            for record, container in itertools.zip_longest(task["containers"], containers):
                record["lastStatus"] = "STOPPED"
                if container is not None:
                    record["exitCode"] = container.wait()["StatusCode"]
        publish(task)
        with resource_lock("ecs-task", task["taskArn"]):
            ecs._bump_task_version(task)
            task.update(lastStatus="STOPPED", stoppedAt=now_iso())
            for attachment in task["attachments"]:
                attachment["status"] = "DELETED"
        publish(task)
        _recount(task)


class _Reporter:
    """Passes a container's health to its task, and to the service when it is bad."""

    def __init__(self, task: Task, index: int) -> None:
        self._task = task
        self._index = index

    def __call__(self, status: str) -> None:
        task = self._task
        with resource_lock("ecs-task", task["taskArn"]):
            task["containers"][self._index]["healthStatus"] = status
            checked = [
                c["healthStatus"]
                for c, essential, has in zip(
                    task["containers"], task["_container_essentials"], task["_checked"], strict=True
                )
                if essential and has
            ]
            worst = next((s for s in ("UNHEALTHY", "UNKNOWN") if s in checked), "HEALTHY")
            task["healthStatus"] = worst if checked else "UNKNOWN"
        if task["healthStatus"] == "UNHEALTHY" and task["group"].startswith("service:"):
            stopped = ecs._mark_task_stopped(
                task["taskArn"],
                task,
                "Task failed container health checks",
                "ServiceSchedulerInitiated",
            )
            if stopped:
                ecs._cleanup_task_resources(task, None)
                ecs._record_service_task_failure(task)


def _failure_reason(problem: Exception) -> str:
    """ECS's error code for a container that did not start, and the reason."""
    unread = isinstance(problem, overlay_secrets.Unreadable)
    return f"{'ResourceInitializationError' if unread else 'CannotStartContainerError'}: {problem}"


def specification(
    task: Task, definition: Task, container: Task, override: Task, secrets: Mapping[str, str]
) -> ContainerSpec:
    """The container that ECS would start: its definition, the overrides of RunTask, and its secrets."""
    environment = {e["name"]: e["value"] for e in container.get("environment") or []}
    environment |= {e["name"]: e["value"] for e in override.get("environment") or []}
    environment |= secrets
    paths = {v["name"] for v in definition.get("volumes") or []}
    capabilities = (container.get("linuxParameters") or {}).get("capabilities") or {}
    return ContainerSpec(
        task_id=_id(task),
        name=container["name"],
        image=container["image"],
        argv=(
            *(container.get("entryPoint") or ()),
            *(override.get("command") or container.get("command") or ()),
        ),
        environment=environment,
        address=ecs._task_ip(task),
        ulimits=tuple(container.get("ulimits") or ()),
        volumes=tuple(
            m["containerPath"]
            for m in container.get("mountPoints") or ()
            if m["sourceVolume"] in paths
        ),
        read_only_root=bool(container.get("readonlyRootFilesystem")),
        drop_all_capabilities="ALL" in (capabilities.get("drop") or ()),
        stop_timeout_seconds=float(container.get("stopTimeout") or DEFAULT_STOP_TIMEOUT_SECONDS),
        restart=_restart_policy(container.get("restartPolicy") or {}),
    )


def _restart_policy(stated: Mapping[str, Any]) -> RestartPolicy | None:
    if not stated.get("enabled"):
        return None
    return RestartPolicy(
        float(stated.get("restartAttemptPeriod") or DEFAULT_RESTART_PERIOD_SECONDS),
        tuple(stated.get("ignoredExitCodes") or ()),
    )


def publish(task: Task) -> None:
    """Put an "ECS Task State Change" on the default bus, in AWS's shape, which has no tags and no health."""
    with resource_lock("ecs-task", task["taskArn"]):
        detail = copy.deepcopy(ecs._sanitize(task))
    for hidden in ("tags", "healthStatus"):
        detail.pop(hidden, None)
    for container in detail["containers"]:
        container.pop("healthStatus", None)
    for attachment in detail["attachments"]:
        attachment["type"] = "eni"
    detail["updatedAt"] = now_iso()
    event = {
        "Source": "aws.ecs",
        "DetailType": "ECS Task State Change",
        "Resources": [task["taskArn"]],
        "Detail": json.dumps(detail),
    }
    with request_scope(layout.ACCOUNT, layout.REGION):
        eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)


def _publish_after(mark: Any) -> Any:
    def marked(arn: str, task: Task) -> bool:
        done = bool(mark(arn, task))
        if done:
            publish(task)
        return done

    return marked


def _attach(task: Task, index: int, container: Container) -> bool:
    with resource_lock("ecs-task", task["taskArn"]):
        if not ecs._task_is_active(task["taskArn"], task):
            return False
        task["_docker_ids"].append(container.id)
        task["containers"][index].update(runtimeId=container.id[:12], lastStatus="RUNNING")
    return True


def _recount(task: Mapping[str, Any]) -> None:
    cluster = ecs._cluster_name_from_arn(task["clusterArn"])
    ecs._recount_cluster(cluster)
    ecs._refresh_service_state(cluster, task["group"])


def _id(task: Mapping[str, Any]) -> str:
    return str(task["taskArn"]).rsplit("/", 1)[-1]
