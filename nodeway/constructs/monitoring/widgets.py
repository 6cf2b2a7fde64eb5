"""The dashboard's rows of widgets for one cluster: redirects, sessions, Envoys, latency, resync."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from aws_cdk import aws_cloudwatch as cloudwatch

from nodeway.constructs.monitoring.alarms import FIVE, ONE, metric, redirect_metrics
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway_runtime.model.metrics import (
    NAMESPACE,
    Dimension,
    EnvoyMetric,
    HaproxyMetric,
    ProbeMetric,
    ResyncMetric,
)

WIDTH = 24
"""Columns of a CloudWatch dashboard."""
PHASES = {
    ProbeMetric.RESOLVE_MILLISECONDS: "name",
    ProbeMetric.CONNECT_MILLISECONDS: "connection",
    ProbeMetric.TLS_MILLISECONDS: "TLS",
    ProbeMetric.ANSWER_MILLISECONDS: "answer",
}
"""The labels of the probe's metrics of a trace."""

M = TypeVar("M", bound=str)
Row = Sequence[cloudwatch.IWidget]
Lines = Sequence[cloudwatch.IMetric]


def redirect_row(label: str, *, node_metrics: bool) -> Row:
    """Returns the row of redirects, with the band of usual values."""
    moved, unusual, band = redirect_metrics(label)
    lines: Lines = [moved, metric(label, ProbeMetric.ASKED, "Sum", FIVE, "asked"), unusual, band]
    failovers = [metric(label, ProbeMetric.FAILOVERS, "Sum", FIVE, "failovers")]
    if not node_metrics:
        return [graph("Redirects", lines, failovers, width=WIDTH)]
    return [
        graph("Redirects", lines, failovers, width=12),
        graph("MOVED by node", [search_by_node(label, ProbeMetric.MOVED, "Sum")], width=12),
    ]


def session_rows(label: str, *, node_metrics: bool) -> Iterator[Row]:
    """Yields the rows of the HAProxies' traffic and of their failures. Most metrics exist only for each node."""
    begun = metric(label, HaproxyMetric.SESSIONS, "Sum", ONE, "begun")
    if node_metrics:
        flow = {HaproxyMetric.BYTES_IN: "from clients", HaproxyMetric.BYTES_OUT: "to clients"}
        yield [
            graph(
                "Sessions", [begun], [sum_over_nodes(label, HaproxyMetric.CURRENT_SESSIONS, "now")]
            ),
            graph(
                "Sessions by node", [search_by_node(label, HaproxyMetric.CURRENT_SESSIONS, "Sum")]
            ),
            graph("Bytes", [sum_over_nodes(label, name, text) for name, text in flow.items()]),
        ]
        abnormal = sum_by_cause(label)
    else:
        yield [graph("Sessions", [begun], width=WIDTH)]
        abnormal = metric(label, HaproxyMetric.ABNORMAL_SESSIONS, "Sum", ONE, "abnormal")
    failures = {
        HaproxyMetric.CONNECT_FAILURES: "connect failures",
        HaproxyMetric.REFUSED: "refused",
        HaproxyMetric.STARTS: "starts",
    }
    yield [
        graph("Abnormal sessions by cause" if node_metrics else "Abnormal sessions", [abnormal]),
        graph("Failures and starts", sum_lines(label, failures)),
        graph(
            "Nodes down, queue",
            [metric(label, HaproxyMetric.BACKEND_DOWN, "Maximum", ONE, "a node is down (1)")],
            [metric(label, HaproxyMetric.QUEUE, "Maximum", ONE, "longest queue")],
        ),
    ]


def envoy_row(label: str) -> Row:
    """Returns the row of the Envoys' traffic and failures."""
    failures = {
        EnvoyMetric.CONNECT_FAILURES: "connect failures",
        EnvoyMetric.CONNECTIONS_LOST: "connections lost",
        EnvoyMetric.TIMEOUTS: "timeouts",
        EnvoyMetric.TOPOLOGY_FAILURES: "topology not read",
    }
    redirects = {
        EnvoyMetric.REDIRECTS: "redirects",
        EnvoyMetric.REDIRECTS_FAILED: "redirects failed",
    }
    return [
        graph(
            "Requests, clients",
            [metric(label, EnvoyMetric.REQUESTS, "Sum", ONE, "requests")],
            [metric(label, EnvoyMetric.CLIENTS, "Sum", ONE, "clients")],
        ),
        graph("Redirects", sum_lines(label, redirects)),
        graph("Failures", sum_lines(label, failures)),
    ]


