"""What watches an environment: the topic that people subscribe to, the alarms of every cluster, and the dashboard.

Deployed last and removed first: it only looks at what the other stacks made.
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
    """One for the environment, whatever clusters it has; `name` is the dashboard's, and begins every alarm's.

    `topic_arn`: where alarms go; None: a topic is made, and `email` subscribed to it.
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
        stopped = [stopped_tasks.of(one.label, one.ecs_cluster_arn) for one in clusters]
        alarms = [
            Alarms(
                self,
                f"Alarms-{one.label}",
                watched=one,
                stopped=tasks,
                prefix=f"{name}-{one.label}",
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
            node_metrics=node_metrics,
        )
        cdk.CfnOutput(self, "AlarmTopic", value=topic.topic_arn)
        cdk.CfnOutput(self, "DashboardName", value=name)


def alarm_topic(
    scope: Construct, alarms: str, topic_arn: str | None, email: str | None
) -> sns.ITopic:
    """The topic of this ARN, else one that only the alarms of this name may publish to.

    It is not encrypted: CloudWatch cannot publish to a topic with AWS's own key, and a customer's would cost, and let
    the service in, for names and numbers.
    """
    if topic_arn:
        return sns.Topic.from_topic_arn(scope, "Topic", topic_arn)
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
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic
