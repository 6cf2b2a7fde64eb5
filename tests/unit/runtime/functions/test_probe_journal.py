"""What a run of the probe tells, read back from standard output as CloudWatch would."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from nodeway_runtime.functions.probe_journal import MAX_VALUES, LogJournal, slowest_phases
from nodeway_runtime.model.metrics import (
    NAMESPACE,
    PHASE_METRICS,
    PROBE_CLUSTER_METRICS,
    PROBE_NODE_METRICS,
    Dimension,
    ProbeMetric,
)
from nodeway_runtime.paths.report import Report, Row
from nodeway_runtime.paths.verdicts import MEANINGS, Verdict
from tests.conftest import StandardOutput
from tests.support.reports import ZONE, endpoint, path, report, row

OF_RUN = set(PROBE_CLUSTER_METRICS) - set(PHASE_METRICS)
OF_LEGS, OF_NODE = set(PHASE_METRICS), set(PROBE_NODE_METRICS)
COUNTED = {
    *(ProbeMetric.MOVED, ProbeMetric.ASKED),
    *(ProbeMetric.FAILOVERS, ProbeMetric.REJECTED_CONNECTIONS),
}
DETAIL = "10.20.1.5: Connection refused"
BAD = replace(
    report(
        row("demo-0001-001"),
        row("demo-0001-002", Verdict.DEAD_PROXY, detail=DETAIL),
        row("demo-0002-001", Verdict.NO_PERMISSION),
    ),
    failovers=1,
    rejected_connections=2,
)

Lines = list[dict[str, Any]]
Capture = pytest.CaptureFixture[str]


def write_report(
    capsys: Capture, report: Report, *, node_metrics: bool = True
) -> tuple[Lines, Lines]:
    """Writes the report to the journal; returns the log lines, and the lines with metrics."""
    journal = LogJournal(cluster="demo", request_id="r-1", node_metrics=node_metrics)
    for handler in logging.getLogger("probe").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.stream = StandardOutput()
    journal.write(report)
    lines = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    return [x for x in lines if "_aws" not in x], [x for x in lines if "_aws" in x]


def of(line: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """A line's dimensions, and its metrics with their units."""
    (about,) = line["_aws"]["CloudWatchMetrics"]
    assert about["Namespace"] == NAMESPACE
    (dimensions,) = about["Dimensions"]
    return tuple(dimensions), {one["Name"]: one["Unit"] for one in about["Metrics"]}


def total(lines: Lines, name: str) -> float:
    return sum(float(value) for line in lines for value in line.get(name, ()))


def test_run_in_order_is_one_line(capsys: Capture) -> None:
    """500 names that are as they should be are nobody's reading."""
    lines, _ = write_report(capsys, report())

    (line,) = lines
    assert (line["level"], line["message"], line["service"]) == ("INFO", "report", "probe")
    assert (line["cluster"], line["client"], line["request_id"]) == (
        *("demo", "vpc-0c11e47a000000001", "r-1"),
    )
    assert (line["ok"], line["degraded"], line["broken"]) == (7, 0, 0)
    assert (line["depth"], line["seconds"], line["notes"]) == ("identity", 0.1, [])


def test_each_name_that_is_not_in_order_has_a_line_and_the_worst_is_first(
    capsys: Capture,
) -> None:
    """With all that somebody needs who reads nothing else."""
    lines, _ = write_report(capsys, BAD)

    first, second, last = lines
    meaning = MEANINGS[Verdict.DEAD_PROXY]
    assert (first["level"], first["message"]) == ("WARNING", "path")
    assert (first["node"], first["host"]) == ("demo-0001-002", f"demo-0001-002.{ZONE}")
    assert (first["verdict"], first["state"], first["detail"]) == ("dead_proxy", "broken", DETAIL)
    assert (first["what"], first["next"]) == (meaning.what, meaning.next)
    assert first["since"] == BAD.rows[1].since
    assert first["addresses"] == [BAD.rows[1].paths[0].address]
    assert (second["node"], second["state"]) == ("demo-0002-001", "degraded")
    assert (last["failovers"], last["rejected_connections"]) == (1, 2)
    assert (last["moved"], last["asked"]) == (0, 0)


def test_metrics_of_a_run_have_the_cluster_as_their_one_dimension(
    capsys: Capture,
) -> None:
    _, lines = write_report(capsys, BAD, node_metrics=False)

    first, second = lines
    dimensions, units = of(first)
    assert (dimensions, first[Dimension.CLUSTER]) == ((Dimension.CLUSTER,), "demo")
    assert units == dict.fromkeys(OF_RUN, "Count") | {ProbeMetric.SECONDS: "Seconds"}
    assert {name: total([first], name) for name in OF_RUN} == {
        ProbeMetric.PATHS_WALKED: 3,
        ProbeMetric.PATHS_BROKEN: 1,
        ProbeMetric.PATHS_DEGRADED: 1,
        ProbeMetric.CONNECTIONS: 12,
        ProbeMetric.MOVED: 0,
        ProbeMetric.ASKED: 0,
        ProbeMetric.FAILOVERS: 1,
        ProbeMetric.REJECTED_CONNECTIONS: 2,
        ProbeMetric.SECONDS: 0.1,
    }
    assert of(second) == (
        (Dimension.CLUSTER,),
        {ProbeMetric.RESOLVE_MILLISECONDS: "Milliseconds"} | dict.fromkeys(OF_LEGS, "Milliseconds"),
    )
    assert second[ProbeMetric.TLS_MILLISECONDS] == [3.1]
    assert second[ProbeMetric.RESOLVE_MILLISECONDS] == [0.9] * 3


