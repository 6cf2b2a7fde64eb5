"""The function's template: what it may do, what wakes it, and in which order things come and go."""

import json

from nodeway_runtime.model.settings import Settings, StandInSettings, parse_stand_in
from nodeway_runtime.model.topology import hostname
from tests.support.synth.policy import concrete
from tests.synth.conftest import Synthesis, Synthesise

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"


def test_function_runs_one_at_a_time_and_its_failures_are_kept(dev: Synthesis) -> None:
    """Two runs could undo each other; an event that failed thrice is in a queue for two weeks."""
    function = dev.only("resync", "AWS::Lambda::Function")
    events = dev.only("resync", "AWS::Lambda::EventInvokeConfig")
    queue = dev.only("resync", "AWS::SQS::Queue")

    assert (function["ReservedConcurrentExecutions"], function["Timeout"], function["Handler"]) == (
        1,
        600,
        "nodeway_runtime.functions.resync.handle",
    )
    assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (2, 600)
    assert events["DestinationConfig"]["OnFailure"]["Destination"] == {
        "Fn::GetAtt": ["Failures8A3E1A2F", "Arn"]
    }
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (14 * 86_400, True)


def test_function_is_told_what_its_settings_need(dev: Synthesis, rich: Synthesis) -> None:
    """The settings take what the stack gives; a pin of another zone stays out."""
    plain, several = (
        one.only("resync", "AWS::Lambda::Function")["Environment"]["Variables"]
        for one in (dev, rich)
    )
    texts = concrete(several, rich, {})

    settings = Settings.from_environment(texts)

    assert (plain["TTL_SECONDS"], plain["RESYNC"], plain["PINS"]) == ("5", "on", "{}")
    assert (plain["APPROVE"], plain["TAKE_OVER"], plain["MAX_STAND_INS"]) == ("", "false", "10")
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
    assert {name for name, value in several.items() if not isinstance(value, str)} == {
        "HOSTED_ZONE_ID",
        "ECS_CLUSTER",
        "STAND_IN",
    }


def test_function_is_told_how_to_start_a_stand_in(dev: Synthesis) -> None:
    """The family and not a revision; where the nodes' own HAProxies run, with what they may reach."""
    (group,) = dev.resources("haproxy", "AWS::EC2::SecurityGroup")
    (zone,) = dev.resources("resync", "AWS::Route53::HostedZone")
    (task,) = [
        one["Properties"]["Family"]
        for key, one in dev.resources("resync", "AWS::ECS::TaskDefinition").items()
        if key.startswith("StandIn")
    ]
    known = {f"{group}.GroupId": "sg-0000000a", zone: "Z0PARKING"}
    told = dev.only("resync", "AWS::Lambda::Function")["Environment"]["Variables"]["STAND_IN"]

    assert parse_stand_in(concrete(told, dev, known)) == StandInSettings(
        task_definition=task,
        subnets=("subnet-0a1b2c3d4e5f60701", "subnet-0a1b2c3d4e5f60702"),
        security_group="sg-0000000a",
        zone_id="Z0PARKING",
        zone_name=hostname("sessions.dev.nodeway.internal"),
    )


def test_rules_wake_the_function_every_minute_and_on_events(dev: Synthesis) -> None:
    """The schedule is the guarantee; task changes of this cluster and topology calls make it fast."""
    rules = {
        key: one["Properties"] for key, one in dev.resources("resync", "AWS::Events::Rule").items()
    }
    patterns = [one["EventPattern"] for one in rules.values() if "EventPattern" in one]

    assert [one["ScheduleExpression"] for one in rules.values() if "ScheduleExpression" in one] == [
        "rate(1 minute)"
    ]
    (tasks,) = [one for one in patterns if one["source"] == ["aws.ecs"]]
    (calls,) = [one for one in patterns if one["source"] == ["aws.elasticache"]]
    assert tasks["detail-type"] == ["ECS Task State Change"]
    assert list(tasks["detail"]["clusterArn"][0]) == ["Fn::ImportValue"]
    assert set(tasks["detail"]["lastStatus"]) == {"RUNNING", "DEACTIVATING", "STOPPED"}
    assert calls["detail"]["eventSource"] == ["elasticache.amazonaws.com"]
    assert "ModifyReplicationGroupShardConfiguration" in calls["detail"]["eventName"]
    for rule in rules.values():
        assert [target["Arn"] for target in rule["Targets"]] == [
            {"Fn::GetAtt": ["Function76856677", "Arn"]}
        ]


def test_each_rule_may_call_the_function_and_nobody_else(dev: Synthesis) -> None:
    """One permission a rule, and one for the topic, for its own ARN."""
    permissions = [
        one["Properties"] for one in dev.resources("resync", "AWS::Lambda::Permission").values()
    ]

    assert {one["Action"] for one in permissions} == {"lambda:InvokeFunction"}
    assert sorted(
        one["SourceArn"]["Fn::GetAtt"][0]
        for one in permissions
        if one["Principal"] == "events.amazonaws.com"
    ) == sorted(dev.resources("resync", "AWS::Events::Rule"))
    assert [
        one["SourceArn"]["Ref"] for one in permissions if one["Principal"] == "sns.amazonaws.com"
    ] == list(dev.resources("resync", "AWS::SNS::Topic"))
    assert {one["Principal"] for one in permissions} == {
        "events.amazonaws.com",
        "sns.amazonaws.com",
    }


def test_records_come_after_the_services_and_the_rules_after_the_records(dev: Synthesis) -> None:
    """Made last and removed first: no scheduled run beside a deployment's first or last."""
    (stack,) = [one for one in dev.assembly.stacks if one.stack_name.endswith("-resync")]
    (records,) = dev.resources("resync", "Custom::NodewayRecords").values()

    assert {"nodeway-dev-sessions-haproxy", "nodeway-dev-sessions-dns"} <= {
        one.id for one in stack.dependencies
    }
    ((key, function),) = dev.resources("resync", "AWS::Lambda::Function").items()
    assert records["Properties"]["ServiceToken"] == {"Fn::GetAtt": [key, "Arn"]}
    assert set(dev.resources("resync", "AWS::IAM::Policy")) <= set(function["DependsOn"])
    for kind in ("AWS::Events::Rule", "AWS::SNS::Topic"):
        for one in dev.resources("resync", kind).values():
            assert one["DependsOn"] == ["Records"]


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


def test_queue_takes_only_encrypted_connections(dev: Synthesis) -> None:
    """Without TLS nobody reads or writes a failed event."""
    text = json.dumps(dev.only("resync", "AWS::SQS::QueuePolicy"))

    assert '"Effect": "Deny"' in text
    assert '"aws:SecureTransport": "false"' in text
