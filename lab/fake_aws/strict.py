"""The services, ECS actions and parameters of the fake AWS. Everything else is refused with the reason.

ministack ignores a parameter that it does not know, and would answer as if it had applied it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app
from ministack.core.responses import error_response_json
from ministack.services import ecs

Response = tuple[int, dict[str, str], bytes]

SERVICES = frozenset(
    {
        *("cloudformation", "ec2", "ecr", "ecs", "elasticache", "events", "iam", "lambda", "logs"),
        *("monitoring", "route53", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"),
    }
)
ECS: Mapping[str, str] = {
    "CreateCluster": "clusterName settings tags",
    "DeleteCluster": "cluster",
    "DescribeClusters": "clusters include",
    "ListClusters": "",
    "RegisterTaskDefinition": "family containerDefinitions cpu memory networkMode requiresCompatibilities"
    " runtimePlatform executionRoleArn taskRoleArn volumes tags",
    "DeregisterTaskDefinition": "taskDefinition",
    "DescribeTaskDefinition": "taskDefinition include",
    "ListTaskDefinitions": "familyPrefix status sort maxResults nextToken",
    "CreateService": "serviceName cluster taskDefinition desiredCount launchType networkConfiguration"
    " deploymentConfiguration propagateTags enableECSManagedTags enableExecuteCommand tags platformVersion"
    " schedulingStrategy healthCheckGracePeriodSeconds availabilityZoneRebalancing deploymentController",
    "UpdateService": "service cluster taskDefinition desiredCount forceNewDeployment networkConfiguration"
    " deploymentConfiguration platformVersion enableExecuteCommand healthCheckGracePeriodSeconds",
    "DeleteService": "service cluster force",
    "DescribeServices": "services cluster include",
    "ListServices": "cluster launchType schedulingStrategy maxResults nextToken",
    "RunTask": "cluster taskDefinition count group launchType networkConfiguration overrides propagateTags"
    " startedBy tags enableECSManagedTags platformVersion clientToken",
    "StopTask": "cluster task reason",
    "DescribeTasks": "cluster tasks include",
    "ListTasks": "cluster desiredStatus family serviceName startedBy maxResults nextToken",
    "TagResource": "resourceArn tags",
    "UntagResource": "resourceArn tagKeys",
    "ListTagsForResource": "resourceArn",
}
OVERRIDES = frozenset({"name", "command", "environment"})


def install() -> None:
    """Patch ministack.app and ministack.services.ecs."""
    for unknown in app.SERVICE_HANDLERS.keys() - SERVICES:
        app.SERVICE_HANDLERS[unknown] = _make_refusal(unknown)
    for action in list(ecs._ACTION_MAP):
        if action in ECS:
            ecs._ACTION_MAP[action] = _refuse_unknown(action, ecs._ACTION_MAP[action])
        else:
            del ecs._ACTION_MAP[action]


def _make_refusal(service: str) -> Callable[..., Any]:
    async def refuse(*_request: object) -> Response:
        body = {
            "__type": "UnsupportedServiceException",
            "message": f"{service} is not part of the lab",
        }
        return 400, {"Content-Type": "application/json"}, json.dumps(body).encode()

    return refuse


def _refuse_unknown(
    action: str, handler: Callable[[dict[str, Any]], Response]
) -> Callable[[dict[str, Any]], Response]:
    known = set(ECS[action].split())

    def strict(data: dict[str, Any]) -> Response:
        unknown = {name for name, value in data.items() if name not in known and value is not None}
        for override in (data.get("overrides") or {}).get("containerOverrides") or ():
            unknown |= {
                f"overrides.containerOverrides.{name}" for name in override.keys() - OVERRIDES
            }
        unknown |= {
            f"overrides.{n}" for n in (data.get("overrides") or {}).keys() - {"containerOverrides"}
        }
        if unknown:
            message = (
                f"{action}: the lab does not model {', '.join(sorted(unknown))}; "
                f"it knows {', '.join(sorted(known))}"
            )
            answer: Response = error_response_json("InvalidParameterException", message, 400)
            return answer
        return handler(data)

    return strict
