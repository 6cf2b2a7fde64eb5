"""Functions of the fake AWS run as their role, and hear of tasks."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lab import layout
from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    TRUST,
    answer_of,
    client,
    create_stack,
    run_tasks,
    wait_for,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

FUNCTION = """
import json, os, time, boto3, layered
def handle(event, context):
    with open(os.environ["SEEN"], "a") as seen:
        print(json.dumps({"detail-type": event.get("detail-type"), "detail": event.get("detail")}), file=seen)
    time.sleep(event.get("sleep", 0))
    try:
        denied = boto3.client("s3").list_buckets()["ResponseMetadata"]["HTTPStatusCode"]
    except Exception as error:
        denied = str(error)
    who = boto3.client("sts").get_caller_identity()["Arn"]
    return {"who": who, "denied": denied, "layer": layered.__file__, "leaked": sorted(set(os.environ) & {"LEAK"})}
"""


def archive(name: str, text: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archived:
        archived.writestr(name, text)
    return data.getvalue()


def function() -> dict[str, Any]:
    s3, functions, seen = client("s3"), client("lambda"), layout.run_dir() / "events.jsonl"
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="function.zip", Body=archive("index.py", FUNCTION))
    s3.put_object(Bucket="assets", Key="layer.zip", Body=archive("python/layered.py", ""))
    arn = {"Fn::GetAtt": ["Function", "Arn"]}
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}

    def rule(name: str) -> dict[str, Any]:
        target = {"Id": "f", "Arn": {"Fn::GetAtt": [name, "Arn"]}}
        return {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": pattern, "Targets": [target]},
        }

    properties = {
        "Runtime": "python3.13",
        "Handler": "index.handle",
        "Timeout": 30,
        "Code": {"S3Bucket": "assets", "S3Key": "function.zip"},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Layers": [{"Ref": "Layer"}],
        "ReservedConcurrentExecutions": 1,
    }
    other = str(seen) + ".unpermitted"
    state = create_stack(
        "function",
        Role={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        Layer={
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": {"S3Bucket": "assets", "S3Key": "layer.zip"}},
        },
        Function={
            "Type": "AWS::Lambda::Function",
            "Properties": {
                **properties,
                "FunctionName": "f",
                "Environment": {"Variables": {"SEEN": str(seen)}},
            },
        },
        Unpermitted={
            "Type": "AWS::Lambda::Function",
            "Properties": {
                **properties,
                "FunctionName": "g",
                "Environment": {"Variables": {"SEEN": other}},
            },
        },
        Rule=rule("Function"),
        Other=rule("Unpermitted"),
        Permission={
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn,
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
    )
    answer = json.loads(functions.invoke(FunctionName="f", Payload=b"{}")["Payload"].read())
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"sleep": 3}))
    wait_until(lambda: seen.read_text().count("\n") == 2, timeout_seconds=60, what="the event")
    busy = answer_of(functions.invoke, FunctionName="f", Payload=b"{}")
    (arn_of_task,) = run_tasks("healthy")
    wait_for(arn_of_task, "lastStatus", "RUNNING")
    client("ecs").stop_task(cluster=CLUSTER, task=arn_of_task)
    wait_for(arn_of_task, "lastStatus", "STOPPED")

    def events() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in seen.read_text().splitlines()]
        details = [
            line["detail"] for line in lines if line["detail-type"] == "ECS Task State Change"
        ]
        own = [detail for detail in details if detail["taskArn"] == arn_of_task]
        return own if own and own[-1]["lastStatus"] == "STOPPED" else []

    told = wait_until(events, timeout_seconds=60, what="the task's events")
    return {
        "state": state,
        "answer": answer,
        "busy": busy,
        "states": [[event["lastStatus"], event["desiredStatus"]] for event in told],
        "attachment": told[-1]["attachments"][0]["type"],
        "unpermitted": Path(other).exists(),
    }


def test_a_function_runs_as_its_role_and_hears_of_tasks(account: Room) -> None:
    seen = account.call(function)

    assert seen["state"] == ["CREATE_COMPLETE", ""]
    assert ":assumed-role/" in seen["answer"]["who"]
    assert "AccessDenied" in seen["answer"]["denied"]
    assert seen["answer"]["layer"].endswith("python/layered.py")
    assert seen["answer"]["leaked"] == []
    assert seen["busy"].startswith("TooManyRequestsException")
    assert seen["states"] == [
        ["PROVISIONING", "RUNNING"],
        ["PENDING", "RUNNING"],
        ["RUNNING", "RUNNING"],
        ["RUNNING", "STOPPED"],
        ["DEPROVISIONING", "STOPPED"],
        ["STOPPED", "STOPPED"],
    ]
    assert seen["attachment"] == "eni"
    assert not seen["unpermitted"]
