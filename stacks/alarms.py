"""The alarms of the resync: what a person must hear about although nothing is broken for a client yet."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

NAMESPACE = "Nodeway"
"""As in resync.journal, which writes the metrics."""


class Alarms(Construct):
    """No successful run, a guard that refused, stand-ins at their limit, and events that failed for good."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: str,
        failures: sqs.Queue,
        topic_arn: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        minute = cdk.Duration.minutes(1)
        missing = cloudwatch.TreatMissingData
        self._topic = sns.Topic.from_topic_arn(self, "Topic", topic_arn) if topic_arn else None
        self._alarm(
            "NoSuccess",
            # a run that ends well says 0, one that fails says how long ago that was
            self._metric(cluster, "SecondsSinceSuccess", "Minimum"),
            threshold=1,
            periods=5,
            # no data at all is the very thing to hear about
            missing=missing.BREACHING,
            text="no run of the resync ended in five minutes: the records no longer follow",
        )
        self._alarm(
            "GuardTripped",
            self._metric(cluster, "GuardTripped", "Maximum"),
            threshold=1,
            periods=3,
            missing=missing.NOT_BREACHING,
            text="the resync refuses a change: read the reason and its approval in the log (message: refused)",
        )
        self._alarm(
            "StandInLimit",
            self._metric(cluster, "NodesOverStandInLimit", "Maximum"),
            threshold=1,
            periods=1,
            missing=missing.NOT_BREACHING,
            text="more nodes than stand-ins allowed: deploy with -c refresh=true, or raise max_stand_ins",
        )
        self._alarm(
            "Failures",
            failures.metric_approximate_number_of_messages_visible(period=minute),
            threshold=1,
            periods=1,
            missing=missing.NOT_BREACHING,
            text="an event failed all its tries; the schedule goes on, the queue holds the event",
        )

    def _metric(self, cluster: str, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"Cluster": cluster},
            statistic=statistic,
            period=cdk.Duration.minutes(1),
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: int,
        periods: int,
        missing: cloudwatch.TreatMissingData,
        text: str,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
            alarm_description=text,
        )
        if self._topic is not None:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
