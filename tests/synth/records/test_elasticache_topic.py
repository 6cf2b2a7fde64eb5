"""What ElastiCache may tell: the topic of the resync stack. The alarms are of the monitoring stack."""

import json

from tests.synth.conftest import Synthesis

TOPIC = "AWS::SNS::Topic"


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
