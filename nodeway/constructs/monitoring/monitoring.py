"""The monitoring of an environment: the topic for notifications, the alarms of every cluster, and the dashboard.

It is deployed last and deleted first, as it refers to the other stacks.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from nodeway.constructs.monitoring.alarms import Alarms
from nodeway.constructs.monitoring.dashboard import Dashboard
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway.constructs.monitoring.stopped_tasks import StoppedTasks


class Monitoring(Construct):
    """The monitoring of all clusters. `name`: the dashboard's name, and a prefix of the alarms' names.

    `topic_arn`: an existing topic for the alarms; None: a new topic, to which `email` is subscribed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        clusters: Sequence[Monitored],
        topic_arn: str | None,
        email: str | None,
        node_metrics: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        topic = alarm_topic(self, f"{name}-*", topic_arn, email)
        stopped_tasks = StoppedTasks(self, "Stopped")
        monitored = [
            (cluster, stopped_tasks.of(cluster.label, cluster.ecs_cluster_arn))
            for cluster in clusters
        ]
        alarms = [
            alarm
            for cluster, stopped in monitored
            for alarm in Alarms(
                self,
                f"Alarms-{cluster.label}",
                monitored=cluster,
                stopped=stopped,
                prefix=f"{name}-{cluster.label}",
                topic=topic,
            ).alarms
        ]
        Dashboard(
            self,
            "Dashboard",
            name=name,
            clusters=monitored,
            alarms=alarms,
            node_metrics=node_metrics,
        )
        cdk.CfnOutput(self, "AlarmTopic", value=topic.topic_arn)
        cdk.CfnOutput(self, "DashboardName", value=name)


def alarm_topic(
    scope: Construct, alarms: str, topic_arn: str | None, email: str | None
) -> sns.ITopic:
    """Returns the topic of this ARN, else a new one that only alarms with names like `alarms` may publish to.

    A new topic is not encrypted: CloudWatch cannot publish with AWS's managed key, and names and numbers do not justify
    a customer managed key.
    """
    if topic_arn:
        return sns.Topic.from_topic_arn(scope, "Topic", topic_arn)
    topic = sns.Topic(scope, "Topic", enforce_ssl=True)
    stack = cdk.Stack.of(scope)
    # a policy replaces SNS' default one, which permits all alarms of the account
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
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic
