"""Envoy's counters as CloudWatch metrics, by metric filters on the line that each task logs once a minute.

nodeway/envoy/start.sh writes the line. Tasks need neither an agent nor a permission for it.
"""

from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway_runtime.model.metrics import NAMESPACE, Dimension, EnvoyMetric

METRICS = {
    EnvoyMetric.REDIRECTS: "redirects",
    EnvoyMetric.REDIRECTS_FAILED: "redirects_failed",
    EnvoyMetric.CONNECT_FAILURES: "connect_failures",
    EnvoyMetric.CONNECTIONS_LOST: "connections_lost",
    EnvoyMetric.TIMEOUTS: "timeouts",
    EnvoyMetric.TOPOLOGY_FAILURES: "topology_failures",
    EnvoyMetric.UNSUPPORTED_COMMANDS: "unsupported_commands",
    EnvoyMetric.WRONG_PROTOCOL: "wrong_protocol",
    EnvoyMetric.REQUESTS: "requests",
    EnvoyMetric.CLIENTS: "clients",
}
"""Each metric with its field of the line."""


class EnvoyMetrics(Construct):
    """A filter for each metric, with the dimension `Cluster`."""

    def __init__(self, scope: Construct, construct_id: str, *, log_group: logs.LogGroup) -> None:
        super().__init__(scope, construct_id)
        for name, field in METRICS.items():
            logs.MetricFilter(
                self,
                name,
                log_group=log_group,
                filter_pattern=logs.FilterPattern.string_value("$.message", "=", "envoy"),
                metric_namespace=NAMESPACE,
                metric_name=name,
                metric_value=f"$.{field}",
                dimensions={Dimension.CLUSTER: "$.cluster"},
            )
