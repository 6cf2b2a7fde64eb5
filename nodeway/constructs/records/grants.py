"""The permissions to read a cluster's nodes and the proxies' tasks, on the narrowest resources that AWS supports."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from nodeway.constructs.elasticache import elasticache_arns
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.runtime_function import role_policy


def grant_topology_reads(function: lambda_.Function, replication_group_id: str) -> None:
    """Permits the function to read the nodes of the group."""
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadTopology",
            actions=["elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters"],
            resources=elasticache_arns(
                function, ("replicationgroup", replication_group_id), ("cluster", "*")
            ),
        )
    )
    acknowledge(
        role_policy(function),
        f"IAM5[Resource::arn:<AWS::Partition>:elasticache:{nag_location(function)}:cluster:*]",
        "DescribeCacheClusters has no filter by group",
    )


def grant_task_reads(function: lambda_.Function, fleet: Fleet) -> None:
    """Permits the function to read the tasks and services of the fleet's ECS cluster."""
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadTasks",
            actions=[
                "ecs:ListTasks",
                "ecs:DescribeTasks",
                "ecs:ListServices",
                "ecs:DescribeServices",
            ],
            resources=["*"],
            conditions={"ArnEquals": {"ecs:cluster": fleet.cluster.cluster_arn}},
        )
    )
    acknowledge(
        role_policy(function),
        "IAM5[Resource::*]",
        "tasks have no names before they run; ecs:cluster limits it",
    )


def nag_location(construct: IConstruct) -> str:
    """Returns REGION:ACCOUNT of the construct's stack in the form of cdk-nag's findings."""
    stack = cdk.Stack.of(construct)
    values = ((stack.region, "AWS::Region"), (stack.account, "AWS::AccountId"))
    return ":".join(
        f"<{token}>" if cdk.Token.is_unresolved(value) else value for value, token in values
    )
