"""Stage 6: tell what a run did: one JSON line a run, one a change, and CloudWatch metrics in the same log (EMF).

Powertools writes both forms; this file only chooses what is told. No credential, token or key is ever
part of an outcome.
"""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.metrics import NAMESPACE, Dimension, ResyncMetric
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import Outcome


class LogJournal:
    """Writes to standard output, where Lambda collects log lines and CloudWatch finds the metrics in them."""

    def __init__(self, *, cluster: str, request_id: str, trigger: str) -> None:
        self._logger = Logger(service="resync")
        self._cluster = cluster
        self._about = {"cluster": cluster, "request_id": request_id, "trigger": trigger}

    def write(self, outcome: Outcome) -> None:
        """Tells a finished run: a line for each change, one for each refusal, one for the run, and its metrics."""
        change_ids = {
            change: batch.change_id for batch in outcome.applied for change in batch.changes
        }
        for change in outcome.plan.changes:
            self._say("change", change_fields(change) | {"change_id": change_ids.get(change)})
        for refusal in outcome.refusals:
            self._warn(
                "refused",
                change_fields(refusal.change) | {"rule": refusal.rule, "reason": refusal.reason},
            )
        for step in outcome.plan.stand_ins.steps:
            self._say("stand-in", {"step": str(step), "node": step.node})
        self._say("run", self._run(outcome))
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
        """Tells a run that ended with an error."""
        self._logger.error(
            "run",
            extra=self._about
            | {"outcome": "failed", "error": str(error), "kind": type(error).__name__},
        )
        self._metrics({ResyncMetric.SECONDS_SINCE_SUCCESS: seconds_since_success})

    def skipped(self, why: str) -> None:
        """Tells a run that was not allowed to do anything."""
        self._say("run", {"outcome": "skipped", "why": why})

    def _run(self, outcome: Outcome) -> dict[str, Any]:
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

    def _say(self, message: str, about: dict[str, Any]) -> None:
        self._logger.info(message, extra=self._about | about)

    def _warn(self, message: str, about: dict[str, Any]) -> None:
        self._logger.warning(message, extra=self._about | about)

    def _metrics(self, values: dict[ResyncMetric, float]) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension(name=Dimension.CLUSTER, value=self._cluster)
        for name, value in values.items():
            is_time = name is ResyncMetric.SECONDS_SINCE_SUCCESS
            unit = MetricUnit.Seconds if is_time else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=value)
        metrics.flush_metrics()


class SinceSuccess:
    """Seconds since the last run that ended well, as far as this process has seen."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def reset(self) -> None:
        """A run ended well."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since then; since the process began when there was none."""
        return round(time.monotonic() - self._since, 3)


def change_fields(change: Change) -> dict[str, Any]:
    """A change as the fields of a log line: action, name, type, old and new values, why."""
    record = change.old if isinstance(change, Delete) else change.new
    # `record`, since `name` belongs to the logger itself
    told: dict[str, Any] = {
        "action": "",
        "record": record.name,
        "type": record.type.value,
        "why": change.why,
    }
    match change:
        case Create(new, _):
            told |= {"action": "create", "new": new.values, "ttl": new.ttl}
        case Update(old, new, _):
            told |= {"action": "update", "old": old.values, "new": new.values, "ttl": new.ttl}
        case Delete(old, _):
            told |= {"action": "delete", "old": old.values}
    return told
