"""CloudFormation resource types that ministack lacks, or handles otherwise than AWS.

Each is made through the functions of the API calls, so that both have the same rules. A request is checked with
botocore's model of the API: an unknown or ill-typed property fails the deployment.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from ministack.core.responses import new_uuid
from ministack.services import ec2, ecs, lambda_svc
from ministack.services.cloudformation import provisioners

from lab.fake_aws.cloudformation import hosted_zone as overlay_zone
from lab.fake_aws.cloudformation import stabilization as overlay_steady

Props = dict[str, Any]
Made = tuple[str, Props]

VERBATIM = frozenset({"Options", "DockerLabels", "Labels", "DriverOpts"})
"""Maps whose keys are the user's own."""


def install(handlers: dict[str, Props]) -> None:
    """Add the types to ministack's table."""
    for direction in ("Ingress", "Egress"):
        handlers[f"AWS::EC2::SecurityGroup{direction}"] = _rule_handler(direction)
    handlers["AWS::Route53::HostedZone"] = {
        "create": overlay_zone.create,
        "update": overlay_zone.update,
        "delete": overlay_zone.delete,
    }
    definition = "AWS::ECS::TaskDefinition"
    handlers[definition] = {"create": _definition_create, "delete": _definition_delete}
    handlers["AWS::ECS::Cluster"]["delete"] = _cluster_delete
    handlers["AWS::ECS::Service"] = {
        "create": _service_create,
        "update": _service_update,
        "update_with_logical_id": True,
        "delete": provisioners._ecs_service_delete,
    }
    function = handlers["AWS::Lambda::Function"]
    function["create"] = _apply_function_settings(function["create"], props_at=1)
    function["update"] = _apply_function_settings(function["update"], props_at=2)
    replacing = provisioners._REPLACING_PROPERTIES
    replacing[definition] = (
        "ContainerDefinitions", "Cpu", "Memory", "ExecutionRoleArn", "TaskRoleArn", "Family", "NetworkMode",
        "RequiresCompatibilities", "RuntimePlatform", "Volumes", "Tags",
    )  # fmt: skip
    replacing["AWS::ECS::Service"] = ("Cluster", "LaunchType", "ServiceName", "SchedulingStrategy")
    replacing["AWS::Route53::HostedZone"] = ("Name",)
    rule = (
        "GroupId",
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIp",
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
    )
    for direction in ("Ingress", "Egress"):
        replacing[f"AWS::EC2::SecurityGroup{direction}"] = rule


def to_camel_case(value: Any) -> Any:
    """A CloudFormation value with the member names of the ECS API."""
    if isinstance(value, list):
        return [to_camel_case(item) for item in value]
    if isinstance(value, dict):
        return {
            k[:1].lower() + k[1:]: v if k in VERBATIM else to_camel_case(v)
            for k, v in value.items()
        }
    return value


def _validate(operation: str, request: Props) -> Props:
    shape = _ecs_model().operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ValueError(f"{operation}: {report.generate_report()}")
    return request


@cache
def _ecs_model() -> Any:
    return botocore.session.get_session().get_service_model("ecs")


def _answer(response: tuple[int, object, bytes]) -> Props:
    body: Props = json.loads(response[2])
    if response[0] >= 400:
        raise ValueError(f"{body.get('__type')}: {body.get('message')}")
    return body


def _definition_create(logical_id: str, props: Props, stack: str) -> Made:
    family = props.get("Family") or provisioners._physical_name(stack, logical_id, max_len=255)
    request = _validate("RegisterTaskDefinition", {**to_camel_case(props), "family": family})
    answer = _answer(ecs._ACTION_MAP["RegisterTaskDefinition"](request))
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _definition_delete(physical_id: str, props: Props) -> None:
    del props
    ecs._deregister_task_definition({"taskDefinition": physical_id})


def _cluster_delete(physical_id: str, props: Props) -> None:
    del props
    _answer(ecs._ACTION_MAP["DeleteCluster"]({"cluster": physical_id}))


def _service_create(logical_id: str, props: Props, stack: str) -> Made:
    name = props.get("ServiceName") or provisioners._physical_name(stack, logical_id, max_len=255)
    request = _validate("CreateService", {**to_camel_case(props), "serviceName": name})
    service = _answer(ecs._ACTION_MAP["CreateService"](request))["service"]
    overlay_steady.expect(logical_id, service)
    return service["serviceArn"], {"ServiceArn": service["serviceArn"], "Name": name}


IN_PLACE = frozenset({
    "taskDefinition", "desiredCount", "networkConfiguration", "deploymentConfiguration", "platformVersion",
    "healthCheckGracePeriodSeconds", "enableExecuteCommand", "propagateTags", "enableECSManagedTags",
    "capacityProviderStrategy", "availabilityZoneRebalancing",
})  # fmt: skip
NEW_TASKS = frozenset(
    {"networkConfiguration", "platformVersion", "propagateTags", "enableECSManagedTags"}
)
"""What a running task cannot take on: a change of it makes a new deployment
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html)."""


def _service_update(physical_id: str, old: Props, new: Props, stack: str, logical_id: str) -> Made:
    del stack
    before, after = to_camel_case(old), to_camel_case(new)
    changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} - {"tags"}
    if unknown := changed - IN_PLACE:
        raise ValueError(
            f"the lab cannot change {', '.join(sorted(unknown))} of an ECS service in place"
        )
    cluster, name = physical_id.split("/")[-2:]
    record = ecs._services[f"{cluster}/{name}"]
    # ministack's UpdateService does not know these
    for key, default in (("propagateTags", "NONE"), ("enableECSManagedTags", False)):
        record[key] = after.get(key, default)
    ecs._tags[physical_id] = after.get("tags") or []
    if changed:
        values = {k: after[k] for k in changed if k in after}
        request = {
            "cluster": cluster,
            "service": name,
            **values,
            "forceNewDeployment": bool(changed & NEW_TASKS),
        }
        service = _answer(ecs._update_service(_validate("UpdateService", request)))["service"]
        overlay_steady.expect(logical_id, service)
    return physical_id, {"ServiceArn": physical_id, "Name": name}


def _rule_handler(direction: str) -> Props:
    key = "IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"

    def create(logical_id: str, props: Props, stack: str) -> Made:
        del logical_id, stack
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        (rule,) = provisioners._ec2_sg_permissions([props])
        if rule in group[key]:
            raise ValueError("the specified rule already exists (InvalidPermission.Duplicate)")
        group[key].append(rule)
        return f"sgr-{new_uuid().replace('-', '')[:17]}", {}

    def delete(physical_id: str, props: Props) -> None:
        del physical_id
        group = ec2._security_groups.get(props["GroupId"])
        (rule,) = provisioners._ec2_sg_permissions([props])
        if group is not None and rule in group[key]:
            group[key].remove(rule)

    return {"create": create, "delete": delete}


def _apply_function_settings(make: Callable[..., Made], *, props_at: int) -> Callable[..., Made]:
    """The properties of a function that ministack's template handler forgets."""

    def made(*arguments: Any) -> Made:
        result = make(*arguments)
        props = arguments[props_at]
        record = lambda_svc._functions[result[0]]
        record["concurrency"] = props.get("ReservedConcurrentExecutions")
        record["config"]["DeadLetterConfig"] = props.get("DeadLetterConfig") or {}
        record["config"]["VpcConfig"] = props.get("VpcConfig") or {}
        if not record["code_zip"]:
            raise ValueError(f"function {result[0]}: its code is not in {props.get('Code')}")
        return result

    return made
