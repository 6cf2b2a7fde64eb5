"""What watches a deployment, in the fake AWS: the events of a log group, and alarms on expressions."""

import json
import os
import signal
from typing import Any

import pytest

from lab import layout
from lab.wait import wait_until
from nodeway.constructs.monitoring.stopped_tasks import UNINTENTIONAL
from tests.support.lab.account import (
    CLUSTER,
    client,
    create_stack,
    process_of,
    run_tasks,
    wait_for,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

WHERE = f"{layout.REGION}:{layout.ACCOUNT}"
LOGS = f"arn:aws:logs:{WHERE}:log-group:/aws/events"


def kept(name: str) -> dict[str, dict[str, Any]]:
    """A log group, and a rule that sends it the tasks that stopped by themselves."""
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [f"arn:aws:ecs:{WHERE}:cluster/{CLUSTER}"],
            "lastStatus": ["STOPPED"],
            "$or": UNINTENTIONAL,
        },
    }
    rule = {"EventPattern": pattern, "Targets": [{"Id": "Logs", "Arn": f"{LOGS}/{name}"}]}
    return {
        "Group": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/events/{name}"},
        },
        "Rule": {"Type": "AWS::Events::Rule", "DependsOn": ["Group"], "Properties": rule},
    }


def policy(name: str) -> dict[str, Any]:
    """Lets EventBridge write into that group."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{LOGS}/{name}:*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    told = {"PolicyName": name, "PolicyDocument": document}
    return {"Type": "AWS::Logs::ResourcePolicy", "Properties": told}


def lines(name: str) -> list[dict[str, Any]]:
    """The events in a group."""
    found = client("logs").filter_log_events(logGroupName=f"/aws/events/{name}")["events"]
    return [json.loads(one["message"]) for one in found]


def stopped_tasks() -> dict[str, Any]:
    """Two tasks end, one of them by a person: what a group with a policy has of them, and one without."""
    states = [
        create_stack("kept", **kept("kept"), Policy=policy("kept"))[0],
        create_stack("shut", **kept("shut"))[0],
    ]
    (killed,) = run_tasks("healthy")
    (meant,) = run_tasks("healthy")
    for arn in (killed, meant):
        wait_for(arn, "lastStatus", "RUNNING")
    client("ecs").stop_task(cluster=CLUSTER, task=meant)
    wait_for(meant, "lastStatus", "STOPPED")
    os.kill(process_of(killed), signal.SIGKILL)
    wait_for(killed, "lastStatus", "STOPPED")
    wait_until(lambda: lines("kept"), timeout_seconds=60, what="the event")
    return {
        "states": states,
        "kept": [one["detail"]["taskArn"] == killed for one in lines("kept")],
        "why": lines("kept")[0]["detail"]["stopCode"],
        "shut": lines("shut"),
    }


def test_a_rule_writes_its_events_where_a_policy_lets_it(account: Room) -> None:
    """The task that a person stopped is not told of; without a policy nothing is written, as on AWS."""
    assert account.call(stopped_tasks) == {
        "states": ["CREATE_COMPLETE", "CREATE_COMPLETE"],
        "kept": [True],
        "why": "EssentialContainerExited",
        "shut": [],
    }


def alarm(*metrics: dict[str, Any], **properties: object) -> dict[str, Any]:
    """An alarm on expressions."""
    told = {
        "AlarmName": "watched",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 3,
        "Metrics": list(metrics),
        **properties,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": told}


def alarms() -> dict[str, Any]:
    """A good one with a band, and what CloudWatch refuses."""
    source = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    moved = {"Id": "moved", "MetricStat": source, "ReturnData": False}
    many = {"Id": "many", "Expression": "IF(moved > 1, moved, 0)", "ReturnData": True}
    band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(many, 3)", "ReturnData": True}
    upper = {"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "band"}
    bad = {
        "both": alarm(moved, many, band, Threshold=1, **upper),
        "two": alarm(moved | {"ReturnData": True}, many, Threshold=1),
        "no band": alarm(moved, many, band | {"Expression": "many * 2"}, **upper),
        "search": alarm({"Id": "s", "Expression": "SEARCH('{N} M', 'Sum')"}, Threshold=1),
        "operator": alarm(moved, many, band, ThresholdMetricId="band"),
        "typo": alarm(moved | {"Metric": 1}, many, Threshold=1),
    }
    made = create_stack("good", Alarm=alarm(moved, many, band, **upper))[0]
    (found,) = client("cloudwatch").describe_alarms(AlarmNames=["watched"])["MetricAlarms"]
    client("cloudformation").delete_stack(StackName="good")
    refused = {name: create_stack(name.replace(" ", ""), Alarm=one)[1] for name, one in bad.items()}
    return {"made": made, "state": found["StateValue"], "refused": refused}


def test_an_alarm_on_expressions_is_judged_as_cloudwatch_does(account: Room) -> None:
    seen = account.call(alarms)

    assert (seen["made"], seen["state"]) == ("CREATE_COMPLETE", "INSUFFICIENT_DATA")
    for name, reason in {
        "both": "either Threshold or ThresholdMetricId",
        "two": "exactly one of Metrics returns data",
        "no band": "must use ANOMALY_DETECTION_BAND",
        "search": "SEARCH has no alarm",
        "operator": "ComparisonOperator is not for this threshold",
        "typo": "Metric",
    }.items():
        assert reason in seen["refused"][name], name
