"""The HAProxies' metric filters, beside those of the snapshots."""

import pytest

from lab.layout import ROOT
from nodeway.constructs.proxies.haproxy_metrics import COUNTERS
from nodeway_runtime.model.metrics import Dimension, HaproxyMetric
from tests.support.synth.shapes import properties
from tests.synth.conftest import Synthesise

PAGE = ROOT / "docs" / "operations.md"


def test_metrics_of_each_node_can_be_left_out(synthesise: Synthesise) -> None:
    """They are paid for by the metric. Those of the whole cluster are for its alarms."""
    few = synthesise({"node_metrics": False})

    filters = properties(few, "haproxy", "AWS::Logs::MetricFilter")
    metrics = [one for each in filters for one in each["MetricTransformations"]]
    assert sorted(one["MetricName"] for one in metrics) == sorted(
        [
            HaproxyMetric.SESSIONS,
            HaproxyMetric.BACKEND_DOWN,
            HaproxyMetric.REFUSED,
            HaproxyMetric.QUEUE,
            HaproxyMetric.CONNECT_FAILURES,
            HaproxyMetric.ABNORMAL_SESSIONS,
            HaproxyMetric.STARTS,
        ]
    )
    for one in metrics:
        assert one["Dimensions"] == [{"Key": Dimension.CLUSTER, "Value": "$.cluster"}]


@pytest.mark.parametrize("name", [*COUNTERS, HaproxyMetric.STARTS, HaproxyMetric.ABNORMAL_SESSIONS])
def test_page_explains_every_metric(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text()