def sum_lines(label: str, names: Mapping[M, str]) -> Lines:
    """Returns a line for each of these counters, with its label."""
    return [metric(label, name, "Sum", ONE, text) for name, text in names.items()]


def latency_row(cluster: Monitored, *, node_metrics: bool) -> Row:
    """Returns the row of the latency of the probe's phases, or of the HAProxies' connections to nodes."""
    label = cluster.label
    graphs: dict[str, Lines] = {}
    if cluster.coordinator:
        for statistic, title in (("p50", "median"), ("p99", "99th percentile")):
            graphs[f"Latency by leg, {title}, ms"] = [
                metric(label, name, statistic, ONE, phase) for name, phase in PHASES.items()
            ]
    if node_metrics and cluster.coordinator:
        answer = search_by_node(label, ProbeMetric.ANSWER_MILLISECONDS, "Maximum")
        graphs["Answer by node, ms"] = [answer]
    elif node_metrics:
        connect = search_by_node(label, HaproxyMetric.CONNECT_MILLISECONDS, "Average")
        graphs["HAProxy to node by node, ms"] = [connect]
    return [graph(title, lines, width=WIDTH // len(graphs)) for title, lines in graphs.items()]


def resync_row(cluster: Monitored, stopped: cloudwatch.Metric) -> Row:
    """Returns the row of the resync and of the tasks."""
    label = cluster.label
    changes = {
        ResyncMetric.CREATES: "created",
        ResyncMetric.UPDATES: "updated",
        ResyncMetric.DELETES: "deleted",
    }
    proxies = {
        ResyncMetric.NODES: "names",
        ResyncMetric.NODES_WITHOUT_OWN_PROXY: "without a healthy proxy",
    }
    if cluster.mode.follows_nodes:
        proxies |= {ResyncMetric.STAND_INS: "stand-ins"}
    return [
        graph(
            "Records",
            sum_lines(label, changes),
            [metric(label, ResyncMetric.GUARD_TRIPPED, "Maximum", ONE, "refused")],
        ),
        graph(
            "Nodes and proxies",
            [metric(label, name, "Maximum", ONE, text) for name, text in proxies.items()],
        ),
        graph(
            "Resync since success (s); tasks stopped by themselves",
            [metric(label, ResyncMetric.SECONDS_SINCE_SUCCESS, "Maximum", ONE, "seconds")],
            [stopped.with_(label="stopped")],
        ),
    ]


def search_by_node(label: str, name: str, statistic: str) -> cloudwatch.IMetric:
    """Returns a line for each node by a SEARCH, which has at most 500 results: the maximum of a cluster's nodes."""
    schema = f"{{{NAMESPACE},{Dimension.CLUSTER},{Dimension.NODE}}}"
    query = f'{schema} MetricName="{name}" {Dimension.CLUSTER}="{label}"'
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{query}', '{statistic}', 60)",
        using_metrics={},
        label=f"${{PROP('Dim.{Dimension.NODE}')}}",
        period=ONE,
    )


def sum_over_nodes(label: str, name: str, text: str) -> cloudwatch.IMetric:
    """Returns the sum over all nodes of a metric that exists only for each node."""
    return insights_query(label, name, Dimension.CLUSTER, Dimension.NODE, text=text)


def sum_by_cause(label: str) -> cloudwatch.IMetric:
    """Returns a line for each cause of abnormal sessions, with the sum over all nodes."""
    dimensions = (Dimension.CAUSE, Dimension.CLUSTER, Dimension.NODE)
    end = f" GROUP BY {Dimension.CAUSE}"
    return insights_query(label, HaproxyMetric.ABNORMAL_SESSIONS, *dimensions, end=end)


def insights_query(
    label: str, name: str, *dimensions: str, end: str = "", text: str = ""
) -> cloudwatch.IMetric:
    """Returns a query of CloudWatch Metrics Insights with a period of a minute. The configuration validates labels."""
    schema = f'SCHEMA("{NAMESPACE}", {", ".join(dimensions)})'
    where = f"WHERE {Dimension.CLUSTER} = '{label}'"
    query = f"SELECT SUM({name}) FROM {schema} {where}{end}"  # noqa: S608 (a query of metrics)
    return cloudwatch.MathExpression(expression=query, using_metrics={}, label=text, period=ONE)


def graph(title: str, left: Lines, right: Lines = (), *, width: int = 8) -> cloudwatch.GraphWidget:
    """Returns a graph of which both axes begin at zero."""
    zero = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_y_axis=zero,
        right_y_axis=zero,
        width=width,
        height=6,
    )
