"""What the dashboard draws of one cluster: redirects, sessions, Envoys, latency, the resync. A row of widgets each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from nodeway.constructs.monitoring.alarms import FIVE, ONE, metric, redirects
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
"""Columns that CloudWatch has."""
PHASES = {
    ProbeMetric.RESOLVE_MILLISECONDS: "name",
    ProbeMetric.CONNECT_MILLISECONDS: "connection",
    ProbeMetric.TLS_MILLISECONDS: "TLS",
    ProbeMetric.ANSWER_MILLISECONDS: "answer",
}
"""The probe's metrics of a walk, and what people call them."""

M = TypeVar("M", bound=str)
Row = Sequence[cloudwatch.IWidget]
Lines = Sequence[cloudwatch.IMetric]


def redirect_row(label: str, *, node_metrics: bool) -> Row:
    """MOVED and ASK, and whether there are more than usual."""
    moved, unusual, band = redirects(label)
    lines: Lines = [moved, metric(label, ProbeMetric.ASKED, "Sum", FIVE, "asked"), unusual, band]
    failovers = [metric(label, ProbeMetric.FAILOVERS, "Sum", FIVE, "failovers")]
    if not node_metrics:
        return [graph("Redirects", lines, failovers, width=WIDTH)]
    return [
        graph("Redirects", lines, failovers, width=12),
        graph("MOVED by node", [each_node(label, ProbeMetric.MOVED, "Sum")], width=12),
    ]


def session_rows(label: str, *, node_metrics: bool) -> Iterator[Row]:
    """What flows through HAProxies, and what goes wrong there; all but a few figures are there for each node only."""
    begun = metric(label, HaproxyMetric.SESSIONS, "Sum", ONE, "begun")
    if node_metrics:
        flow = {HaproxyMetric.BYTES_IN: "from clients", HaproxyMetric.BYTES_OUT: "to clients"}
        yield [
            graph(
                "Sessions", [begun], [of_all_nodes(label, HaproxyMetric.CURRENT_SESSIONS, "now")]
            ),
            graph("Sessions by node", [each_node(label, HaproxyMetric.CURRENT_SESSIONS, "Sum")]),
            graph("Bytes", [of_all_nodes(label, name, text) for name, text in flow.items()]),
        ]
        abnormal = by_cause(label)
    else:
        yield [graph("Sessions", [begun], width=WIDTH)]
        abnormal = metric(label, HaproxyMetric.ABNORMAL_SESSIONS, "Sum", ONE, "abnormal")
    wrong = {
        HaproxyMetric.CONNECT_FAILURES: "connect failures",
        HaproxyMetric.REFUSED: "refused",
        HaproxyMetric.STARTS: "starts",
    }
    yield [
        graph("Abnormal sessions by cause" if node_metrics else "Abnormal sessions", [abnormal]),
        graph("Failures and starts", [metric(label, *one) for one in sum_lines(wrong)]),
        graph(
            "Nodes down, queue",
            [metric(label, HaproxyMetric.BACKEND_DOWN, "Maximum", ONE, "a node is down (1)")],
            [metric(label, HaproxyMetric.QUEUE, "Maximum", ONE, "longest queue")],
        ),
    ]


def envoy_row(label: str) -> Row:
    """What flows through Envoys, and what goes wrong there."""
    wrong = {
        EnvoyMetric.CONNECT_FAILURES: "connect failures",
        EnvoyMetric.CONNECTIONS_LOST: "connections lost",
        EnvoyMetric.TIMEOUTS: "timeouts",
        EnvoyMetric.TOPOLOGY_FAILURES: "topology not read",
    }
    followed = {
        EnvoyMetric.REDIRECTS: "redirects",
        EnvoyMetric.REDIRECTS_FAILED: "redirects failed",
    }
    return [
        graph(
            "Requests, clients",
            [metric(label, EnvoyMetric.REQUESTS, "Sum", ONE, "requests")],
            [metric(label, EnvoyMetric.CLIENTS, "Sum", ONE, "clients")],
        ),
        graph("Redirects", [metric(label, *one) for one in sum_lines(followed)]),
        graph("Failures", [metric(label, *one) for one in sum_lines(wrong)]),
    ]


