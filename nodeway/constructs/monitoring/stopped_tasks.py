"""The tasks that stopped by themselves: counted for an alarm, and kept, since ECS forgets a stopped task in an hour.

EventBridge writes the events into a log group. No function is woken by them.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

MEANT = ["ServiceSchedulerInitiated", "UserInitiated"]
"""Deployments, scaling and stand-ins that are retired: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html"""
BY_THEMSELVES: list[dict[str, Any]] = [
    {"stopCode": [{"anything-but": MEANT}]},
    # the scheduler stops these, but nobody meant it
    {"stoppedReason": [{"wildcard": "*health check*"}]},
]


class StoppedTasks(Construct):
    """One log group for the environment, and a rule for each cluster."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        # EventBridge writes to groups of this name only
        name = f"/aws/events/{cdk.Aws.STACK_NAME}"
        self._log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=name,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self._arn = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self._policy = logs.ResourcePolicy(
            self,
            "Policy",
            policy_statements=[
                iam.PolicyStatement(
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[f"{self._arn}:*"],
                )
            ],
        )
        cdk.CfnOutput(stack, "StoppedTasks", value=self._log_group.log_group_name)

    def of(self, label: str, ecs_cluster_arn: str) -> cloudwatch.Metric:
        """How many tasks of this cluster stopped by themselves."""
        rule = events.CfnRule(
            self,
            label,
            description=f"tasks of {label} that stopped by themselves",
            event_pattern={
                "source": ["aws.ecs"],
                "detail-type": ["ECS Task State Change"],
                "detail": {
                    "clusterArn": [ecs_cluster_arn],
                    "lastStatus": ["STOPPED"],
                    "$or": BY_THEMSELVES,
                },
            },
            targets=[events.CfnRule.TargetProperty(id="Logs", arn=self._arn)],
        )
        rule.node.add_dependency(self._log_group, self._policy)
        return cloudwatch.Metric(
            namespace="AWS/Events",
            # of a rule it is this; MatchedEvents counts all rules together
            metric_name="TriggeredRules",
            dimensions_map={"RuleName": rule.ref},
            statistic="Sum",
            period=cdk.Duration.minutes(15),
        )
