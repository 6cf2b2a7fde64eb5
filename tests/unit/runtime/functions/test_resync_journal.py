"""Stage 6: what a run tells, read back from standard output as CloudWatch would."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nodeway_runtime.functions.resync_journal import LogJournal, SinceSuccess
from nodeway_runtime.model.metrics import NAMESPACE, Dimension, ResyncMetric
from nodeway_runtime.model.steps import Retire, Start, Stop
from nodeway_runtime.planner.reconcile import DRY_RUN, applying_executor, reconcile
from tests.support.fakes import (
    NOW,
    ONE,
    STAND_IN,
    THREE,
    TWO,
    MemoryJournal,
    World,
    fleet,
    marked,
    named,
    proxy,
    record,
    settings,
    topology,
    world,
)

FIELDS = {
    *("level", "location", "message", "timestamp", "service", "xray_trace_id"),
    *("cluster", "request_id", "trigger", "outcome", "error", "kind"),
    *("action", "record", "type", "why", "old", "new", "ttl", "change_id", "rule", "reason"),
    *("step", "node", "checksum", "nodes", "nodes_without_proxy"),
    *("planned", "applied", "refused", "problems"),
}


class Journal(LogJournal):
    """A journal, and what it wrote since the last look: one JSON object a line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(cluster="demo", request_id="r-1", trigger="aws.events")
        self.capsys = capsys

    def read(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The log lines, and the EMF lines."""
        lines = [json.loads(one) for one in self.capsys.readouterr().out.splitlines()]
        return [one for one in lines if "_aws" not in one], [one for one in lines if "_aws" in one]


@pytest.fixture
def journal(log_to_stdout: None, capsys: pytest.CaptureFixture[str]) -> Journal:
    """A journal whose lines the test can read."""
    _ = log_to_stdout
    return Journal(capsys)


def changed_world() -> World:
    """A world where one name is created, one updated, one deleted and one refused."""
    return world(
        topology(ONE, TWO, endpoint=False),
        fleet(proxy(ONE, "10.20.1.5")),
        *marked(record(ONE, "10.20.1.4")),
        *marked(record(TWO, "10.20.1.6")),
        *marked(record(THREE, "10.20.1.7"), since=NOW - timedelta(seconds=60), reads=2),
    )


def test_journal_writes_a_line_for_each_change_and_refusal_and_one_for_the_run(
    journal: Journal,
) -> None:
    """Old and new values, why, which request, which Route 53 change; what the guard stopped, with its reason."""
    outcome = changed_world().run()

    journal.write(outcome)

    log, _ = journal.read()
    changes = {one["record"]: one for one in log if one["message"] == "change"}
    moved = changes[named(ONE)]
    assert (moved["action"], moved["ttl"]) == ("update", 5)
    assert (moved["old"], moved["new"]) == (["10.20.1.4"], ["10.20.1.5"])
    assert moved["why"] == "1 healthy proxy task"
    assert (moved["request_id"], moved["trigger"]) == ("r-1", "aws.events")
    assert moved["change_id"] == "C2"
    assert changes[named(THREE)]["action"] == "delete"
    assert changes[named(THREE)]["old"] == ["10.20.1.7"]
    refused, marker = [one for one in log if one["message"] == "refused"]
    assert marker["record"] == f"_nodeway.{named(TWO)}"
    assert (refused["level"], refused["record"]) == ("WARNING", named(TWO))
    assert refused["rule"] == "last_address_of_a_live_node_stays"
    assert refused["reason"] == "it is the last address of a live node"
    (told,) = [one for one in log if one["message"] == "run"]
    assert [told[name] for name in ("planned", "applied", "refused")] == [4, 4, 2]
    assert told["outcome"] == "changed"
    assert told["checksum"] == outcome.plan.checksum
    assert told["nodes_without_proxy"] == [named(TWO)]


def test_journal_writes_every_metric_once_a_run(journal: Journal) -> None:
    """CloudWatch finds the metrics by their embedded description."""
    journal.write(changed_world().run())

    _, (metrics,) = journal.read()
    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == NAMESPACE
    assert {one["Name"] for one in described["Metrics"]} == set(ResyncMetric)
    assert [Dimension.CLUSTER] in [
        sorted(set(names) - {"service"}) for names in described["Dimensions"]
    ]
    assert metrics[Dimension.CLUSTER] == "demo"
    assert {name: metrics[name][0] for name in set(ResyncMetric)} == {
        ResyncMetric.SECONDS_SINCE_SUCCESS: 0,
        ResyncMetric.NODES: 2,
        ResyncMetric.NODES_WITHOUT_OWN_PROXY: 1,
        ResyncMetric.CREATES: 0,
        ResyncMetric.UPDATES: 2,
        ResyncMetric.DELETES: 2,
        ResyncMetric.GUARD_TRIPPED: 2,
        ResyncMetric.STAND_INS: 0,
        ResyncMetric.NODES_OVER_STAND_IN_LIMIT: 0,
    }


def test_journal_tells_creates_and_runs_that_applied_nothing(journal: Journal) -> None:
    """A first address has no old value; a dry run is `planned`, one with nothing to do `unchanged`: no change."""
    here = world(topology(ONE), fleet(proxy(ONE, "10.20.1.5")))
    told = []
    for one in (DRY_RUN, applying_executor(here.ports, settings(), "test", NOW), DRY_RUN):
        journal.write(reconcile(here.ports, settings(), MemoryJournal(), one, NOW))
        log, (metrics,) = journal.read()
        told.append((log[-1]["outcome"], metrics[ResyncMetric.CREATES], log))

    assert [one[:2] for one in told] == [
        ("planned", [0.0]),
        ("changed", [4.0]),
        ("unchanged", [0.0]),
    ]
    (created,) = [one for one in told[1][2] if one.get("record") == named(ONE)]
    assert (created["action"], created["new"], "old" in created) == ("create", ["10.20.1.5"], False)


def test_journal_tells_the_steps_with_stand_ins_and_how_many_there_are(journal: Journal) -> None:
    """A line a step, as a person reads it; a limit that leaves nodes without is a metric with an alarm."""
    here = world(
        topology(ONE, TWO, THREE),
        fleet(proxy(ONE, "10.20.8.1", stand_in=True), proxy(ONE, "10.20.1.5")),
    )
    outcome = here.run(settings(stand_in=STAND_IN, max_stand_ins=2))
    stop = Stop("arn:aws:ecs:us-east-1:123456789012:task/nodeway/t1", named(ONE), "done")

    steps = (*outcome.plan.stand_ins.steps, stop)
    stand_ins = replace(outcome.plan.stand_ins, steps=steps)
    journal.write(replace(outcome, plan=replace(outcome.plan, stand_ins=stand_ins)))

    log, (metrics,) = journal.read()
    assert [type(step) for step in steps] == [Start, Retire, Stop]
    assert [(one["step"], one["node"]) for one in log if one["message"] == "stand-in"] == [
        (f"+ stand-in for {named(TWO)}", named(TWO)),
        (f"~ stand-in of {named(ONE)} 10.20.8.1: out of the records", named(ONE)),
        (f"- stand-in of {named(ONE)} t1  # done", named(ONE)),
    ]
    assert metrics[ResyncMetric.STAND_INS] == [1.0]
    assert metrics[ResyncMetric.NODES_OVER_STAND_IN_LIMIT] == [1.0]
    assert metrics[ResyncMetric.NODES_WITHOUT_OWN_PROXY] == [2.0]


def test_journal_tells_a_failed_run_and_how_long_since_the_last_good_one(journal: Journal) -> None:
    """The error's own words, and the metric that the alarm watches."""
    journal.failed(ValueError("throttled"), seconds_since_success=61.5)

    log, (metrics,) = journal.read()
    (told,) = log
    assert (told["level"], told["outcome"]) == ("ERROR", "failed")
    assert (told["error"], told["kind"]) == ("throttled", "ValueError")
    assert metrics[ResyncMetric.SECONDS_SINCE_SUCCESS] == [61.5]


def test_journal_tells_a_skipped_run(journal: Journal) -> None:
    """A run that may not do anything says why."""
    journal.skipped("resync=off")

    (told,), _ = journal.read()
    assert (told["message"], told["outcome"], told["why"]) == ("run", "skipped", "resync=off")


def test_journal_has_no_field_that_could_hold_a_secret(journal: Journal) -> None:
    """Only known fields are written: nobody adds a token to the log by accident."""
    journal.write(changed_world().run())
    journal.failed(ValueError("throttled"), seconds_since_success=1)

    log, _ = journal.read()
    assert {name for one in log for name in one} <= FIELDS


def test_since_success_counts_from_the_last_good_run() -> None:
    """It begins with the process, and anew with each success."""
    since = SinceSuccess()
    first = since.seconds
    since.reset()

    assert first >= 0
    assert 0 <= since.seconds < 60