def sum_lines(names: Mapping[M, str]) -> Iterator[tuple[str, str, cdk.Duration, str]]:
    """Counters by the minute, with what people call them."""
    for name, text in names.items():
        yield name, "Sum", ONE, text


def latency_row(one: Monitored, *, node_metrics: bool) -> Row:
    """Each leg of the probe's walks, and how long HAProxies take to connect to their nodes."""
    label = one.label
    drawn: dict[str, Lines] = {}
    if one.coordinator:
        for statistic, how in (("p50", "median"), ("p99", "99th percentile")):
            legs = [metric(label, name, statistic, ONE, leg) for name, leg in PHASES.items()]
            drawn[f"Latency by leg, {how}, ms"] = legs
    if node_metrics and one.coordinator:
        drawn["Answer by node, ms"] = [each_node(label, ProbeMetric.ANSWER_MILLISECONDS, "Maximum")]
    elif node_metrics:
        slow = each_node(label, HaproxyMetric.CONNECT_MILLISECONDS, "Average")
        drawn["HAProxy to node by node, ms"] = [slow]
    return [graph(title, lines, width=WIDTH // len(drawn)) for title, lines in drawn.items()]


def resync_row(one: Monitored, stopped: cloudwatch.Metric) -> Row:
    """What keeps the records true, and the tasks behind them."""
    label = one.label
    changes = {
        ResyncMetric.CREATES: "created",
        ResyncMetric.UPDATES: "updated",
        ResyncMetric.DELETES: "deleted",
    }
    proxies = {
        ResyncMetric.NODES: "names",
        ResyncMetric.NODES_WITHOUT_OWN_PROXY: "without a healthy proxy",
    }
    if one.mode.follows_nodes:
        proxies |= {ResyncMetric.STAND_INS: "stand-ins"}
    return [
        graph(
            "Records",
            [metric(label, *line) for line in sum_lines(changes)],
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


def each_node(label: str, name: str, statistic: str) -> cloudwatch.IMetric:
    """A line for each node, found when somebody looks: 500 at most, as many as a cluster has nodes."""
    found = f'{{{NAMESPACE},{Dimension.CLUSTER},{Dimension.NODE}}} MetricName="{name}" {Dimension.CLUSTER}="{label}"'
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{found}', '{statistic}', 60)",
        using_metrics={},
        label=f"${{PROP('Dim.{Dimension.NODE}')}}",
        period=ONE,
    )


def of_all_nodes(label: str, name: str, text: str) -> cloudwatch.IMetric:
    """What all nodes have together in each minute, of a metric that is there for each of them only."""
    return insights(
        f"SELECT SUM({name}) {of_schema(Dimension.CLUSTER, Dimension.NODE)} {of_cluster(label)}",
        text,
    )


def by_cause(label: str) -> cloudwatch.IMetric:
    """A line for each cause, of all nodes together."""
    what = f"SELECT SUM({HaproxyMetric.ABNORMAL_SESSIONS})"
    schema = of_schema(Dimension.CAUSE, Dimension.CLUSTER, Dimension.NODE)
    return insights(f"{what} {schema} {of_cluster(label)} GROUP BY {Dimension.CAUSE}")


def of_schema(*dimensions: str) -> str:
    """Where such a query looks."""
    return f'FROM SCHEMA("{NAMESPACE}", {", ".join(dimensions)})'


def of_cluster(label: str) -> str:
    """And at which cluster; labels are checked by the configuration."""
    return f"WHERE {Dimension.CLUSTER} = '{label}'"


def insights(query: str, text: str = "") -> cloudwatch.IMetric:
    """A query of CloudWatch Metrics Insights, each minute."""
    return cloudwatch.MathExpression(expression=query, using_metrics={}, label=text, period=ONE)


def graph(title: str, left: Lines, right: Lines = (), *, width: int = 8) -> cloudwatch.GraphWidget:
    """A graph, from zero up."""
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
