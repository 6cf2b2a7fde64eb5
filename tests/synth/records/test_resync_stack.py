"""The function's template: what it is told, who may call it, and its queue and topic."""

import json

from nodeway_runtime.model.settings import Settings
from tests.support.synth.policy import concrete
from tests.support.synth.shapes import properties
from tests.synth.conftest import Synthesis, Synthesise

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"


def test_function_is_told_what_its_settings_need(rich: Synthesis) -> None:
    """The settings take what the stack gives; a pin of another zone stays out."""
    variables = rich.only("resync", "AWS::Lambda::Function")["Environment"]["Variables"]

    settings = Settings.from_environment(concrete(variables, rich, {}))

    assert (settings.ttl_seconds, settings.mode, settings.zone_name) == (9, "observe", ZONE)
    assert settings.pins == {f"sessions-0001-001.{ZONE}": ("10.9.0.1",)}
    assert (settings.owner, settings.proxy_vpc_id) == (
        "nodeway/dev/sessions",
        "vpc-0a1b2c3d4e5f60718",
    )
    assert (settings.approve, settings.take_over, settings.max_stand_ins) == (
        "0123456789ab",
        True,
        3,
    )
    assert {name for name, value in variables.items() if not isinstance(value, str)} == {
        "HOSTED_ZONE_ID",
        "ECS_CLUSTER",
        "STAND_IN",
    }


def test_each_rule_may_call_the_function_and_nobody_else(dev: Synthesis) -> None:
    """One permission a rule, and one for the topic, for its own ARN."""
    permissions = properties(dev, "resync", "AWS::Lambda::Permission")
    (topic,) = dev.resources("resync", "AWS::SNS::Topic")

    assert {one["Action"] for one in permissions} == {"lambda:InvokeFunction"}
    assert {(one["Principal"], one["SourceArn"]) for one in permissions} == {
        ("sns.amazonaws.com", f"<{topic}>"),
        *(
            ("events.amazonaws.com", f"<{rule}.Arn>")
            for rule in dev.resources("resync", "AWS::Events::Rule")
        ),
    }


def test_records_are_made_true_again_when_anything_is_deployed_differently(
    dev: Synthesis, rich: Synthesis
) -> None:
    """Another configuration is another value, so CloudFormation calls the function."""
    one, other = (s.only("resync", "Custom::NodewayRecords") for s in (dev, rich))

    assert len(one["Deployed"]) == 64
    assert one["Deployed"] != other["Deployed"]
    assert one["ServiceTimeout"] == "600"


def test_off_has_no_schedule_and_no_events(synthesise: Synthesise) -> None:
    """`-c resync=off` leaves the zone to people."""
    off = synthesise(resync="off")

    assert off.resources("resync", "AWS::Events::Rule") == {}
    assert (
        off.only("resync", "AWS::Lambda::Function")["Environment"]["Variables"]["RESYNC"] == "off"
    )
    assert len(off.resources("resync", "Custom::NodewayRecords")) == 1


def test_queue_is_encrypted_and_takes_only_encrypted_connections(dev: Synthesis) -> None:
    """Without TLS nobody reads or writes a failed event."""
    text = json.dumps(dev.only("resync", "AWS::SQS::QueuePolicy"))

    assert dev.only("resync", "AWS::SQS::Queue")["SqsManagedSseEnabled"] is True
    assert '"Effect": "Deny"' in text
    assert '"aws:SecureTransport": "false"' in text


def test_topic_is_for_elasticache_of_this_account_only(dev: Synthesis) -> None:
    """Both forms of the condition that AWS documents; it is not encrypted, as ElastiCache could not publish then."""
    (key,) = dev.resources("resync", "AWS::SNS::Topic")
    document = dev.only("resync", "AWS::SNS::TopicPolicy")["PolicyDocument"]

    assert "KmsMasterKeyId" not in json.dumps(dev.resources("resync", "AWS::SNS::Topic"))
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
