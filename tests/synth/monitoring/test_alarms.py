"""What people hear about: each alarm's metric, when it rings, what silence is, whom it tells, where to read on."""

from typing import Any

import pytest

from nodeway.constructs.monitoring.alarm_texts import MEANINGS, render_description
from nodeway.pricing.usage import ALARMS, LOGIN_ALARMS, PROBE_ALARMS
from nodeway_runtime.model.metrics import (
    NAMESPACE,
    Dimension,
    EnvoyMetric,
    ProbeMetric,
    ResyncMetric,
)
from tests.support.synth.checks import findings
from tests.support.synth.monitored import Shown, shown
from tests.support.synth.policy import concrete
from tests.support.synth.shapes import waits_for
from tests.synth.conftest import Synthesis

BY_RESYNC = {"no-success", "guard-tripped", "failed-events", "task-churn"}
BY_HAPROXY = {"abnormal-sessions", "haproxy-restarts"}
EXPECTED = {
    "haproxy": BY_RESYNC | BY_HAPROXY | {"node-without-proxy", "stand-in-limit", "backend-down"},
    "shared": BY_RESYNC | BY_HAPROXY | {"fleet-without-proxy"},
    "envoy": BY_RESYNC
    | {"fleet-without-proxy", "envoy-connect-failures", "envoy-topology-failures"},
}
LABELS = {"haproxy": "c0", "shared": "c0-shared", "envoy": "c0-envoy"}
AT_LEAST = "GreaterThanOrEqualToThreshold"
TOLD = {
    ("c0", "path-broken"): (ProbeMetric.PATHS_BROKEN, "Maximum", 60, 3, AT_LEAST, 1, "ignore"),
    ("c0", "probe-silent"): (
        *(ProbeMetric.PATHS_WALKED, "SampleCount", 60, 5),
        *("LessThanThreshold", 1, "breaching"),
    ),
    ("c1-shared", "fleet-without-proxy"): (
        *(ResyncMetric.NODES_WITHOUT_OWN_PROXY, "Minimum", 60, 5),
        *(AT_LEAST, 1, "ignore"),
    ),
    ("c2-envoy", "envoy-connect-failures"): (
        *(EnvoyMetric.CONNECT_FAILURES, "Sum", 300, 3),
        *(AT_LEAST, 10, "ignore"),
    ),
    ("c2-envoy", "envoy-topology-failures"): (
        *(EnvoyMetric.TOPOLOGY_FAILURES, "Sum", 300, 3),
        *(AT_LEAST, 1, "ignore"),
    ),
}
"""Of what `dev` has not: metric, statistic, seconds, periods, how it is compared with what, and missing data."""
SILENT_AT_ITS_END = {"failed-events", "task-churn", "haproxy-restarts", "redirects-unusual"}
PAGER = "arn:aws:sns:us-east-1:111122223333:pager"


@pytest.fixture(scope="module")
def probed() -> Shown:
    """One cluster of each way, each with a probe."""
    return shown("haproxy", "shared", "envoy", probe=True)


def short(one: Shown, label: str) -> dict[str, dict[str, Any]]:
    """A cluster's alarms by the name that the runbook has for them."""
    every = one.alarms.items()
    names = {key: key.removeprefix(f"{label}-") for key, _ in every}
    return {names[key]: alarm for key, alarm in every if names[key] in MEANINGS}


@pytest.mark.parametrize(
    ("way", "more"),
    [
        *((way, set()) for way in EXPECTED),
        ("haproxy", {"path-broken", "probe-silent", "redirects-unusual"}),
        ("shared", {"path-broken", "probe-silent", "redirects-unusual"}),
        ("envoy", {"path-broken", "probe-silent"}),
    ],
)
def test_cluster_has_the_alarms_of_its_way_and_of_its_probe(way: str, more: set[str]) -> None:
    """An alarm on a metric that nobody writes would never ring, or always."""
    found = shown(way, probe=bool(more)).alarms

    assert {name.removeprefix(f"{LABELS[way]}-") for name in found} == EXPECTED[way] | more


@pytest.mark.parametrize("way", EXPECTED)
def test_estimate_counts_the_metrics_that_are_looked_at(way: str) -> None:
    """CloudWatch takes money for each of them, not for each alarm."""
    assert looked_at(shown(way)) == ALARMS[way]


def test_estimate_counts_those_of_a_probe() -> None:
    """One that may not log in has no redirects to look at: no alarm waits for them, and no graph is empty."""
    plain, logged_in = (shown("haproxy", probe=True, login=login) for login in (False, True))

    assert looked_at(plain) == ALARMS["haproxy"] + PROBE_ALARMS
    # one metric, which is paid for with both ends of its band
    assert looked_at(logged_in) == ALARMS["haproxy"] + PROBE_ALARMS + LOGIN_ALARMS - 2
    assert logged_in.alarms.keys() - plain.alarms.keys() == {"c0-redirects-unusual"}
    assert f'"{ProbeMetric.MOVED}"' not in plain.body


