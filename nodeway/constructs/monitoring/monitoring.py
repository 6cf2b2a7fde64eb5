"""What watches an environment: the topic that people subscribe to, the alarms of every cluster, and the dashboard.

Deployed last and removed first: it only looks at what the other stacks made.
"""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from nodeway.config.model import EnvironmentConfig
from nodeway.constructs.monitoring.alarms import Alarms
from nodeway.constructs.monitoring.dashboard import Dashboard
from nodeway.constructs.monitoring.monitored import Watched
from nodeway.constructs.monitoring.stopped_tasks import StoppedTasks


class MonitoringStack(cdk.Stack):
    """One for the environment, whatever clusters it has."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        clusters: Sequence[Watched],
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        name = f"nodeway-{environment.name}"
        topic = alarm_topic(self, environment, f"{name}-*")
        stopped_tasks = StoppedTasks(self, "Stopped")
        stopped = [
            stopped_tasks.of(one.cluster.label, one.fleet.cluster.cluster_arn) for one in clusters
        ]
        alarms = [
            Alarms(
                self,
                f"Alarms-{one.cluster.label}",
                watched=one,
                stopped=tasks,
                prefix=f"{name}-{one.cluster.label}",
                topic=topic,
            )
            for one, tasks in zip(clusters, stopped, strict=True)
        ]
        Dashboard(
            self,
            "Dashboard",
            name=name,
            clusters=list(zip(clusters, stopped, strict=True)),
            alarms=[alarm for one in alarms for alarm in one.every],
            node_metrics=environment.node_metrics,
        )
        for one in clusters:
            # also where no value of theirs is needed here
            for before in (one.fleet, one.resync, one.probe):
                if isinstance(before, cdk.Stack):
                    self.add_stack_dependency(before)
        cdk.CfnOutput(self, "AlarmTopic", value=topic.topic_arn)
        cdk.CfnOutput(self, "DashboardName", value=name)


def alarm_topic(scope: Construct, environment: EnvironmentConfig, alarms: str) -> sns.ITopic:
    """The topic of the configuration, else one that only the alarms of this name may publish to.

    It is not encrypted: CloudWatch cannot publish to a topic with AWS's own key, and a customer's would cost, and let
    the service in, for names and numbers.
    """
    if environment.alarm_topic_arn:
        return sns.Topic.from_topic_arn(scope, "Topic", environment.alarm_topic_arn)
    topic = sns.Topic(scope, "Topic", enforce_ssl=True)
    stack = cdk.Stack.of(scope)
    # a policy of its own takes the place of SNS' default one, which would let the account's alarms in
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ByAlarms",
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {
                    "aws:SourceArn": stack.format_arn(
                        service="cloudwatch",
                        resource="alarm",
                        resource_name=alarms,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                },
            },
        )
    )
    if environment.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(environment.alarm_email))
    return topic
