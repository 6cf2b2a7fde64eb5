"""IAM for ElastiCache: the ARNs of its resources, and the permission to log in."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def elasticache_arns(scope: IConstruct, *resources: tuple[str, str]) -> list[str]:
    """Returns the ARNs of these resources, each a type and a name, in the scope's account and Region."""
    return [
        cdk.Stack.of(scope).format_arn(
            service="elasticache",
            resource=kind,
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        for kind, name in resources
    ]


def iam_login(
    scope: IConstruct, sid: str, replication_group_id: str, username: str
) -> iam.PolicyStatement:
    """Returns the permission to log in to the group as this user with IAM authentication.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """
    return iam.PolicyStatement(
        sid=sid,
        actions=["elasticache:Connect"],
        resources=elasticache_arns(
            scope, ("replicationgroup", replication_group_id), ("user", username)
        ),
    )
