"""Envoy's counters as CloudWatch metrics: metric filters over the line that each task logs once a minute.

The line is written by nodeway/envoy/start.sh. No agent runs beside Envoy, and no task needs a permission for it.
"""

from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway.constructs.monitoring.alarms import NAMESPACE

METRICS = {
    "EnvoyRedirects": "redirects",
    "EnvoyRedirectsFailed": "redirects_failed",
    "EnvoyConnectFailures": "connect_failures",
    "EnvoyConnectionsLost": "connections_lost",
    "EnvoyTimeouts": "timeouts",
    "EnvoyTopologyFailures": "topology_failures",
    "EnvoyUnsupportedCommands": "unsupported_commands",
    "EnvoyWrongProtocol": "wrong_protocol",
    "EnvoyRequests": "requests",
    "EnvoyClients": "clients",
}
"""A metric's name, and the field of the line that it is made of."""


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
                dimensions={"Cluster": "$.cluster"},
            )
