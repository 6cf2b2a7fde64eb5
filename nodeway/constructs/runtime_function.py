"""A Lambda function of the package `nodeway_runtime`, with a role that may write its own log and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

import nodeway_runtime

PACKAGE = Path(nodeway_runtime.__file__).resolve().parent
NOT_CODE = ["**/__pycache__", "**/*.pyc"]
CODE_ONLY = ["*", f"!{PACKAGE.name}", f"!{PACKAGE.name}/**", *NOT_CODE]
"""Patterns for the asset: only this package, as the folder of an installed one has other packages too."""


def runtime_function(
    scope: Construct,
    construct_id: str,
    *,
    ids: str,
    handler: str,
    description: str,
    variables: Mapping[str, str],
    layer: lambda_.ILayerVersion,
    memory_mib: int,
    timeout: cdk.Duration,
    **options: Any,  # noqa: ANN401 (lambda_.Function's own)
) -> lambda_.Function:
    """Creates the function.

    `handler` is a module of `nodeway_runtime.functions`. `ids` is a prefix of the construct ids of its role and log
    group.
    """
    role = iam.Role(scope, f"{ids}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group = logs.LogGroup(
        scope,
        f"{ids}Logs",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        construct_id,
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.X86_64,
        handler=f"nodeway_runtime.functions.{handler}.handle",
        code=lambda_.Code.from_asset(str(PACKAGE.parent), exclude=CODE_ONLY),
        layers=[layer],
        role=role,
        log_group=log_group,
        memory_size=memory_mib,
        timeout=timeout,
        environment=dict(variables),
        **options,
    )


def role_policy(function: lambda_.Function) -> IConstruct:
    """Returns the inline policy of the function's role, which exists after the first grant."""
    if function.role is None:
        msg = "the function has no role"
        raise TypeError(msg)
    return function.role.node.find_child("DefaultPolicy")
