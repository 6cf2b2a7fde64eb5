"""AWS calls that CloudFormation has no resource for, made by a small function during the deployment.

Each stack that needs one gets one function with a role of its own; it may do what the calls name and nothing else.
No call is made here that a resource could make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

TIMEOUT = cdk.Duration.minutes(2)


@dataclass(frozen=True)
class Call:
    """One call: its name as the JavaScript SDK has it, its parameters as the API has them."""

    service: str
    action: str
    parameters: Mapping[str, Any]
    ignored_errors: str | None = None
    """A regular expression of error codes that mean that there is nothing to do."""


class AwsCalls(Construct):
    """The role and the log group of the stack's function, and the calls that it makes."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # not the managed policy, which lets it write every log of the account
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)

    def make(
        self,
        construct_id: str,
        *,
        kind: str,
        physical_id: str,
        call: Call,
        undo: Call | None,
        statement: iam.PolicyStatement,
    ) -> Construct:
        """Makes the call on a create and on every change of it; `undo`, if any, when it is removed.

        `kind` is the resource type's name after `Custom::`. Another `physical_id` means another thing: the new one
        is made first, the old one undone after.
        """
        return cr.AwsCustomResource(
            self,
            construct_id,
            resource_type=f"Custom::{kind}",
            on_update=sdk_call(call, physical_id),
            on_delete=sdk_call(undo, None) if undo else None,
            policy=cr.AwsCustomResourcePolicy.from_statements([statement]),
            role=self.role,
            log_group=self.log_group,
            # the one that the runtime brings: no download in the middle of a deployment
            install_latest_aws_sdk=False,
            timeout=TIMEOUT,
        )


def sdk_call(call: Call, physical_id: str | None) -> cr.AwsSdkCall:
    """The call as the CDK has it."""
    return cr.AwsSdkCall(
        service=call.service,
        action=call.action,
        parameters=dict(call.parameters),
        ignore_error_codes_matching=call.ignored_errors,
        physical_resource_id=cr.PhysicalResourceId.of(physical_id) if physical_id else None,
    )
