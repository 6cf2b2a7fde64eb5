"""The resources and condition keys of requests, for IAM, where ministack does not know them as AWS does.

ministack evaluates the caller's policies (AUTH); this adds the resources, the condition keys and the dependent
permissions of ECS, Route 53 and ElastiCache calls, after the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import ecs

from lab import layout
from lab.fake_aws import route53 as overlay_route53

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission that a request needs."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


_needed: ContextVar[tuple[Permission, ...]] = ContextVar("needed", default=())
_lacking: ContextVar[Permission | None] = ContextVar("lacking", default=None)


def install() -> None:
    """Patch ministack.app, ministack.core.iam_actions and iam_evaluator."""
    resource_of, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce
    answer = iam_actions.access_denied_response

    def extract(
        service: str,
        method: str,
        path: str,
        headers: object,
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        _needed.set(())
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query) or ""
        if (permissions_of := SERVICES.get(service)) is not None:
            _needed.set(tuple(permissions_of(action, path, body, query)))
            return _needed.get()[0].resource
        found: str = resource_of(service, method, path, headers, body, query, region, account)
        return found

    def enforce_all(
        key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        needed, _ = _needed.get(), _needed.set(())
        for permission in needed or (Permission(action, resource_arn),):
            context = {**(service_context or {}), **permission.context}
            denied = enforce(key, permission.action, service, region, permission.resource, context)
            if denied:
                _lacking.set(permission)
                return denied
        return None

    def respond(service: str, action: str, *arguments: object, **options: object) -> Any:
        lacking = _lacking.get() or Permission(action, str(options.get("resource_arn", "*")))
        options["resource_arn"] = lacking.resource
        return answer(service, lacking.action, *arguments, **options)

    pin_origin = app.pin_request_origin
    # the lab's loopback stands for AWS's endpoints, which are reached by TLS (aws:SecureTransport)
    app.pin_request_origin = lambda address, _secure: pin_origin(address, secure_transport=True)
    iam_actions.extract_resource_arn = extract
    iam_actions.access_denied_response = respond
    iam_evaluator.enforce = enforce_all


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{layout.REGION}:{layout.ACCOUNT}:{resource}"


def _ecs(action: str, path: str, raw: bytes, query: object) -> Iterator[Permission]:
    del path, query
    body: Body = json.loads(raw or b"{}")
    cluster = str(body.get("cluster", "default")).rsplit("/", 1)[-1]
    in_cluster = {"ecs:cluster": _arn("ecs", f"cluster/{cluster}")}
    name = action.partition(":")[2]
    if name == "RunTask":
        yield from _run_task(body, cluster, in_cluster)
    elif name in ECS_RESOURCES:
        kind, members = ECS_RESOURCES[name]
        asked = next((body[m] for m in members if body.get(m)), "*")
        for one in asked if isinstance(asked, list) else [asked]:
            identity = str(one).rsplit("/", 1)[-1]
            resource = f"{kind}/{identity}" if kind == "cluster" else f"{kind}/{cluster}/{identity}"
            arn = _arn("ecs", resource)
            yield Permission(action, arn, {} if kind == "cluster" else in_cluster | _tags(arn))
    else:
        of_cluster = in_cluster if name in ("ListTasks", "ListServices") else {}
        arn = str(body.get("resourceArn", "*"))
        yield Permission(action, arn, of_cluster | _tags(arn))


def _tags(arn: str) -> dict[str, str]:
    """The tags of an ECS resource as condition keys."""
    return {f"aws:resourcetag/{tag['key']}".lower(): tag["value"] for tag in ecs._tags.get(arn, [])}


ECS_RESOURCES = {
    "StopTask": ("task", ("task",)),
    "DescribeTasks": ("task", ("tasks",)),
    "DescribeServices": ("service", ("services",)),
    "CreateService": ("service", ("serviceName",)),
    "UpdateService": ("service", ("service",)),
    "DeleteService": ("service", ("service",)),
    "DescribeClusters": ("cluster", ("clusters",)),
}
"""Kind of the resource that an action is judged on, and the members of the request that name it."""


def _run_task(body: Body, cluster: str, in_cluster: dict[str, str]) -> Iterator[Permission]:
    definition = ecs._task_defs.get(ecs._resolve_td_key(body.get("taskDefinition", ""))) or {}
    yield Permission("ecs:RunTask", definition.get("taskDefinitionArn", "*"), in_cluster)
    for role in {definition.get("taskRoleArn"), definition.get("executionRoleArn")} - {None, ""}:
        passed = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}
        yield Permission("iam:PassRole", str(role), passed)
    if body.get("tags") or body.get("propagateTags") or body.get("enableECSManagedTags"):
        created = {"ecs:createaction": "RunTask", **in_cluster}
        yield Permission("ecs:TagResource", _arn("ecs", f"task/{cluster}/*"), created)


def _route53(action: str, path: str, raw: bytes, query: object) -> Iterator[Permission]:
    del query
    _, _, kind, *rest = [*path.split("/"), "", ""]
    context: dict[str, Any] = {}
    if action.endswith(":ChangeResourceRecordSets"):
        changes = list(overlay_route53.parse(raw))
        prefix = "route53:changeresourcerecordsets"
        context = {
            f"{prefix}normalizedrecordnames": [r["Name"].removesuffix(".") for _, r in changes],
            f"{prefix}recordtypes": [r["Type"] for _, r in changes],
            f"{prefix}actions": [a for a, _ in changes],
        }
    known = kind in ("hostedzone", "change") and rest[0]
    yield Permission(action, f"arn:aws:route53:::{kind}/{rest[0]}" if known else "*", context)


def _elasticache(action: str, path: str, raw: bytes, query: dict[str, Any]) -> Iterator[Permission]:
    del path, raw
    for parameter, kind in (
        ("CacheClusterId", "cluster"),
        ("ReplicationGroupId", "replicationgroup"),
        ("CacheParameterGroupName", "parametergroup"),
    ):
        if value := query.get(parameter):
            yield Permission(
                action,
                _arn("elasticache", f"{kind}:{value[0] if isinstance(value, list) else value}"),
            )
            return
    kind = {"elasticache:DescribeReplicationGroups": "replicationgroup"}.get(action, "cluster")
    yield Permission(action, _arn("elasticache", f"{kind}:*"))


SERVICES: dict[str, Callable[[str, str, bytes, Any], Iterator[Permission]]] = {
    "ecs": _ecs,
    "elasticache": _elasticache,
    "route53": _route53,
}
