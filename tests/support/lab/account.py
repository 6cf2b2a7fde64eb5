"""The fake AWS account for tests: what is made in it, and how it answers. Functions run inside a room."""

import json
import os
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lab import layout
from lab.cluster import certificates
from lab.containers import container as containers
from lab.deployment import cdk as aws
from lab.host import network
from lab.wait import wait_until

CLUSTER = "proxies"

IMAGE = "public.ecr.aws/docker/library/haproxy:3.2.21-alpine"

ZONE = "demo.test."

HAPROXY = """defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend live
  bind *:8405
  http-request return status 200 content-type text/plain string alive
"""

SUBNETS = [subnet.subnet_id for subnet in layout.PROXY_SUBNETS]

NETWORK = {
    "awsvpcConfiguration": {
        "subnets": SUBNETS,
        "securityGroups": [layout.CACHE_SECURITY_GROUP],
    }
}

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*", "Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def client(service: str, **options: str) -> Any:  # noqa: ANN401 (boto3 makes clients by name)
    """A client of the fake account; runs inside the sandbox."""
    os.environ.update(aws.environment())
    make: Any = boto3.client
    return make(service, config=Config(retries={"max_attempts": 0}), **options)


def start_account() -> bool:
    run_dir = layout.run_dir()
    network.up(run_dir)
    certificates.make(run_dir)
    os.environ["LEAK"] = "of the machine"
    process = aws.start(run_dir)
    (run_dir / "aws.pid").write_text(str(process.pid))
    client("ecs").create_cluster(clusterName=CLUSTER)
    register("healthy")
    return True


def answer_of(call: Callable[..., object], **arguments: object) -> str:
    """The error that a call ends with; an accepted call fails the test."""
    try:
        call(**arguments)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return "accepted"


def container_definition(**changes: object) -> dict[str, Any]:
    return {
        "name": "haproxy",
        "image": IMAGE,
        "entryPoint": ["/bin/sh", "-c"],
        "command": ['printf %s "$CONFIG" > /tmp/haproxy.cfg && exec haproxy -f /tmp/haproxy.cfg'],
        "environment": [{"name": "CONFIG", "value": HAPROXY}],
        "stopTimeout": 2,
        "healthCheck": {
            "command": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8405/ || exit 1"],
            "interval": 5,
            "timeout": 2,
            "retries": 1,
        },
    } | changes


def register(family: str, **changes: object) -> dict[str, Any]:
    answer = client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container_definition(**changes)],
    )
    definition: dict[str, Any] = answer["taskDefinition"]
    return definition


def run_tasks(family: str, **options: object) -> list[str]:
    answer = client("ecs").run_task(
        cluster=CLUSTER,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        **options,
    )
    return [task["taskArn"] for task in answer["tasks"]]


def describe_task(arn: str) -> dict[str, Any]:
    answer = client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn], include=["TAGS"])
    found: dict[str, Any] = answer["tasks"][0]
    return found


def wait_for(arn: str, member: str, value: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = describe_task(arn)
        return found if found.get(member) == value else None

    return wait_until(look, timeout_seconds=60, what=f"{member} {value}") or {}


def read_log(arn: str) -> str:
    (log,) = (layout.run_dir() / "logs").glob(f"task-{arn.rsplit('/', 1)[-1]}-*.log")
    return log.read_text()


def process_of(arn: str) -> int:
    (found,) = (c for c in containers.running(layout.run_dir()) if arn.endswith(c.task_id))
    return found.pid


def create_stack(name: str, **resources: object) -> tuple[str, str]:
    """The status that a stack of these resources ends with, and why."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return wait_for_stack(name)


def wait_for_stack(name: str) -> tuple[str, str]:
    cloudformation = client("cloudformation")

    def done() -> str:
        state: str = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return "" if state.endswith("IN_PROGRESS") else state

    state = wait_until(done, timeout_seconds=180, what=f"stack {name}")
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"].endswith("FAILED")]
    return state, " ".join(reasons)


def service_resources(**changes: object) -> dict[str, Any]:
    """A task definition and a service of it, as a template says them."""
    definition = {
        "Family": "from-template",
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "Cpu": "256",
        "Memory": "512",
        "Tags": [{"Key": "node", "Value": "demo-0001-001"}],
        "ContainerDefinitions": [
            to_pascal_case(
                container_definition(
                    ulimits=[{"name": "nofile", "softLimit": 2048, "hardLimit": 2048}]
                )
            )
        ],
    }
    proxies = {
        "Cluster": CLUSTER,
        "DesiredCount": 2,
        "LaunchType": "FARGATE",
        "PropagateTags": "TASK_DEFINITION",
        "TaskDefinition": {"Ref": "Definition"},
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": SUBNETS}},
        "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}},
    }
    return {
        "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": definition | changes},
        "Service": {"Type": "AWS::ECS::Service", "Properties": proxies},
    }


def to_pascal_case(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, list):
        return [to_pascal_case(item) for item in value]
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: to_pascal_case(item) for name, item in value.items()}
    return value


def change(
    name: str, *values: str, kind: str = "A", action: str = "UPSERT", ttl: int = 5
) -> dict[str, Any]:
    records = [{"Value": value} for value in values]
    record_set = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": records}
    return {"Action": action, "ResourceRecordSet": record_set}
