"""The dashboard of one environment: whether every node is reachable, then the traffic and latency of each cluster.

Graphs by node are queries (SEARCH, Metrics Insights), so the dashboard does not depend on the nodes. A cluster has the
graphs of the metrics of its mode.
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
    """The dashboard. `clusters`: each with the metric of its stopped tasks. `node_metrics`: whether nodes have some."""

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
        monitored = [cluster for cluster, _ in clusters]
        first, *more = alarm_widgets(alarms)
        rows: list[Row] = [[reachability_widget(monitored), first], more, *map_rows(monitored)]
        for cluster, stopped in clusters:
            rows += cluster_rows(cluster, stopped, node_metrics=node_metrics)
        cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=name,
            default_interval=cdk.Duration.hours(3),
            widgets=[list(row) for row in rows if row],
        )


def reachability_widget(clusters: Sequence[Monitored]) -> cloudwatch.IWidget:
    """Returns the widget for the reachability of all nodes: by the probe's metrics, else by the resync's."""
    lines: list[cloudwatch.IMetric] = []
    for cluster in clusters:
        label = cluster.label
        names = (
            ((ProbeMetric.PATHS_BROKEN, "paths broken"), (ProbeMetric.PATHS_WALKED, "paths walked"))
            if cluster.coordinator
            else (
                (ResyncMetric.NODES_WITHOUT_OWN_PROXY, "without a healthy proxy"),
                (ResyncMetric.NODES, "names"),
            )
        )
        lines += [metric(label, name, "Maximum", ONE, f"{label}: {text}") for name, text in names]
    return cloudwatch.SingleValueWidget(
        title="Is every node reached?", metrics=lines, sparkline=True, width=WIDTH // 2, height=5
    )


def alarm_widgets(alarms: Sequence[cloudwatch.IAlarm]) -> list[cloudwatch.IWidget]:
    """Returns widgets with every alarm, by the time of their last state change."""
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
    """Yields a row for each cluster with a probe, with the map of its last trace."""
    for cluster in clusters:
        if cluster.coordinator:
            yield [
                cloudwatch.CustomWidget(
                    title=f"{cluster.label}: client → name → proxy → node",
                    function_arn=cluster.coordinator.function_arn,
                    update_on_refresh=True,
                    # each update invokes the function
                    update_on_resize=False,
                    update_on_time_range_change=False,
                    width=WIDTH,
                    height=9,
                )
            ]


def cluster_rows(
    cluster: Monitored, stopped: cloudwatch.Metric, *, node_metrics: bool
) -> Iterator[Row]:
    """Yields the rows of one cluster."""
    label = cluster.label
    # a sandbox's zone name is a token, and the dashboard does without it
    zone = "" if cdk.Token.is_unresolved(cluster.zone_name) else f", {cluster.zone_name}"
    text = f"## {label}: {cluster.mode.title}{zone}"
    yield [cloudwatch.TextWidget(markdown=text, width=WIDTH, height=1)]
    if cluster.counts_redirects:
        yield redirect_row(label, node_metrics=node_metrics)
    if cluster.mode.runs_haproxy:
        yield from session_rows(label, node_metrics=node_metrics)
    else:
        yield envoy_row(label)
    if cluster.coordinator or (cluster.mode.runs_haproxy and node_metrics):
        yield latency_row(cluster, node_metrics=node_metrics)
    yield resync_row(cluster, stopped)
