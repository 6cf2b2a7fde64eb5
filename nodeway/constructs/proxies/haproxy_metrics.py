"""What HAProxies say, as CloudWatch metrics: metric filters over their own lines.

A line of counters once a minute and one at each start (haproxy_templates/start.sh), and one for each session that ended
abnormally (haproxy_templates/log.cfg.j2). No agent runs beside HAProxy, and no task needs a permission for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway.constructs.monitoring.alarms import NAMESPACE

COUNTERS: Mapping[str, str] = {
    "HaproxySessions": "sessions",
    "HaproxyCurrentSessions": "current",
    "HaproxyConnectMilliseconds": "connect_milliseconds",
    "HaproxyBytesIn": "bytes_in",
    "HaproxyBytesOut": "bytes_out",
    "HaproxyAbortedByClient": "aborted_by_client",
    "HaproxyAbortedByServer": "aborted_by_server",
    "HaproxyConnectFailures": "connect_failures",
    "HaproxyRefused": "refused",
    "HaproxyRetries": "retries",
    "HaproxyQueue": "queue",
    "HaproxyBackendDown": "backend_down",
}
"""A metric's name, and the field of the line of counters that it is made of."""
ABNORMAL, STARTS = "HaproxyAbnormalSessions", "HaproxyStarts"
"""One for each line of a session, or of a start."""
FOR_ALARMS = (
    "HaproxySessions",
    "HaproxyBackendDown",
    "HaproxyRefused",
    "HaproxyQueue",
    "HaproxyConnectFailures",
)
"""Of the counters, those that are there for a whole cluster, too."""
CLUSTER: Mapping[str, str] = {"Cluster": "$.cluster"}
NODE: Mapping[str, str] = {**CLUSTER, "Node": "$.node"}
CAUSE: Mapping[str, str] = {**NODE, "Cause": "$.cause"}


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
    for name in FOR_ALARMS:
        yield Filter(name, name, "haproxy", f"$.{COUNTERS[name]}", CLUSTER)
    yield Filter(ABNORMAL, ABNORMAL, "session", "1", CLUSTER)
    yield Filter(STARTS, STARTS, "started", "1", CLUSTER)
    if not by_node:
        return
    for name, field in COUNTERS.items():
        yield Filter(f"{name}ByNode", name, "haproxy", f"$.{field}", NODE)
    yield Filter(f"{ABNORMAL}ByCause", ABNORMAL, "session", "1", CAUSE)
    yield Filter(f"{STARTS}ByNode", STARTS, "started", "1", NODE)


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
