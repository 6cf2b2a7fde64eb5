"""The alarms of one cluster: when a person must hear of what. What to do then is in docs/runbook.md.

Missing data is either no news (what speaks each minute has fallen silent, and of that another alarm tells), or good
(what speaks only when something happens), or the very thing to hear about.
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
NO_NEWS = cloudwatch.TreatMissingData.IGNORE
"""Of what speaks each minute: its silence must not read as if it were well again."""
GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
"""Of what speaks only when something happens."""
BAD = cloudwatch.TreatMissingData.BREACHING
"""Of what must speak."""
ENOUGH_SESSIONS = 100
"""Of five minutes: a rate of fewer says nothing."""
ENOUGH_REDIRECTS = 100
"""Of five minutes: fewer are nobody's trouble, however unusual where there are none."""
BAND = 3
"""Standard deviations that are still usual."""


class Alarms(Construct):
    """Those whose metrics the cluster's way has; `every` has all of them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Monitored,
        stopped: cloudwatch.IMetric,
        prefix: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._watched = watched
        self._prefix = prefix
        self._topic = topic
        self.every: list[cloudwatch.IAlarm] = []
        # with resync=off nobody runs it each minute, and that is meant
        if watched.schedule is not Mode.OFF:
            self._of_resync()
        queued = watched.failed_events.metric_approximate_number_of_messages_visible(period=ONE)
        # a queue that nobody uses tells nothing; it is emptied by hand, so that its end is no news
        self._alarm("failed-events", queued, missing=GOOD, tells_end=False)
        if watched.coordinator:
            self._of_probe()
        if watched.mode.runs_haproxy:
            self._of_haproxies()
        else:
            self._of_envoys()
        self._alarm("task-churn", stopped, least=3, missing=GOOD, tells_end=False)

    def _of_resync(self) -> None:
        # a run that ends well says 0, one that fails says how long ago that was
        since = self._metric(ResyncMetric.SECONDS_SINCE_SUCCESS, "Minimum")
        self._alarm("no-success", since, periods=5, missing=BAD)
        tripped = self._metric(ResyncMetric.GUARD_TRIPPED, "Maximum")
        self._alarm("guard-tripped", tripped, periods=3, missing=NO_NEWS)
        if not self._watched.mode.follows_nodes:
            without = self._metric(ResyncMetric.NODES_WITHOUT_OWN_PROXY, "Minimum")
            self._alarm("fleet-without-proxy", without, periods=5, missing=NO_NEWS)
            return
        # one minute with all of them is enough to begin again
        without = self._metric(ResyncMetric.NODES_WITHOUT_OWN_PROXY, "Minimum", FIVE)
        self._alarm("node-without-proxy", without, periods=6, missing=NO_NEWS)
        over = self._metric(ResyncMetric.NODES_OVER_STAND_IN_LIMIT, "Maximum")
        self._alarm("stand-in-limit", over, missing=NO_NEWS)

    def _of_probe(self) -> None:
        broken = self._metric(ProbeMetric.PATHS_BROKEN, "Maximum")
        self._alarm("path-broken", broken, periods=3, missing=NO_NEWS)
        self._alarm(
            "probe-silent",
            self._metric(ProbeMetric.PATHS_WALKED, "SampleCount"),
            periods=5,
            missing=BAD,
            operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )
        if self._watched.counts_redirects:
            self._redirects()

    def _of_haproxies(self) -> None:
        rate = cloudwatch.MathExpression(
            expression=f"IF(sessions >= {ENOUGH_SESSIONS}, 100 * FILL(abnormal, 0) / sessions, 0)",
            using_metrics={
                "sessions": self._metric(HaproxyMetric.SESSIONS, "Sum"),
                # told only when there is one
                "abnormal": self._metric(HaproxyMetric.ABNORMAL_SESSIONS, "Sum"),
            },
            period=FIVE,
            label="abnormal sessions, %",
        )
        self._alarm(
            "abnormal-sessions",
            rate,
            least=5,
            periods=3,
            missing=NO_NEWS,
            operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )
        if self._watched.mode.follows_nodes:
            # shared HAProxies look for no node before a client asks for it
            down = self._metric(HaproxyMetric.BACKEND_DOWN, "Maximum")
            self._alarm("backend-down", down, periods=5, missing=NO_NEWS)
        # a new task starts its HAProxy once, so that only what never ends is told from a deployment
        starts = self._metric(HaproxyMetric.STARTS, "Sum", FIVE)
        self._alarm("haproxy-restarts", starts, periods=12, missing=GOOD, tells_end=False)

    def _of_envoys(self) -> None:
        for name, metric, least in (
            ("envoy-connect-failures", EnvoyMetric.CONNECT_FAILURES, 10),
            ("envoy-topology-failures", EnvoyMetric.TOPOLOGY_FAILURES, 1),
        ):
            # a failover has some, too, but not for so long
            failed = self._metric(metric, "Sum", FIVE)
            self._alarm(name, failed, least=least, periods=3, missing=NO_NEWS)

    def _redirects(self) -> None:
        """More than the band that CloudWatch learns of two weeks; it makes the model itself when it first looks."""
        label = self._watched.label
        moved, unusual, band = redirects(label)
        alarm = cloudwatch.CfnAlarm(
            self,
            "redirects-unusual",
            alarm_name=f"{self._prefix}-redirects-unusual",
            alarm_description=render_description(label, "redirects-unusual"),
            comparison_operator="GreaterThanUpperThreshold",
            evaluation_periods=3,
            # as NO_NEWS: the probe speaks each minute
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
                # both, as the one is held against the other
                *(
                    cloudwatch.CfnAlarm.MetricDataQueryProperty(
                        id=name, expression=one.expression, return_data=True
                    )
                    for name, one in (("unusual", unusual), ("band", band))
                ),
            ],
            alarm_actions=[self._topic.topic_arn],
        )
        self.every.append(cloudwatch.Alarm.from_alarm_arn(self, "Redirects", alarm.attr_arn))

    def _metric(
        self, name: str, statistic: str, period: cdk.Duration | None = None
    ) -> cloudwatch.Metric:
        return metric(self._watched.label, name, statistic, period)

    def _alarm(
        self,
        name: str,
        of: cloudwatch.IMetric,
        *,
        missing: cloudwatch.TreatMissingData,
        least: int = 1,
        periods: int = 1,
        operator: cloudwatch.ComparisonOperator | None = None,
        tells_end: bool = True,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=render_description(self._watched.label, name),
            metric=of,
            threshold=least,
            evaluation_periods=periods,
            comparison_operator=operator
            or cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        if tells_end:
            alarm.add_ok_action(actions.SnsAction(self._topic))
        self.every.append(alarm)


def metric(
    cluster: str, name: str, statistic: str, period: cdk.Duration | None = None, label: str = ""
) -> cloudwatch.Metric:
    """A metric of one cluster, of each minute unless said otherwise."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={Dimension.CLUSTER: cluster},
        statistic=statistic,
        period=period or ONE,
        label=label or None,
    )


def redirects(
    cluster: str,
) -> tuple[cloudwatch.Metric, cloudwatch.MathExpression, cloudwatch.MathExpression]:
    """The nodes' MOVED answers, those of them that are many, and the band in which that is usual.

    Alarm and dashboard take the very same expressions, as CloudWatch keeps a model for each.
    """
    moved = metric(cluster, ProbeMetric.MOVED, "Sum", FIVE, "moved")
    many = cloudwatch.MathExpression(
        expression=f"IF(moved > {ENOUGH_REDIRECTS}, moved, 0)",
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
