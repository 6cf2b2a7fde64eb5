"""What people hear about: each alarm's metric, when it rings, what silence is, whom it tells, where to read on."""

import json
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from nodeway.constructs.monitoring.alarm_texts import MEANINGS, render_description
from nodeway.pricing.usage import ALARMS, LOGIN_ALARMS, PROBE_ALARMS
from nodeway_runtime.model.metrics import (
    NAMESPACE,
    Dimension,
    EnvoyMetric,
    HaproxyMetric,
    ProbeMetric,
    ResyncMetric,
)
from tests.support.synth.monitored import Shown, shown
from tests.support.synth.policy import concrete
from tests.synth.conftest import Synthesis, Synthesise

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
    "no-success": (ResyncMetric.SECONDS_SINCE_SUCCESS, "Minimum", 60, 5, AT_LEAST, 1, "breaching"),
    "guard-tripped": (ResyncMetric.GUARD_TRIPPED, "Maximum", 60, 3, AT_LEAST, 1, "ignore"),
    "node-without-proxy": (
        ResyncMetric.NODES_WITHOUT_OWN_PROXY,
        "Minimum",
        300,
        6,
        AT_LEAST,
        1,
        "ignore",
    ),
    "stand-in-limit": (
        ResyncMetric.NODES_OVER_STAND_IN_LIMIT,
        "Maximum",
        60,
        1,
        AT_LEAST,
        1,
        "ignore",
    ),
    "failed-events": (
        *("ApproximateNumberOfMessagesVisible", "Maximum", 60),
        *(1, AT_LEAST, 1, "notBreaching"),
    ),
    "path-broken": (ProbeMetric.PATHS_BROKEN, "Maximum", 60, 3, AT_LEAST, 1, "ignore"),
    "probe-silent": (
        ProbeMetric.PATHS_WALKED,
        "SampleCount",
        60,
        5,
        "LessThanThreshold",
        1,
        "breaching",
    ),
    "backend-down": (HaproxyMetric.BACKEND_DOWN, "Maximum", 60, 5, AT_LEAST, 1, "ignore"),
    "haproxy-restarts": (HaproxyMetric.STARTS, "Sum", 300, 12, AT_LEAST, 1, "notBreaching"),
    "task-churn": ("TriggeredRules", "Sum", 900, 1, AT_LEAST, 3, "notBreaching"),
}
"""Metric, statistic, seconds, periods, how it is compared with what, and what missing data is."""
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


@pytest.mark.parametrize("way", EXPECTED)
def test_cluster_has_the_alarms_of_its_way_and_no_other(way: str) -> None:
    """An alarm on a metric that nobody writes would never ring, or always."""
    assert {name.removeprefix(f"{LABELS[way]}-") for name in shown(way).alarms} == EXPECTED[way]


@pytest.mark.parametrize("way", EXPECTED)
def test_estimate_counts_the_metrics_that_are_looked_at(way: str) -> None:
    """CloudWatch takes money for each of them, not for each alarm."""
    assert looked_at(shown(way)) == ALARMS[way]


def test_estimate_counts_those_of_a_probe() -> None:
    """One that may not log in has no redirects to look at."""
    plain, logged_in = (
        shown("haproxy", probe=True, login=False),
        shown("haproxy", probe=True),
    )

    assert looked_at(plain) == ALARMS["haproxy"] + PROBE_ALARMS
    # one metric, which is paid for with both ends of its band
    assert looked_at(logged_in) == ALARMS["haproxy"] + PROBE_ALARMS + LOGIN_ALARMS - 2


def looked_at(found: Shown) -> int:
    """How many metrics the alarms look at."""
    lines = [
        line
        for alarm in found.alarms.values()
        for line in alarm.get("Metrics", [{"MetricStat": alarm.get("MetricName")}])
    ]
    return len([line for line in lines if "MetricStat" in line])


@pytest.mark.parametrize(
    ("way", "more"),
    [
        ("haproxy", {"path-broken", "probe-silent", "redirects-unusual"}),
        ("shared", {"path-broken", "probe-silent", "redirects-unusual"}),
        ("envoy", {"path-broken", "probe-silent"}),
    ],
)
def test_probe_brings_its_own(way: str, more: set[str]) -> None:
    found = shown(way, probe=True).alarms

    assert {name.removeprefix(f"{LABELS[way]}-") for name in found} == EXPECTED[way] | more


def test_probe_that_may_not_log_in_counts_no_redirects() -> None:
    """So that no alarm waits for them, and no graph is empty."""
    one = shown("haproxy", probe=True, login=False)

    assert "c0-path-broken" in one.alarms
    assert "c0-redirects-unusual" not in one.alarms
    assert f'"{ProbeMetric.MOVED}"' not in one.body


def test_without_a_schedule_its_silence_is_no_alarm() -> None:
    """resync=off was chosen: only what an event or a task tells is left."""
    names = set(shown("haproxy", resync="off").alarms)

    assert names == {
        f"c0-{one}" for one in BY_HAPROXY | {"failed-events", "task-churn", "backend-down"}
    }


