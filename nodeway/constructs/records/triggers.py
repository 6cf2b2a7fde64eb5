"""The triggers of the resync function: a schedule that guarantees a run, and events for a fast one."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from nodeway.constructs.nag import acknowledge

TOPOLOGY_CALLS = [
    "IncreaseReplicaCount",
    "DecreaseReplicaCount",
    "ModifyReplicationGroupShardConfiguration",
    "ModifyReplicationGroup",
    "TestFailover",
]
"""Calls that change a topology. They are events only if a CloudTrail trail records them."""


class Triggers(Construct):
    """The schedule, the event rules, and a topic for the notifications of a replication group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        ecs_cluster_arn: str,
        follows_nodes: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        target = targets.LambdaFunction(function)
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[target],
        )
        events.Rule(
            self,
            "TaskChanged",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={
                    "clusterArn": [ecs_cluster_arn],
                    "lastStatus": ["RUNNING", "DEACTIVATING", "STOPPED"],
                },
            ),
            targets=[target],
        )
        if follows_nodes:
            self._add_node_events(function, target)

    def _add_node_events(self, function: lambda_.Function, target: targets.LambdaFunction) -> None:
        """Adds the events about changes of nodes."""
        events.Rule(
            self,
            "TopologyCalled",
            event_pattern=events.EventPattern(
                source=["aws.elasticache"],
                detail_type=["AWS API Call via CloudTrail"],
                detail={"eventSource": ["elasticache.amazonaws.com"], "eventName": TOPOLOGY_CALLS},
            ),
            targets=[target],
        )
        self.topic = elasticache_topic(self)
        self.topic.add_subscription(subscriptions.LambdaSubscription(function))
        cdk.CfnOutput(
            cdk.Stack.of(self),
            "NotificationTopic",
            value=self.topic.topic_arn,
            description="for aws elasticache modify-replication-group --notification-topic-arn",
        )


def elasticache_topic(scope: Construct) -> sns.Topic:
    """Creates a topic that ElastiCache can publish to: unencrypted, with both policies of ElastiCache's documentation.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ECEvents.SNS.html requires aws:SourceOwner, and its example
    has aws:SourceAccount with the service's principal.
    """
    topic = sns.Topic(scope, "ElastiCacheEvents")
    account = cdk.Stack.of(scope).account
    for sid, principal, key in (
        ("ByOwner", iam.AnyPrincipal(), "AWS:SourceOwner"),
        ("ByService", iam.ServicePrincipal("elasticache.amazonaws.com"), "AWS:SourceAccount"),
    ):
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[principal],
                conditions={"StringEquals": {key: account}},
            )
        )
    acknowledge(
        topic, "SNS3", "ElastiCache publishes by itself; a deny of its transport could silence it"
    )
    return topic
