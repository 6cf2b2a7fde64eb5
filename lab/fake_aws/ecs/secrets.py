"""The secrets of an ECS container: read at its start, with the permissions of its execution role.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from lab import layout

ACTION = "secretsmanager:GetSecretValue"
PARTS = 7
"""Of a secret's own ARN: what follows in `valueFrom` is JSON key, version stage and version id."""


def install() -> None:
    """Patch ministack's Secrets Manager: the probe's secret has the ARN that `cdk.json` names."""
    store = secretsmanager._store_new_secret

    def store_with_known_arn(name: str, *arguments: Any, **options: Any) -> tuple[str, str]:
        arn, version = store(name, *arguments, **options)
        if name == layout.PROBE_SECRET:
            arn = secretsmanager._secrets[name]["ARN"] = layout.PROBE_SECRET_ARN
        return arn, version

    secretsmanager._store_new_secret = store_with_known_arn


class Unreadable(RuntimeError):
    """A secret that ECS cannot give to a container: ECS's ResourceInitializationError."""


def read_values(definition: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, str]:
    """Environment variable to the secret's value; raises Unreadable."""
    role = str(definition.get("executionRoleArn") or "")
    return {
        str(one["name"]): _value(role, str(one["valueFrom"]))
        for one in container.get("secrets") or ()
    }


def _value(role: str, value_from: str) -> str:
    parts = value_from.split(":")
    arn, (key, stage, version) = ":".join(parts[:PARTS]), [*parts[PARTS:], "", "", ""][:3]
    with request_scope(layout.ACCOUNT, layout.REGION):
        _judge(role, arn)
        asked = {"SecretId": arn, "VersionStage": stage or "AWSCURRENT", "VersionId": version}
        status, _, body = secretsmanager._get_secret_value(asked)
    said = json.loads(body)
    if status != 200:
        raise Unreadable(f"unable to pull secrets: {said.get('message')}")
    text = str(said["SecretString"])
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise Unreadable(
            f"unable to pull secrets: retrieved secret from Secrets Manager did not contain json key {key}"
        ) from None


def _judge(role: str, arn: str) -> None:
    policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], layout.ACCOUNT)
    context = iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=layout.ACCOUNT,
        action=ACTION,
        resource_arn=arn,
        region=layout.REGION,
    )
    if iam_evaluator.evaluate(context, policies).decision != "Allow":
        raise Unreadable(
            f"unable to pull secrets: {role} is not authorized to perform: {ACTION} on {arn}"
        )
