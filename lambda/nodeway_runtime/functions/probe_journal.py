"""Tell what a run found: a JSON line for the run, one for each name that is not as it should be, and metrics (EMF).

A name in order costs no line. No credential is ever part of a report, so that none can be told.
"""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from nodeway_runtime.model.metrics import NAMESPACE, PHASE_METRICS, Dimension, ProbeMetric
from nodeway_runtime.paths.report import Report, Row, sum_known
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict

LEGS = ("resolve", "connect", "tls", "answer")
MAX_VALUES = 100
"""Of one metric in a line: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""


class LogJournal:
    """Writes to standard output, where Lambda collects log lines and CloudWatch finds the metrics in them."""

    def __init__(self, *, cluster: str, request_id: str, node_metrics: bool) -> None:
        self._logger = Logger(service="probe")
        self._cluster = cluster
        self._request_id = request_id
        self._node_metrics = node_metrics

    def write(self, report: Report, *, counts: bool = True) -> None:
        """Tells a finished run.

        `counts`: with what the nodes have counted since the last one. Of several client VPCs only one may tell it, as
        all of them hear the same.
        """
        about = {"cluster": self._cluster, "client": report.client, "request_id": self._request_id}
        for row in report.worst_first:
            if row.state is not State.OK:
                self._logger.warning("path", extra=about | row_fields(row))
        states = {state.value: report.count(state) for state in State}
        self._logger.info(
            "report",
            extra=about
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
            # a run that knows no name has seen nothing: it must not say that nothing is broken
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
        # a distribution needs many values of one metric, and a line takes so many
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
    """A row that is not as it should be, as the fields of a log line."""
    meaning = MEANINGS[row.verdict]
    return {
        "node": row.label,
        # `name` belongs to the logger itself
        "host": row.name,
        "verdict": row.verdict.value,
        "state": meaning.state.value,
        "what": meaning.what,
        "next": meaning.next,
        "detail": row.detail,
        "since": row.since,
        "addresses": [path.address for path in row.paths],
    }


def phase_milliseconds(row: Row) -> dict[str, float]:
    """The milliseconds of a row's legs: the slowest path's, where it has several."""
    found = {"resolve": row.resolve_milliseconds}
    for leg in LEGS[1:]:
        times = [getattr(path, f"{leg}_milliseconds") for path in row.paths]
        found[leg] = max((one for one in times if one is not None), default=None)
    return {leg: value for leg, value in found.items() if value is not None}


def _add_phases(metrics: EphemeralMetrics, row: Row) -> None:
    found = phase_milliseconds(row)
    for leg, name in zip(LEGS, PHASE_METRICS, strict=True):
        if leg in found:
            metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=found[leg])
