"""The alarms of one cluster. docs/runbook.md has the response to each.

A metric of each minute keeps its state without data, as another alarm reports that the data is missing. A metric of
events only is good without data. A metric that proves life is bad without data.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from nodeway.constructs.monitoring.alarm_texts import render_description
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway_runtime.model.metrics import (
    NAMESPACE,
    Dimension,
    EnvoyMetric,
    HaproxyMetric,
    ProbeMetric,
    ResyncMetric,
)
from nodeway_runtime.model.settings import Mode

ONE, FIVE = (cdk.Duration.minutes(minutes) for minutes in (1, 5))
KEEP_STATE = cloudwatch.TreatMissingData.IGNORE
"""For metrics of each minute."""
GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
"""For metrics of events."""
BAD = cloudwatch.TreatMissingData.BREACHING
"""For metrics that prove life."""
MIN_SESSIONS = 100
"""In five minutes. The rate of fewer sessions is not significant."""
MIN_REDIRECTS = 100
"""In five minutes. Fewer redirects do not matter, even if they are unusual."""
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BAND = 3
"""Standard deviations of the band of usual values."""


class Alarms(Construct):
    """The alarms of the metrics that the cluster's mode has. `alarms` has all of them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitored: Monitored,
        stopped: cloudwatch.IMetric,
        prefix: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._monitored = monitored
        self._prefix = prefix
        self._topic = topic
        self.alarms: list[cloudwatch.IAlarm] = []
        # with resync=off there are no scheduled runs
        if monitored.schedule is not Mode.OFF:
            self._add_resync()
        queued = monitored.failed_events.metric_approximate_number_of_messages_visible(period=ONE)
        # an unused queue has no data; the user who empties the queue needs no notification
        self._add("failed-events", queued, missing=GOOD, notify_ok=False)
        if monitored.coordinator:
            self._add_probe()
        if monitored.mode.runs_haproxy:
            self._add_haproxies()
        else:
            self._add_envoys()
        self._add("task-churn", stopped, threshold=3, missing=GOOD, notify_ok=False)

    def _add_resync(self) -> None:
        # a successful run reports 0, a failed one the seconds since the last success
        since = self._metric(ResyncMetric.SECONDS_SINCE_SUCCESS, "Minimum")
        self._add("no-success", since, periods=5, missing=BAD)
        tripped = self._metric(ResyncMetric.GUARD_TRIPPED, "Maximum")
        self._add("guard-tripped", tripped, periods=3, missing=KEEP_STATE)
        if not self._monitored.mode.follows_nodes:
            without = self._metric(ResyncMetric.NODES_WITHOUT_OWN_PROXY, "Minimum")
            self._add("fleet-without-proxy", without, periods=5, missing=KEEP_STATE)
            return
        # one minute with a proxy for each node resets it
        without = self._metric(ResyncMetric.NODES_WITHOUT_OWN_PROXY, "Minimum", FIVE)
        self._add("node-without-proxy", without, periods=6, missing=KEEP_STATE)
        over = self._metric(ResyncMetric.NODES_OVER_STAND_IN_LIMIT, "Maximum")
        self._add("stand-in-limit", over, missing=KEEP_STATE)

    def _add_probe(self) -> None:
        broken = self._metric(ProbeMetric.PATHS_BROKEN, "Maximum")
        self._add("path-broken", broken, periods=3, missing=KEEP_STATE)
        self._add(
            "probe-silent",
            self._metric(ProbeMetric.PATHS_WALKED, "SampleCount"),
            periods=5,
            missing=BAD,
            operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )
        if self._monitored.counts_redirects:
            self._add_redirects()

    def _add_haproxies(self) -> None:
        rate = cloudwatch.MathExpression(
            expression=f"IF(sessions >= {MIN_SESSIONS}, 100 * FILL(abnormal, 0) / sessions, 0)",
            using_metrics={
                "sessions": self._metric(HaproxyMetric.SESSIONS, "Sum"),
                # without data if there is none
                "abnormal": self._metric(HaproxyMetric.ABNORMAL_SESSIONS, "Sum"),
            },
            period=FIVE,
            label="abnormal sessions, %",
        )
        self._add(
            "abnormal-sessions",
            rate,
            threshold=5,
            periods=3,
            missing=KEEP_STATE,
            operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )
        if self._monitored.mode.follows_nodes:
            # shared HAProxies have no health checks of nodes
            down = self._metric(HaproxyMetric.BACKEND_DOWN, "Maximum")
            self._add("backend-down", down, periods=5, missing=KEEP_STATE)
        # a deployment starts each HAProxy once, so only starts over an hour are unusual
        starts = self._metric(HaproxyMetric.STARTS, "Sum", FIVE)
        self._add("haproxy-restarts", starts, periods=12, missing=GOOD, notify_ok=False)

    def _add_envoys(self) -> None:
        for name, metric, threshold in (
            ("envoy-connect-failures", EnvoyMetric.CONNECT_FAILURES, 10),
            ("envoy-topology-failures", EnvoyMetric.TOPOLOGY_FAILURES, 1),
        ):
            # a failover has failures too, but for a shorter time
            failures = self._metric(metric, "Sum", FIVE)
            self._add(name, failures, threshold=threshold, periods=3, missing=KEEP_STATE)

    def _add_redirects(self) -> None:
        """Adds the alarm for redirects above the band. CloudWatch trains its model with two weeks of data."""
        label = self._monitored.label
        moved, unusual, band = redirect_metrics(label)
        alarm = cloudwatch.CfnAlarm(
            self,
            "redirects-unusual",
            alarm_name=f"{self._prefix}-redirects-unusual",
            alarm_description=render_description(label, "redirects-unusual"),
            comparison_operator="GreaterThanUpperThreshold",
            evaluation_periods=3,
            # as KEEP_STATE
            treat_missing_data="ignore",
            threshold_metric_id="band",
            metrics=[
                cloudwatch.CfnAlarm.MetricDataQueryProperty(
                    id="moved",
                    return_data=False,
                    metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                        metric=cloudwatch.CfnAlarm.MetricProperty(
                            namespace=NAMESPACE,
                            metric_name=moved.metric_name,
                            dimensions=[
                                cloudwatch.CfnAlarm.DimensionProperty(
                                    name=Dimension.CLUSTER, value=label
                                )
                            ],
                        ),
                        period=int(FIVE.to_seconds()),
                        stat="Sum",
                    ),
                ),
                # both return data, as the alarm compares them
                *(
                    cloudwatch.CfnAlarm.MetricDataQueryProperty(
                        id=name, expression=query.expression, return_data=True
                    )
                    for name, query in (("unusual", unusual), ("band", band))
                ),
            ],
            alarm_actions=[self._topic.topic_arn],
        )
        self.alarms.append(cloudwatch.Alarm.from_alarm_arn(self, "Redirects", alarm.attr_arn))

    def _metric(
        self, name: str, statistic: str, period: cdk.Duration | None = None
    ) -> cloudwatch.Metric:
        return metric(self._monitored.label, name, statistic, period)

    def _add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        missing: cloudwatch.TreatMissingData,
        threshold: int = 1,
        periods: int = 1,
        operator: cloudwatch.ComparisonOperator = AT_LEAST,
        notify_ok: bool = True,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=render_description(self._monitored.label, name),
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=operator,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        if notify_ok:
            alarm.add_ok_action(actions.SnsAction(self._topic))
        self.alarms.append(alarm)


def metric(
    cluster: str, name: str, statistic: str, period: cdk.Duration | None = None, label: str = ""
) -> cloudwatch.Metric:
    """Returns a metric of one cluster, with a period of one minute by default."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={Dimension.CLUSTER: cluster},
        statistic=statistic,
        period=period or ONE,
        label=label or None,
    )


def redirect_metrics(
    cluster: str,
) -> tuple[cloudwatch.Metric, cloudwatch.MathExpression, cloudwatch.MathExpression]:
    """Returns the number of MOVED answers, the number if it is significant, and the band of usual values.

    The alarm and the dashboard have the same expressions, as CloudWatch has a model for each expression.
    """
    moved = metric(cluster, ProbeMetric.MOVED, "Sum", FIVE, "moved")
    many = cloudwatch.MathExpression(
        expression=f"IF(moved > {MIN_REDIRECTS}, moved, 0)",
        using_metrics={"moved": moved},
        period=FIVE,
        label="many",
    )
    band = cloudwatch.MathExpression(
        expression=f"ANOMALY_DETECTION_BAND(unusual, {BAND})",
        using_metrics={"unusual": many},
        period=FIVE,
        label="usual",
    )
    return moved, many, band
