"""The tasks that stopped unintentionally: a metric for an alarm, and a log, as ECS forgets a stopped task in an hour.

EventBridge writes the events to a log group.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

INTENTIONAL = ["ServiceSchedulerInitiated", "UserInitiated"]
"""Stop codes of deployments, scaling and retired stand-ins:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html"""
UNINTENTIONAL: list[dict[str, Any]] = [
    {"stopCode": [{"anything-but": INTENTIONAL}]},
    # has the stop code of the scheduler
    {"stoppedReason": [{"wildcard": "*health check*"}]},
]


class StoppedTasks(Construct):
    """One log group for the environment, and a rule for each cluster."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        # EventBridge requires this prefix
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
        """Adds the rule of a cluster. Returns the metric of its unintentional stops."""
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
                    "$or": UNINTENTIONAL,
                },
            },
            targets=[events.CfnRule.TargetProperty(id="Logs", arn=self._arn)],
        )
        rule.node.add_dependency(self._log_group, self._policy)
        return cloudwatch.Metric(
            namespace="AWS/Events",
            # the metric of one rule; MatchedEvents is that of all rules
            metric_name="TriggeredRules",
            dimensions_map={"RuleName": rule.ref},
            statistic="Sum",
            period=cdk.Duration.minutes(15),
        )
