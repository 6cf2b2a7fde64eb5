"""What people hear about, and what ElastiCache may tell: the alarms and the topic of the resync stack."""

import json

import pytest

from resync.journal import NAMESPACE
from tests.synth.conftest import Synthesis

ALARM, TOPIC = "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"


def alarms(one: Synthesis) -> dict[str, dict[str, object]]:
    """The alarms by the name that their construct has."""
    return {
        key.removeprefix("Alarms")[:-8]: alarm["Properties"]
        for key, alarm in one.resources("resync", ALARM).items()
    }


@pytest.mark.parametrize(
    ("name", "metric", "threshold", "missing"),
    [
        ("GuardTripped", "GuardTripped", 1, "notBreaching"),
        ("StandInLimit", "NodesOverStandInLimit", 1, "notBreaching"),
        ("Failures", "ApproximateNumberOfMessagesVisible", 1, "notBreaching"),
        ("NoSuccess", "SecondsSinceSuccess", 1, "breaching"),
    ],
)
def test_alarm_is_about_its_metric(
    dev: Synthesis, name: str, metric: str, threshold: int, missing: str
) -> None:
    """Under the names that the journal writes; silence is an alarm only where a run should have spoken."""
    found = alarms(dev)[name]

    assert (found["MetricName"], found["Threshold"], found["TreatMissingData"]) == (
        metric,
        threshold,
        missing,
    )
    assert found["AlarmDescription"]
    if found["Namespace"] != "AWS/SQS":
        assert found["Namespace"] == NAMESPACE
        assert found["Dimensions"] == [{"Name": "Cluster", "Value": "sessions"}]


def test_alarms_tell_the_topic_that_is_configured(dev: Synthesis, rich: Synthesis) -> None:
    """Without one they are there to be looked at."""
    topic = "arn:aws:sns:us-east-1:111122223333:pager"

    assert [one.get("AlarmActions") for one in alarms(dev).values()] == [None] * 4
    assert [one.get("AlarmActions") for one in alarms(rich).values()] == [[topic]] * 4


def test_topic_is_for_elasticache_of_this_account_only(dev: Synthesis) -> None:
    """Both forms of the condition that AWS documents; it is not encrypted, as ElastiCache could not publish then."""
    (key,) = dev.resources("resync", TOPIC)
    document = dev.only("resync", "AWS::SNS::TopicPolicy")["PolicyDocument"]

    assert "KmsMasterKeyId" not in json.dumps(dev.resources("resync", TOPIC))
    assert [
        (one["Action"], one["Resource"], one["Principal"], one["Condition"])
        for one in document["Statement"]
    ] == [
        (
            "sns:Publish",
            {"Ref": key},
            {"AWS": "*"},
            {"StringEquals": {"AWS:SourceOwner": "111122223333"}},
        ),
        (
            "sns:Publish",
            {"Ref": key},
            {"Service": "elasticache.amazonaws.com"},
            {"StringEquals": {"AWS:SourceAccount": "111122223333"}},
        ),
    ]


def test_topic_wakes_the_function(dev: Synthesis) -> None:
    """Its ARN is an output, for whoever points the replication group at it."""
    (key,) = dev.resources("resync", TOPIC)
    subscription = dev.only("resync", "AWS::SNS::Subscription")

    assert subscription["Protocol"] == "lambda"
    assert subscription["TopicArn"] == {"Ref": key}
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["Function76856677", "Arn"]}
    assert {"Ref": key} in [one["Value"] for one in dev.templates["resync"]["Outputs"].values()]
