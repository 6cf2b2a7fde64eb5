"""The CloudWatch metrics of HAProxies, by metric filters on the lines that they log.

A task logs its counters once a minute and each start (haproxy_templates/start.sh), and each session that ended
abnormally (haproxy_templates/log.cfg.j2). Tasks need neither an agent nor a permission for it.
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
"""Each counter metric with its field of the line of counters."""
LINES: Mapping[HaproxyMetric, tuple[str, str]] = {
    **{name: ("haproxy", f"$.{field}") for name, field in COUNTERS.items()},
    HaproxyMetric.ABNORMAL_SESSIONS: ("session", "1"),
    HaproxyMetric.STARTS: ("started", "1"),
}
"""Each metric with the `message` of its lines and the selector of its value."""
CLUSTER: Mapping[str, str] = {Dimension.CLUSTER: "$.cluster"}
NODE: Mapping[str, str] = {**CLUSTER, Dimension.NODE: "$.node"}
CAUSE: Mapping[str, str] = {**NODE, Dimension.CAUSE: "$.cause"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A metric filter: lines with this `message` have a value of the metric, with these dimensions."""

    construct_id: str
    metric: str
    message: str
    value: str
    dimensions: Mapping[str, str]


def list_filters(*, by_node: bool) -> Iterator[Filter]:
    """Yields the filters of a cluster, and with `by_node` those of its nodes. A log group can have 100 filters.

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
        for spec in list_filters(by_node=by_node):
            logs.MetricFilter(
                self,
                spec.construct_id,
                log_group=log_group,
                filter_pattern=logs.FilterPattern.string_value("$.message", "=", spec.message),
                metric_namespace=NAMESPACE,
                metric_name=spec.metric,
                metric_value=spec.value,
                dimensions=dict(spec.dimensions),
            )
