"""What a function may read of a cluster: the nodes, and the proxies' tasks. On the narrowest resource that AWS
takes.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.runtime_function import role_policy


def grant_topology_reads(function: lambda_.Function, replication_group_id: str) -> None:
    """The describes of the nodes."""
    where = cdk.Stack.of(function)
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadTopology",
            actions=["elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters"],
            resources=[
                where.format_arn(
                    service="elasticache",
                    resource=kind,
                    resource_name=name,
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
                for kind, name in (
                    ("replicationgroup", replication_group_id),
                    ("cluster", "*"),
                )
            ],
        )
    )
    acknowledge(
        role_policy(function),
        f"IAM5[Resource::arn:<AWS::Partition>:elasticache:{place_of(function)}:cluster:*]",
        "DescribeCacheClusters has no filter by group",
    )


def grant_task_reads(function: lambda_.Function, fleet: Fleet) -> None:
    """The describes of the tasks, in this ECS cluster only."""
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


def place_of(construct: IConstruct) -> str:
    """REGION:ACCOUNT as cdk-nag writes them in a finding about a resource of the construct's stack."""
    stack = cdk.Stack.of(construct)
    named = ((stack.region, "AWS::Region"), (stack.account, "AWS::AccountId"))
    return ":".join(f"<{name}>" if cdk.Token.is_unresolved(one) else one for one, name in named)
