"""The HAProxies' metric filters: which metrics, of which lines, with which dimensions."""

import re
from typing import Any

import pytest

from lab.layout import ROOT
from nodeway.constructs.proxies.haproxy_metrics import COUNTERS
from nodeway_runtime.model.metrics import NAMESPACE, Dimension, HaproxyMetric
from tests.support.pages.environments import NODES, environments
from tests.support.synth.shapes import built, properties
from tests.synth.conftest import Synthesis, Synthesise

FILTER = "AWS::Logs::MetricFilter"
PAGE = ROOT / "docs" / "operations.md"
BY_CLUSTER = {
    HaproxyMetric.SESSIONS: ("haproxy", "$.sessions"),
    HaproxyMetric.BACKEND_DOWN: ("haproxy", "$.backend_down"),
    HaproxyMetric.REFUSED: ("haproxy", "$.refused"),
    HaproxyMetric.QUEUE: ("haproxy", "$.queue"),
    HaproxyMetric.CONNECT_FAILURES: ("haproxy", "$.connect_failures"),
    HaproxyMetric.ABNORMAL_SESSIONS: ("session", "1"),
    HaproxyMetric.STARTS: ("started", "1"),
}
BY_NODE = {
    **{name: ("haproxy", f"$.{field}") for name, field in COUNTERS.items()},
    HaproxyMetric.STARTS: ("started", "1"),
}
BY_CAUSE = {HaproxyMetric.ABNORMAL_SESSIONS: ("session", "1")}


def made(synthesis: Synthesis, stack: str) -> dict[tuple[str, ...], dict[str, tuple[str, str]]]:
    """Dimensions to metrics, each with the message and the value that it is made of."""
    found: dict[tuple[str, ...], dict[str, tuple[str, str]]] = {}
    for one in properties(synthesis, stack, FILTER):
        (metric,) = one["MetricTransformations"]
        message = re.fullmatch(r'\{ \$\.message = "(\w+)" \}', one["FilterPattern"])
        assert message is not None
        assert metric["MetricNamespace"] == NAMESPACE
        assert all(d["Value"] == f"$.{d['Key'].lower()}" for d in metric["Dimensions"])
        dimensions = tuple(sorted(d["Key"] for d in metric["Dimensions"]))
        of_these = found.setdefault(dimensions, {})
        assert metric["MetricName"] not in of_these
        of_these[metric["MetricName"]] = (message[1], metric["MetricValue"])
    return found


def shared(**changes: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
    """The documented environment of shared HAProxies."""
    block = environments("shared")["shared"]
    (cluster,) = block["clusters"]
    return built({**block, "clusters": [{**cluster, "nodes": NODES}], **changes})


def test_each_cluster_node_and_cause_has_its_metrics(dev: Synthesis) -> None:
    """Those of a whole cluster are for its alarms; one log group takes 100 filters."""
    assert made(dev, "haproxy") == {
        (Dimension.CLUSTER,): BY_CLUSTER,
        (Dimension.CLUSTER, Dimension.NODE): BY_NODE,
        (Dimension.CAUSE, Dimension.CLUSTER, Dimension.NODE): BY_CAUSE,
    }
    assert len(properties(dev, "haproxy", FILTER)) <= 100


def test_metrics_of_each_node_can_be_left_out(synthesise: Synthesise) -> None:
    """They are paid for by the metric."""
    few = synthesise({"node_metrics": False})

    assert made(few, "haproxy") == {(Dimension.CLUSTER,): BY_CLUSTER}


def test_shared_haproxies_have_the_same(dev: Synthesis) -> None:
    """Their node is `*`, so that one dashboard serves both."""
    assert made(shared(), "shared-proxies") == made(dev, "haproxy")
    assert made(shared(node_metrics=False), "shared-proxies") == {(Dimension.CLUSTER,): BY_CLUSTER}


def test_filters_are_on_the_log_group_that_the_tasks_write_to(dev: Synthesis) -> None:
    (group,) = dev.resources("haproxy", "AWS::Logs::LogGroup")

    for one in dev.resources("haproxy", FILTER).values():
        assert one["Properties"]["LogGroupName"] == {"Ref": group}


@pytest.mark.parametrize("name", [*BY_NODE, *BY_CAUSE])
def test_page_explains_every_metric(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text()
