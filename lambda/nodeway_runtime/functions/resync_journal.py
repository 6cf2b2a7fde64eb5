"""Logs a resync run: a JSON line for the run and for each change, and CloudWatch metrics in the same log (EMF)."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.metrics import NAMESPACE, Dimension, ResyncMetric
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import Outcome


class LogJournal:
    """Writes log lines and metrics to standard output."""

    def __init__(self, *, cluster: str, request_id: str, trigger: str) -> None:
        self._logger = Logger(service="resync")
        self._cluster = cluster
        self._context = {"cluster": cluster, "request_id": request_id, "trigger": trigger}

    def write(self, outcome: Outcome) -> None:
        """Logs a finished run: its changes, refusals, stand-in steps, result and metrics."""
        change_ids = {
            change: batch.change_id for batch in outcome.applied for change in batch.changes
        }
        for change in outcome.plan.changes:
            self._info("change", change_fields(change) | {"change_id": change_ids.get(change)})
        for refusal in outcome.refusals:
            self._warn(
                "refused",
                change_fields(refusal.change) | {"rule": refusal.rule, "reason": refusal.reason},
            )
        for step in outcome.plan.stand_ins.steps:
            self._info("stand-in", {"step": str(step), "node": step.node})
        self._info("run", run_fields(outcome))
        applied = Plan(tuple(change_ids))
        self._metrics(
            {
                ResyncMetric.SECONDS_SINCE_SUCCESS: 0,
                ResyncMetric.NODES: len(outcome.snapshot.topology.reachable),
                ResyncMetric.NODES_WITHOUT_OWN_PROXY: len(outcome.nodes_without_own_proxy),
                ResyncMetric.CREATES: len(applied.creates),
                ResyncMetric.UPDATES: len(applied.updates),
                ResyncMetric.DELETES: len(applied.deletes),
                ResyncMetric.GUARD_TRIPPED: len(outcome.refusals),
                ResyncMetric.STAND_INS: outcome.snapshot.fleet.stand_ins,
                ResyncMetric.NODES_OVER_STAND_IN_LIMIT: len(outcome.plan.stand_ins.over_limit),
            }
        )

    def failed(self, error: Exception, *, seconds_since_success: float) -> None:
        """Logs a run that ended with an error."""
        self._logger.error(
            "run",
            extra=self._context
            | {"outcome": "failed", "error": str(error), "kind": type(error).__name__},
        )
        self._metrics({ResyncMetric.SECONDS_SINCE_SUCCESS: seconds_since_success})

    def skipped(self, why: str) -> None:
        """Logs an invocation without a run."""
        self._info("run", {"outcome": "skipped", "why": why})

    def _info(self, message: str, fields: dict[str, Any]) -> None:
        self._logger.info(message, extra=self._context | fields)

    def _warn(self, message: str, fields: dict[str, Any]) -> None:
        self._logger.warning(message, extra=self._context | fields)

    def _metrics(self, values: dict[ResyncMetric, float]) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension(name=Dimension.CLUSTER, value=self._cluster)
        for name, value in values.items():
            is_time = name is ResyncMetric.SECONDS_SINCE_SUCCESS
            unit = MetricUnit.Seconds if is_time else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=value)
        metrics.flush_metrics()


class SinceSuccess:
    """Measures the seconds since the last successful run of this process."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def reset(self) -> None:
        """Notes a successful run."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the last successful run, or since the start of the process."""
        return round(time.monotonic() - self._since, 3)


def change_fields(change: Change) -> dict[str, Any]:
    """A change as fields of a log line."""
    record = change.old if isinstance(change, Delete) else change.new
    # The logger reserves `name`.
    found: dict[str, Any] = {
        "action": "",
        "record": record.name,
        "type": record.type.value,
        "why": change.why,
    }
    match change:
        case Create(new, _):
            found |= {"action": "create", "new": new.values, "ttl": new.ttl}
        case Update(old, new, _):
            found |= {"action": "update", "old": old.values, "new": new.values, "ttl": new.ttl}
        case Delete(old, _):
            found |= {"action": "delete", "old": old.values}
    return found


def run_fields(outcome: Outcome) -> dict[str, Any]:
    """The result of a run as fields of a log line."""
    applied = sum(len(batch.changes) for batch in outcome.applied)
    return {
        "outcome": "changed" if applied else "planned" if outcome.plan.changes else "unchanged",
        "checksum": outcome.plan.checksum,
        "nodes": len(outcome.snapshot.topology.reachable),
        "nodes_without_proxy": outcome.nodes_without_proxy,
        "planned": len(outcome.plan.changes),
        "applied": applied,
        "refused": len(outcome.refusals),
        "problems": outcome.snapshot.problems,
    }
