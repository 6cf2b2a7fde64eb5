"""Logs a probe run: a JSON line for the run and for each name that is not OK, and CloudWatch metrics (EMF)."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from nodeway_runtime.model.metrics import NAMESPACE, PHASE_METRICS, Dimension, ProbeMetric
from nodeway_runtime.paths.report import Report, Row, phase_milliseconds, sum_known
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict

MAX_VALUES = 100
"""Limit of values of a metric in one line: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""


class LogJournal:
    """Writes log lines and metrics to standard output. `node_metrics`: also publish metrics of each node."""

    def __init__(self, *, cluster: str, request_id: str, node_metrics: bool) -> None:
        self._logger = Logger(service="probe")
        self._cluster = cluster
        self._request_id = request_id
        self._node_metrics = node_metrics

    def write(self, report: Report, *, counts: bool = True) -> None:
        """Logs a finished run.

        `counts`: publish the nodes' counters, too. Of several client VPCs only one may do so, as all read the same.
        """
        context = {
            "cluster": self._cluster,
            "client": report.client,
            "request_id": self._request_id,
        }
        for row in report.worst_first:
            if row.state is not State.OK:
                self._logger.warning("path", extra=context | row_fields(row))
        states = {state.value: report.count(state) for state in State}
        self._logger.info(
            "report",
            extra=context
            | states
            | {
                "seconds": report.seconds,
                "depth": report.depth,
                "moved": sum_known(row.moved for row in report.rows),
                "asked": sum_known(row.asked for row in report.rows),
                "failovers": report.failovers,
                "rejected_connections": report.rejected_connections,
                "notes": report.notes,
            },
        )
        self._of_cluster(report, counts=counts)
        if self._node_metrics:
            for row in report.rows:
                self._of_node(row, counts=counts)

    def _of_cluster(self, report: Report, *, counts: bool) -> None:
        metrics = self._dimensions()
        values: dict[ProbeMetric, int | None] = {ProbeMetric.CONNECTIONS: report.connections}
        if report.rows:
            # A run without names does not show that no path is broken.
            values |= {
                ProbeMetric.PATHS_WALKED: sum(
                    row.verdict is not Verdict.NOT_WALKED for row in report.rows
                ),
                ProbeMetric.PATHS_BROKEN: report.count(State.BROKEN),
                ProbeMetric.PATHS_DEGRADED: report.count(State.DEGRADED),
            }
        if counts:
            values |= {
                ProbeMetric.MOVED: sum_known(row.moved for row in report.rows),
                ProbeMetric.ASKED: sum_known(row.asked for row in report.rows),
                ProbeMetric.FAILOVERS: report.failovers,
                ProbeMetric.REJECTED_CONNECTIONS: report.rejected_connections,
            }
        for name, value in values.items():
            if value is not None:
                metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        metrics.add_metric(name=ProbeMetric.SECONDS, unit=MetricUnit.Seconds, value=report.seconds)
        metrics.flush_metrics()
        # CloudWatch computes percentiles from all values of a metric.
        for first in range(0, len(report.rows), MAX_VALUES):
            metrics = self._dimensions()
            for row in report.rows[first : first + MAX_VALUES]:
                _add_phases(metrics, row)
            if metrics.metric_set:
                metrics.flush_metrics()

    def _of_node(self, row: Row, *, counts: bool) -> None:
        metrics = self._dimensions(row.label)
        broken = row.state is State.BROKEN
        metrics.add_metric(name=ProbeMetric.PATH_BROKEN, unit=MetricUnit.Count, value=int(broken))
        for name, value in ((ProbeMetric.MOVED, row.moved), (ProbeMetric.ASKED, row.asked)):
            if counts and value is not None:
                metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        _add_phases(metrics, row)
        metrics.flush_metrics()

    def _dimensions(self, node: str = "") -> EphemeralMetrics:
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension(name=Dimension.CLUSTER, value=self._cluster)
        if node:
            metrics.add_dimension(name=Dimension.NODE, value=node)
        return metrics


def row_fields(row: Row) -> dict[str, object]:
    """A row as fields of a log line."""
    meaning = MEANINGS[row.verdict]
    return {
        "node": row.label,
        # The logger reserves `name`.
        "host": row.name,
        "verdict": row.verdict.value,
        "state": meaning.state.value,
        "what": meaning.what,
        "next": meaning.next,
        "detail": row.detail,
        "since": row.since,
        "addresses": [path.address for path in row.paths],
    }


def slowest_phases(row: Row) -> dict[ProbeMetric, float]:
    """The milliseconds of each phase of a row; of several paths the longest."""
    times = [tuple(phase_milliseconds(row, path).values()) for path in row.paths]
    times = times or [(row.resolve_milliseconds, None, None, None)]
    slowest = (
        max((one for one in phase if one is not None), default=None)
        for phase in zip(*times, strict=True)
    )
    return {name: one for name, one in zip(PHASE_METRICS, slowest, strict=True) if one is not None}


def _add_phases(metrics: EphemeralMetrics, row: Row) -> None:
    for name, value in slowest_phases(row).items():
        metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)
