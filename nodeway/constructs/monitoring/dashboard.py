"""The dashboard of one environment: first whether every node is reached, then what flows to each cluster, how fast.

Whatever is drawn node by node is found when somebody looks (SEARCH, Metrics Insights): the dashboard does not change
when nodes come and go, and is as large for 500 of them as for six. What the metrics of a way do not tell is not drawn.
"""

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from nodeway.constructs.monitoring.alarms import ONE, metric
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway.constructs.monitoring.widgets import (
    WIDTH,
    Row,
    envoy_row,
    latency_row,
    redirect_row,
    resync_row,
    session_rows,
)
from nodeway_runtime.model.metrics import ProbeMetric, ResyncMetric

ALARMS_PER_WIDGET = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""


class Dashboard(Construct):
    """`node_metrics`: whether there are metrics for each node, too."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        clusters: Sequence[tuple[Monitored, cloudwatch.Metric]],
        alarms: Sequence[cloudwatch.IAlarm],
        node_metrics: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        watched = [one for one, _ in clusters]
        first, *more = alarm_widgets(alarms)
        rows: list[Row] = [[reached_widget(watched), first], more, *map_rows(watched)]
        for one, stopped in clusters:
            rows += cluster_rows(one, stopped, node_metrics=node_metrics)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=name,
            default_interval=cdk.Duration.hours(3),
            widgets=[list(row) for row in rows if row],
        )


def reached_widget(clusters: Sequence[Monitored]) -> cloudwatch.IWidget:
    """Whether every node of every cluster is reached: by the probe, else as the resync knows of proxies."""
    lines: list[cloudwatch.IMetric] = []
    for one in clusters:
        label = one.label
        told = (
            ((ProbeMetric.PATHS_BROKEN, "paths broken"), (ProbeMetric.PATHS_WALKED, "paths walked"))
            if one.coordinator
            else (
                (ResyncMetric.NODES_WITHOUT_OWN_PROXY, "without a healthy proxy"),
                (ResyncMetric.NODES, "names"),
            )
        )
        lines += [metric(label, name, "Maximum", ONE, f"{label}: {text}") for name, text in told]
    return cloudwatch.SingleValueWidget(
        title="Is every node reached?", metrics=lines, sparkline=True, width=WIDTH // 2, height=5
    )


def alarm_widgets(alarms: Sequence[cloudwatch.IAlarm]) -> list[cloudwatch.IWidget]:
    """Every alarm: those that rang last first."""
    return [
        cloudwatch.AlarmStatusWidget(
            title="Alarms",
            alarms=list(alarms[first : first + ALARMS_PER_WIDGET]),
            sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
            width=WIDTH // 2,
            height=5,
        )
        for first in range(0, len(alarms), ALARMS_PER_WIDGET)
    ]


def map_rows(clusters: Sequence[Monitored]) -> Iterator[Row]:
    """Each probed cluster's map of the last walk: name, proxy, node."""
    for one in clusters:
        if one.coordinator:
            yield [
                cloudwatch.CustomWidget(
                    title=f"{one.label}: client → name → proxy → node",
                    function_arn=one.coordinator.function_arn,
                    update_on_refresh=True,
                    # each asks the function: a window that is dragged need not
                    update_on_resize=False,
                    update_on_time_range_change=False,
                    width=WIDTH,
                    height=9,
                )
            ]


def cluster_rows(
    one: Monitored, stopped: cloudwatch.Metric, *, node_metrics: bool
) -> Iterator[Row]:
    """The rows of one cluster."""
    label = one.label
    zone = one.zone_name
    # in a sandbox only the deploy knows it, and the title need not wait for that
    where = "" if cdk.Token.is_unresolved(zone) else f", {zone}"
    text = f"## {label}: {one.mode.title}{where}"
    yield [cloudwatch.TextWidget(markdown=text, width=WIDTH, height=1)]
    if one.counts_redirects:
        yield redirect_row(label, node_metrics=node_metrics)
    if one.mode.runs_haproxy:
        yield from session_rows(label, node_metrics=node_metrics)
    else:
        yield envoy_row(label)
    if one.coordinator or (one.mode.runs_haproxy and node_metrics):
        yield latency_row(one, node_metrics=node_metrics)
    yield resync_row(one, stopped)
