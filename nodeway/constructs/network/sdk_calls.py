"""AWS calls during a deployment, for settings that CloudFormation has no resource for.

Each stack with such calls has one function, with a role that permits only these calls.
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
    """One call, with the name of the JavaScript SDK and the parameters of the API."""

    service: str
    action: str
    parameters: Mapping[str, Any]
    ignored_errors: str | None = None
    """A regular expression of error codes that count as success."""


class AwsCalls(Construct):
    """The role and the log group of the stack's function, and its calls."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # not the managed policy, which permits to write every log of the account
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
        """Adds a custom resource that makes the call at its creation and after each change, and `undo` at its deletion.

        `kind` is the resource type's name after `Custom::`. Another `physical_id` replaces the resource.
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
            # the runtime's own SDK, so that a deployment downloads nothing
            install_latest_aws_sdk=False,
            timeout=TIMEOUT,
        )


def sdk_call(call: Call, physical_id: str | None) -> cr.AwsSdkCall:
    """Returns the call as the CDK's type."""
    return cr.AwsSdkCall(
        service=call.service,
        action=call.action,
        parameters=dict(call.parameters),
        ignore_error_codes_matching=call.ignored_errors,
        physical_resource_id=cr.PhysicalResourceId.of(physical_id) if physical_id else None,
    )
