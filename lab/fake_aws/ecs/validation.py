"""ECS requests that AWS refuses and ministack answers: limits, pages, unknown clusters and networks."""

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ec2, ecs

from lab import layout

Data = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Action = Callable[[Data], Response]

RESTART_PERIODS = range(60, 1801)
"""Rule: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html."""


class Refused(Exception):
    """A refusal of AWS."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = error_response_json(code, message, 400)


def install() -> None:
    """Patch the actions of ministack.services.ecs; after overlay_services.install."""
    actions = ecs._ACTION_MAP
    actions["ListServices"] = _paginate(actions["ListServices"], "serviceArns")
    for name, check in CHECKS.items():
        actions[name] = _validated(check, actions[name])


def _validated(
    check: Callable[[Data], None], action: Callable[[Data], Response]
) -> Callable[[Data], Response]:
    def checked(data: Data) -> Response:
        try:
            check(data)
        except Refused as refusal:
            answer: Response = refusal.answer
            return answer
        return action(data)

    return checked


def _check_cluster(data: Data) -> None:
    cluster = ecs._clusters.get(ecs._resolve_cluster_name(data.get("cluster", "default")) or "")
    if cluster is None or cluster["status"] != "ACTIVE":
        raise Refused("ClusterNotFoundException", "Cluster not found.")


def _check_empty(data: Data) -> None:
    """Rule: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html."""
    _check_cluster(data)
    name = ecs._resolve_cluster_name(data.get("cluster", "default"))
    arn = ecs._clusters[name]["clusterArn"]
    found = (
        ("Services", [s["status"] for s in ecs._services.values() if s["clusterArn"] == arn], "ACTIVE"),
        ("Tasks", [t["desiredStatus"] for t in ecs._tasks.values() if t["clusterArn"] == arn], "RUNNING"),
    )  # fmt: skip
    for what, states, active in found:
        if active in states:
            raise Refused(
                f"ClusterContains{what}Exception",
                f"The Cluster cannot be deleted while {what} are active.",
            )


def _check_network(data: Data) -> None:
    _check_cluster(data)
    definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", "")))
    if definition is None:
        raise Refused(
            "ClientException", f"Unable to find task definition: {data.get('taskDefinition')}"
        )
    if (data.get("deploymentController") or {}).get("type", "ECS") != "ECS":
        raise Refused(
            "InvalidParameterException",
            "the lab's services deploy with the controller of type ECS only",
        )
    if definition["networkMode"] != "awsvpc":
        raise Refused("ClientException", "the lab runs tasks of networkMode awsvpc only")
    awsvpc = (data.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if not awsvpc.get("subnets"):
        raise Refused(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    places = {subnet.subnet_id for subnet in layout.PROXY_SUBNETS}
    for key, store, what in (
        ("subnets", places, "subnet"),
        ("securityGroups", ec2._security_groups, "securityGroup"),
    ):
        for identity in awsvpc.get(key) or ():
            if identity not in store:
                raise Refused(
                    "InvalidParameterException", f"The {what} ID '{identity}' does not exist"
                )


def _at_most(key: str, limit: int) -> Callable[[Data], None]:
    def check(data: Data) -> None:
        _check_cluster(data)
        count = len(data.get(key) or ())
        if not 1 <= count <= limit:
            raise Refused(
                "InvalidParameterException", f"{key}: {count} given; allowed: 1 to {limit}"
            )

    return check


def _check_restart_policies(data: Data) -> None:
    for container in data.get("containerDefinitions") or ():
        period = (container.get("restartPolicy") or {}).get("restartAttemptPeriod")
        if period is not None and int(period) not in RESTART_PERIODS:
            raise Refused(
                "ClientException",
                f"restartAttemptPeriod: {period} given; allowed: 60 to 1800 seconds",
            )


def _check_page(data: Data) -> None:
    _check_cluster(data)
    size = data.get("maxResults")
    if size is not None and not 1 <= int(size) <= 100:
        raise Refused("InvalidParameterException", f"maxResults: {size} given; allowed: 1 to 100")


def _paginate(
    action: Callable[[Data], Response], key: str, default: int = 10
) -> Callable[[Data], Response]:
    """Pages of an action that ministack answers whole; ListServices gives 10 unless asked for more."""

    def page(data: Data) -> Response:
        status, headers, body = action(data)
        if status != 200:
            return status, headers, body
        everything, start = json.loads(body)[key], int(data.get("nextToken") or 0)
        end = start + int(data.get("maxResults") or default)
        more = {"nextToken": str(end)} if end < len(everything) else {}
        answer: Response = json_response({key: everything[start:end], **more})
        return answer

    return page


CHECKS: dict[str, Callable[[Data], None]] = {
    "CreateService": _check_network,
    "DeleteCluster": _check_empty,
    "DeleteService": _check_cluster,
    "DescribeServices": _at_most("services", 10),
    "DescribeTasks": _at_most("tasks", 100),
    "ListServices": _check_page,
    "ListTasks": _check_page,
    "RegisterTaskDefinition": _check_restart_policies,
    "RunTask": _check_network,
    "StopTask": _check_cluster,
    "UpdateService": _check_cluster,
}