@pytest.mark.parametrize("name", TOLD)
def test_alarm_is_about_its_metric(probed: Shown, name: str) -> None:
    """Under the name that is written; what silence means is chosen for each."""
    alarm = short(probed, "c0")[name]
    keys = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator")

    assert tuple(alarm[key] for key in (*keys, "Threshold", "TreatMissingData")) == TOLD[name]
    if alarm["Namespace"] == NAMESPACE:
        assert alarm["Dimensions"] == [{"Name": Dimension.CLUSTER, "Value": "c0"}]


def test_fleet_without_a_proxy_is_heard_of_sooner(probed: Shown) -> None:
    """It is one name, and no stand-in is there for it."""
    alarm = short(probed, "c1-shared")["fleet-without-proxy"]

    assert (alarm["MetricName"], alarm["Statistic"]) == (
        ResyncMetric.NODES_WITHOUT_OWN_PROXY,
        "Minimum",
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 5)


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [
        ("envoy-connect-failures", EnvoyMetric.CONNECT_FAILURES, 10),
        ("envoy-topology-failures", EnvoyMetric.TOPOLOGY_FAILURES, 1),
    ],
)
def test_envoys_failures_are_for_a_quarter_of_an_hour(
    probed: Shown, name: str, metric: str, threshold: int
) -> None:
    alarm = short(probed, "c2-envoy")[name]

    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == (
        metric,
        "Sum",
        threshold,
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 3)
    assert alarm["TreatMissingData"] == "ignore"


def test_rate_of_abnormal_sessions_is_not_that_of_a_handful(probed: Shown) -> None:
    """And no line of such a session is no such session."""
    alarm = short(probed, "c0")["abnormal-sessions"]
    rate, *of = alarm["Metrics"]

    assert rate["Expression"] == "IF(sessions >= 100, 100 * FILL(abnormal, 0) / sessions, 0)"
    assert {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in of} == {
        "sessions": HaproxyMetric.SESSIONS,
        "abnormal": HaproxyMetric.ABNORMAL_SESSIONS,
    }
    assert {(one["MetricStat"]["Stat"], one["MetricStat"]["Period"]) for one in of} == {
        ("Sum", 300)
    }
    assert [one["ReturnData"] for one in alarm["Metrics"]] == [True, False, False]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 5)
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (3, "ignore")


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


def test_cfn_lint_has_nothing_to_say_of_all_ways_with_a_probe(probed: Shown) -> None:
    """tests/synth/app/test_app.py has it for what `dev` is; W3005: the CDK itself states dependencies twice."""
    found = lint(
        json.dumps(probed.template),
        config=ManualArgs(regions=["us-east-1"], ignore_checks=["W3005"]),
    )

    assert [str(match) for match in found] == []


def test_stopped_tasks_are_kept_and_counted(probed: Shown) -> None:
    """A rule for each ECS cluster, and a policy by which EventBridge may write into the one log group."""
    found = probed.synthesis
    rules = [
        one["Properties"] for one in found.resources("monitoring", "AWS::Events::Rule").values()
    ]
    (group,) = found.resources("monitoring", "AWS::Logs::LogGroup").values()
    policy = found.only("monitoring", "AWS::Logs::ResourcePolicy")["PolicyDocument"]
    detail = rules[0]["EventPattern"]["detail"]

    assert len({str(one["EventPattern"]["detail"]["clusterArn"]) for one in rules}) == 3
    assert detail["lastStatus"] == ["STOPPED"]
    assert detail["$or"] == [
        {"stopCode": [{"anything-but": ["ServiceSchedulerInitiated", "UserInitiated"]}]},
        {"stoppedReason": [{"wildcard": "*health check*"}]},
    ]
    assert group["DeletionPolicy"] == "Delete"
    assert "/aws/events/" in str(group["Properties"]["LogGroupName"])
    assert "events.amazonaws.com" in str(policy)
    for one in rules:
        assert ":log-group:/aws/events/" in str(one["Targets"])


def test_deployed_last_and_removed_first(dev: Synthesis) -> None:
    """Nothing imports anything of it, so that it never holds another stack back."""
    order = [one.stack_name for one in dev.assembly.stacks]
    (own,) = [one for one in dev.assembly.stacks if one.stack_name == "nodeway-dev-monitoring"]
    needs = {one.id for one in own.dependencies}

    assert order[-1] == own.stack_name
    assert {"nodeway-dev-sessions-haproxy", "nodeway-dev-sessions-resync"} <= needs
    assert "nodeway-dev-monitoring:" not in str({**dev.templates, "monitoring": {}})


def test_node_more_changes_nothing_of_it(dev: Synthesis, synthesise: Synthesise) -> None:
    """Neither alarm nor dashboard: whatever a deploy of new nodes touches, this is not it."""
    zone = "sessions.a1b2c3.use1.cache.amazonaws.com"
    more = synthesise(nodes=",".join(f"sessions-{n:04}-001.{zone}" for n in range(1, 8)))

    assert more.templates["monitoring"] == dev.templates["monitoring"]
