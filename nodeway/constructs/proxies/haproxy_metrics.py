"""What HAProxies say, as CloudWatch metrics: metric filters over their own lines.

A line of counters once a minute and one at each start (haproxy_templates/start.sh), and one for each session that ended
abnormally (haproxy_templates/log.cfg.j2). No agent runs beside HAProxy, and no task needs a permission for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway_runtime.model.metrics import (
    HAPROXY_CLUSTER_METRICS,
    HAPROXY_NODE_METRICS,
    NAMESPACE,
    Dimension,
    HaproxyMetric,
)

COUNTERS: Mapping[HaproxyMetric, str] = {
    HaproxyMetric.SESSIONS: "sessions",
    HaproxyMetric.CURRENT_SESSIONS: "current",
    HaproxyMetric.CONNECT_MILLISECONDS: "connect_milliseconds",
    HaproxyMetric.BYTES_IN: "bytes_in",
    HaproxyMetric.BYTES_OUT: "bytes_out",
    HaproxyMetric.ABORTED_BY_CLIENT: "aborted_by_client",
    HaproxyMetric.ABORTED_BY_SERVER: "aborted_by_server",
    HaproxyMetric.CONNECT_FAILURES: "connect_failures",
    HaproxyMetric.REFUSED: "refused",
    HaproxyMetric.RETRIES: "retries",
    HaproxyMetric.QUEUE: "queue",
    HaproxyMetric.BACKEND_DOWN: "backend_down",
}
"""Metric to the field of the line of counters that it is made of."""
LINES: Mapping[HaproxyMetric, tuple[str, str]] = {
    **{name: ("haproxy", f"$.{field}") for name, field in COUNTERS.items()},
    HaproxyMetric.ABNORMAL_SESSIONS: ("session", "1"),
    HaproxyMetric.STARTS: ("started", "1"),
}
"""Metric to the `message` of its lines, and its value in each of them."""
CLUSTER: Mapping[str, str] = {Dimension.CLUSTER: "$.cluster"}
NODE: Mapping[str, str] = {**CLUSTER, Dimension.NODE: "$.node"}
CAUSE: Mapping[str, str] = {**NODE, Dimension.CAUSE: "$.cause"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Lines with this `message` give the metric a value, under these dimensions."""

    construct_id: str
    metric: str
    message: str
    value: str
    dimensions: Mapping[str, str]


def filters_of(*, by_node: bool) -> Iterator[Filter]:
    """Those of a cluster, and with `by_node` those of its nodes; a log group takes 100 of them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    """
    for name in HAPROXY_CLUSTER_METRICS:
        yield Filter(name, name, *LINES[name], CLUSTER)
    if by_node:
        for name in HAPROXY_NODE_METRICS:
            yield Filter(f"{name}ByNode", name, *LINES[name], NODE)
        abnormal = HaproxyMetric.ABNORMAL_SESSIONS
        yield Filter(f"{abnormal}ByCause", abnormal, *LINES[abnormal], CAUSE)


class HaproxyMetrics(Construct):
    """The filters of a fleet's log group."""

    def __init__(
        self, scope: Construct, construct_id: str, *, log_group: logs.LogGroup, by_node: bool
    ) -> None:
        super().__init__(scope, construct_id)
        for one in filters_of(by_node=by_node):
            logs.MetricFilter(
                self,
                one.construct_id,
                log_group=log_group,
                filter_pattern=logs.FilterPattern.string_value("$.message", "=", one.message),
                metric_namespace=NAMESPACE,
                metric_name=one.metric,
                metric_value=one.value,
                dimensions=dict(one.dimensions),
            )
