"""The dashboard: what stands first, that it says only what there is, and that it stays within CloudWatch's limits."""

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest

from nodeway.constructs.proxies.haproxy_metrics import list_filters
from nodeway_runtime.model.metrics import (
    PROBE_CLUSTER_METRICS,
    PROBE_NODE_METRICS,
    Dimension,
    EnvoyMetric,
    ProbeMetric,
    ResyncMetric,
)
from tests.support.synth.monitored import Shown, shown

OF_RESYNC, OF_PROBE = set(ResyncMetric), set(PROBE_CLUSTER_METRICS)
WIDGETS, PER_WIDGET = 500, 500
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""


def lines(widget: dict[str, Any]) -> list[list[Any]]:
    """What a widget draws."""
    found: list[list[Any]] = widget["properties"].get("metrics", [])
    return found


def titles(one: Shown) -> list[str]:
    """The widgets' titles, and the headings between them."""
    told = (widget["properties"] for widget in one.widgets)
    return [str(one.get("title", one.get("markdown"))) for one in told]


def of_cluster(one: Shown, *, by_node: bool) -> set[str]:
    """The names of our metrics that are drawn: of the whole cluster, or those that are searched for."""
    drawn = [line for widget in one.widgets for line in lines(widget)]
    if not by_node:
        return {line[1] for line in drawn if line[0] == "Nodeway"}
    told = " ".join(line[0].get("expression", "") for line in drawn if isinstance(line[0], dict))
    return set(re.findall(r'(?:MetricName="|SUM\()(\w+)', told))


def test_top_row_answers_whether_every_node_is_reached() -> None:
    """By the probe's count of broken paths, beside every alarm, and above the map of the last walk."""
    one = shown("haproxy", probe=True)
    first, alarms, walked, *_ = one.widgets
    labels = {line[1]: line[4]["label"] for line in lines(first)}

    assert first["type"] == "metric"
    assert first["properties"]["view"] == "singleValue"
    assert first["properties"]["title"] == "Is every node reached?"
    assert labels == {
        ProbeMetric.PATHS_BROKEN: "c0: paths broken",
        ProbeMetric.PATHS_WALKED: "c0: paths walked",
    }
    assert (first["y"], alarms["y"], first["x"], alarms["x"]) == (0, 0, 0, 12)
    assert len(alarms["properties"]["alarms"]) == len(one.alarms)
    assert walked["type"] == "custom"
    assert walked["y"] == first["height"]
    assert "nodeway-dev-c0:ExportsOutputFnGetAttWatch" in walked["properties"]["endpoint"]


@pytest.mark.parametrize("node_metrics", [True, False])
@pytest.mark.parametrize("probe", [True, False])
@pytest.mark.parametrize("way", ["haproxy", "shared", "envoy"])
def test_what_is_drawn_is_what_is_written(way: str, *, probe: bool, node_metrics: bool) -> None:
    """Each metric of a cluster or a node is one that the way's own sources write."""
    one = shown(way, probe=probe, node_metrics=node_metrics)
    haproxies = list(list_filters(by_node=node_metrics)) if way != "envoy" else []
    whole = {f.metric for f in haproxies if f.dimensions.keys() == {Dimension.CLUSTER}}
    each = {f.metric for f in haproxies} if node_metrics else set()
    known = OF_RESYNC | whole | (set(EnvoyMetric) if way == "envoy" else set())
    if probe:
        known |= OF_PROBE
        each |= set(PROBE_NODE_METRICS) if node_metrics else set()

    assert of_cluster(one, by_node=False) <= known
    assert of_cluster(one, by_node=True) <= each
    assert probe == ("custom" in {widget["type"] for widget in one.widgets})
    assert bool(of_cluster(one, by_node=True)) == (node_metrics and (probe or way != "envoy"))


def test_redirects_are_drawn_with_the_band_of_their_alarm() -> None:
    """CloudWatch has a model for each expression: another one would be another model."""
    one = shown("haproxy", probe=True)
    (graph,) = [w for w in one.widgets if w["properties"].get("title") == "Redirects"]
    alarm = {
        line["Id"]: line.get("Expression") for line in one.alarms["c0-redirects-unusual"]["Metrics"]
    }
    drawn = {
        line[0].get("id"): line[0]["expression"]
        for line in lines(graph)
        if isinstance(line[0], dict)
    }

    assert {alarm["unusual"], alarm["band"]} <= set(drawn.values())
    assert {line[1] for line in lines(graph) if isinstance(line[0], str)} == {
        ProbeMetric.MOVED,
        ProbeMetric.ASKED,
        ProbeMetric.FAILOVERS,
    }
    assert drawn["unusual"] == alarm["unusual"]


def test_nodes_are_found_when_somebody_looks() -> None:
    """Monitoring is told no node, so the body is as large for 500 of them as for six."""
    body = shown("haproxy", "shared", probe=True).body

    searches = re.findall(r"SEARCH\('(.*?)', '", body.replace('\\"', '"'))
    assert searches
    assert all(one.startswith("{Nodeway,Cluster,Node} ") for one in searches)
    assert all(len(one) < 1024 for one in searches)


@pytest.mark.parametrize("clusters", [1, 2, 12])
def test_limits_hold_for_many_clusters(clusters: int) -> None:
    """Each has its rows under its own heading, and all of them are in the top row."""
    ways = [("haproxy", "shared", "envoy")[n % 3] for n in range(clusters)]
    one = shown(*ways, probe=True)
    shown_alarms = [w["properties"]["alarms"] for w in one.widgets if w["type"] == "alarm"]

    assert len(one.widgets) <= WIDGETS
    assert max(len(lines(widget)) for widget in one.widgets) <= PER_WIDGET
    assert max(map(len, shown_alarms)) <= 100
    assert sum(map(len, shown_alarms)) == len(one.alarms)
    assert len(lines(one.widgets[0])) == 2 * clusters
    assert len([t for t in titles(one) if t.startswith("## ")]) == clusters
    assert len(one.body) < 20_000 * clusters


def test_rows_do_not_overlap() -> None:
    """Within CloudWatch's 24 columns."""
    one = shown("haproxy", "shared", "envoy", probe=True)
    cells = [
        (x, y)
        for w in one.widgets
        for x in range(w["x"], w["x"] + w["width"])
        for y in range(w["y"], w["y"] + w["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_topology_that_only_the_deploy_knows_needs_nothing_of_it() -> None:
    """A sandbox's zone is a cluster's attribute: the heading goes without."""
    one = shown("haproxy", zone=cdk.Fn.import_value("zone"))

    assert "## c0: a HAProxy for each node" in titles(one)
    assert '"zone"' not in json.dumps(one.template)