def looked_at(found: Shown) -> int:
    """How many metrics the alarms look at."""
    lines = [
        line
        for alarm in found.alarms.values()
        for line in alarm.get("Metrics", [{"MetricStat": alarm.get("MetricName")}])
    ]
    return len([line for line in lines if "MetricStat" in line])


def test_without_a_schedule_its_silence_is_no_alarm() -> None:
    """resync=off was chosen: only what an event or a task tells is left."""
    names = set(shown("haproxy", resync="off").alarms)

    assert names == {
        f"c0-{one}" for one in BY_HAPROXY | {"failed-events", "task-churn", "backend-down"}
    }


@pytest.mark.parametrize(("label", "name"), TOLD)
def test_alarm_is_about_its_metric(probed: Shown, label: str, name: str) -> None:
    """Under the name that is written; what silence means is chosen for each."""
    alarm = short(probed, label)[name]
    keys = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator")

    assert (
        tuple(alarm[key] for key in (*keys, "Threshold", "TreatMissingData")) == TOLD[label, name]
    )


def test_redirects_are_held_against_a_band_from_above(probed: Shown) -> None:
    """CloudWatch wants the series and its band returned, and no fixed threshold."""
    alarm = short(probed, "c0")["redirects-unusual"]
    metrics = {one["Id"]: one for one in alarm["Metrics"]}

    assert alarm["ThresholdMetricId"] == "band"
    assert alarm["ComparisonOperator"] == "GreaterThanUpperThreshold"
    assert "Threshold" not in alarm
    assert metrics["moved"]["MetricStat"]["Metric"] == {
        "Namespace": NAMESPACE,
        "MetricName": ProbeMetric.MOVED,
        "Dimensions": [{"Name": Dimension.CLUSTER, "Value": "c0"}],
    }
    assert metrics["unusual"]["Expression"] == "IF(moved > 100, moved, 0)"
    assert metrics["band"]["Expression"] == "ANOMALY_DETECTION_BAND(unusual, 3)"
    assert {key for key, one in metrics.items() if one["ReturnData"]} == {"unusual", "band"}
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (3, "ignore")


@pytest.mark.parametrize("label", ["c0", "c1-shared", "c2-envoy"])
def test_alarm_says_what_it_means_and_where_to_read_on(probed: Shown, label: str) -> None:
    """tests/unit/docs/test_runbook.py holds that the link leads there."""
    for name, alarm in short(probed, label).items():
        assert alarm["AlarmDescription"] == render_description(label, name)
        assert alarm["AlarmName"] == f"nodeway-dev-{label}-{name}"


def test_every_alarm_tells_the_topic_and_most_their_end_too(probed: Shown) -> None:
    """Of what happened once there is no end to tell."""
    (topic,) = probed.synthesis.resources("monitoring", "AWS::SNS::Topic")
    for name, alarm in probed.alarms.items():
        silent = any(name.endswith(f"-{one}") for one in SILENT_AT_ITS_END)
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        assert alarm.get("OKActions") == (None if silent else [{"Ref": topic}]), name


def test_topic_is_made_for_these_alarms_only_and_over_tls(probed: Shown) -> None:
    """Without the second statement nobody could publish: a policy takes the place of SNS' own."""
    (topic,) = probed.synthesis.resources("monitoring", "AWS::SNS::Topic")
    document = probed.synthesis.only("monitoring", "AWS::SNS::TopicPolicy")["PolicyDocument"]
    tls, alarms = concrete(document["Statement"], probed.synthesis, {topic: "TOPIC"})

    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (alarms["Effect"], alarms["Action"]) == ("Allow", "sns:Publish")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {
            "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:nodeway-dev-*"
        },
    }


def test_address_subscribes_to_the_topic_that_is_made() -> None:
    found = shown("haproxy", alarm_email="on-call@example.com").synthesis
    (topic,) = found.resources("monitoring", "AWS::SNS::Topic")

    assert found.only("monitoring", "AWS::SNS::Subscription") == {
        "Protocol": "email",
        "TopicArn": {"Ref": topic},
        "Endpoint": "on-call@example.com",
    }


def test_given_topic_is_used_and_none_made() -> None:
    """Its policy is its owner's."""
    found = shown("haproxy", alarm_topic_arn=PAGER)

    assert {str(one["AlarmActions"]) for one in found.alarms.values()} == {str([PAGER])}
    for kind in ("Topic", "TopicPolicy", "Subscription"):
        assert not found.synthesis.resources("monitoring", f"AWS::SNS::{kind}")


def test_cfn_lint_finds_nothing_in_all_ways_with_a_probe(probed: Shown) -> None:
    assert findings(probed.template) == []


def test_deployed_last_and_removed_first(dev: Synthesis) -> None:
    """Nothing imports anything of it, so that it never holds another stack back."""
    order = [one.stack_name for one in dev.assembly.stacks]

    assert order[-1] == "nodeway-dev-monitoring"
    assert {"haproxy", "resync"} <= waits_for(dev, "-monitoring")
    assert "nodeway-dev-monitoring:" not in str({**dev.templates, "monitoring": {}})