def test_what_nobody_knows_is_no_metric(capsys: Capture) -> None:
    """The first run of a process has counted nothing: zero would say that nothing had happened."""
    unknown = replace(row("demo-0001-001"), moved=None, asked=None)

    _, lines = write_report(capsys, report(unknown))

    assert of(lines[0])[1].keys() == OF_RUN - COUNTED
    assert of(lines[-1])[1].keys() == OF_NODE - {ProbeMetric.MOVED, ProbeMetric.ASKED}


def test_each_name_has_metrics_of_its_own(capsys: Capture) -> None:
    """Of an alarm that names the node."""
    _, lines = write_report(capsys, BAD)

    by_node = {line[Dimension.NODE]: line for line in lines if Dimension.NODE in line}
    assert list(by_node) == ["demo-0001-001", "demo-0001-002", "demo-0002-001"]
    assert of(by_node["demo-0001-001"])[0] == (Dimension.CLUSTER, Dimension.NODE)
    assert [total([line], ProbeMetric.PATH_BROKEN) for line in by_node.values()] == [0, 1, 0]
    assert of(by_node["demo-0001-001"])[1].keys() == OF_NODE
    assert by_node["demo-0001-001"][ProbeMetric.ANSWER_MILLISECONDS] == [1.2]


@pytest.mark.parametrize("count", [MAX_VALUES - 1, MAX_VALUES, MAX_VALUES + 1, 5 * MAX_VALUES])
def test_no_line_has_more_values_of_a_metric_than_cloudwatch_takes(
    capsys: Capture, count: int
) -> None:
    """And none is lost at the border between two lines, nor written twice."""
    rows = [
        replace(row(f"demo-{n:04}-001"), resolve_milliseconds=float(n), moved=1)
        for n in range(count)
    ]

    _, lines = write_report(capsys, report(*rows), node_metrics=False)

    for leg in OF_LEGS:
        values = [line[leg] for line in lines if leg in line]
        assert max(map(len, values)) <= MAX_VALUES
        assert sum(map(len, values)) == count
    every = [one for line in lines for one in line.get(ProbeMetric.RESOLVE_MILLISECONDS, [])]
    assert every == [float(n) for n in range(count)]
    assert total(lines, ProbeMetric.PATHS_WALKED) == total(lines, ProbeMetric.MOVED) == count


RESOLVED = {ProbeMetric.RESOLVE_MILLISECONDS: 0.9}
LEGS = {
    **RESOLVED,
    ProbeMetric.CONNECT_MILLISECONDS: 0.4,
    ProbeMetric.TLS_MILLISECONDS: 3.1,
    ProbeMetric.ANSWER_MILLISECONDS: 1.2,
}
TWO_PATHS = (path("a"), replace(path("a"), connect_milliseconds=7.0))


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (row("a"), LEGS),
        (replace(endpoint("a"), paths=TWO_PATHS), LEGS | {ProbeMetric.CONNECT_MILLISECONDS: 7.0}),
        (row("a", Verdict.DEAD_PROXY), RESOLVED),
        (Row(f"a.{ZONE}", Verdict.NOT_WALKED), {}),
    ],
    ids=["one path", "the slowest of two", "not connected", "not walked"],
)
def test_legs_are_those_that_were_gone(one: Row, found: dict[str, float]) -> None:
    assert slowest_phases(one) == found


def test_what_the_nodes_count_is_told_once_however_many_vpcs_hear_it(
    capsys: Capture,
) -> None:
    """Two walks hear the same counters, and CloudWatch adds up what it gets."""
    journal = LogJournal(cluster="demo", request_id="r-1", node_metrics=True)
    for place in range(2):
        journal.write(BAD, counts=place == 0)
    lines = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    of_cluster = [x for x in lines if "_aws" in x and of(x)[0] == (Dimension.CLUSTER,)]

    assert sum(ProbeMetric.PATHS_WALKED in line for line in of_cluster) == 2
    for name in COUNTED:
        assert sum(name in line for line in of_cluster) == 1
    of_nodes = [x for x in lines if "_aws" in x and of(x)[0] == (Dimension.CLUSTER, Dimension.NODE)]
    assert sum(ProbeMetric.PATH_BROKEN in line for line in of_nodes) == 2 * len(BAD.rows)
    assert sum(ProbeMetric.MOVED in line for line in of_nodes) == len(BAD.rows)


@pytest.mark.parametrize(
    ("rows", "paths"),
    [
        ((), []),
        ((row("a"), row("b", Verdict.NOT_WALKED)), [1]),
        ((Row("a", Verdict.RESOLVER_SILENT),), [1]),
    ],
    ids=["no name is known", "one was not walked", "nobody was reached"],
)
def test_run_tells_how_many_names_it_walked_and_no_metric_that_it_does_not_know(
    capsys: Capture, rows: tuple[Row, ...], paths: list[float]
) -> None:
    """No name known is not nothing broken: an alarm would end. CloudWatch takes no line without a metric."""
    _, metrics = write_report(capsys, replace(report(), rows=rows))

    assert [
        line[ProbeMetric.PATHS_WALKED] for line in metrics if ProbeMetric.PATHS_WALKED in line
    ] == ([paths] if paths else [])
    assert all(of(line)[1] for line in metrics)
