import io
import json
import os
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab import layout
from lab.cluster import certificates
from lab.containers import container as containers
from lab.deployment import cdk as aws
from lab.errors import LabError
from lab.host import network
from lab.host import syscalls as linux
from lab.wait import wait_until
from tests.support.lab.room import Room, open_room

pytestmark = pytest.mark.lab

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


def start() -> bool:
    run_dir = layout.run_dir()
    network.up(run_dir)
    certificates.make(run_dir)
    os.environ["LEAK"] = "of the machine"
    process = aws.start(run_dir)
    (run_dir / "aws.pid").write_text(str(process.pid))
    client("ecs").create_cluster(clusterName=CLUSTER)
    register("healthy")
    return True


@pytest.fixture(scope="module")
def account(room: Room) -> Room:
    """A sandbox with the fake AWS in it."""
    room.call(start)
    return room


def refusal(call: Callable[..., object], **arguments: object) -> str:
    """The error that a call ends with; an accepted call fails the test."""
    try:
        call(**arguments)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return "accepted"


def container(**changes: object) -> dict[str, Any]:
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
        containerDefinitions=[container(**changes)],
    )
    definition: dict[str, Any] = answer["taskDefinition"]
    return definition


def run(family: str, **options: object) -> list[str]:
    answer = client("ecs").run_task(
        cluster=CLUSTER,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        **options,
    )
    return [task["taskArn"] for task in answer["tasks"]]


def task(arn: str) -> dict[str, Any]:
    answer = client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn], include=["TAGS"])
    found: dict[str, Any] = answer["tasks"][0]
    return found


def until(arn: str, member: str, value: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = task(arn)
        return found if found.get(member) == value else None

    return wait_until(look, timeout_seconds=20, what=f"{member} {value}") or {}


def output(arn: str) -> str:
    (log,) = (layout.run_dir() / "logs").glob(f"task-{arn.rsplit('/', 1)[-1]}-*.log")
    return log.read_text()


def process_of(arn: str) -> int:
    (found,) = (c for c in containers.running(layout.run_dir()) if arn.endswith(c.task_id))
    return found.pid


def healthy_task() -> dict[str, Any]:
    register("healthy")
    arns = run("healthy", count=3, tags=[{"key": "node", "value": "demo-0001-001"}])
    tasks = [until(arn, "healthStatus", "HEALTHY") for arn in arns]
    details = [{d["name"]: d["value"] for d in t["attachments"][0]["details"]} for t in tasks]
    answers = [urlopen(f"http://{d['privateIPv4Address']}:8405/").read().decode() for d in details]
    for arn in arns:
        client("ecs").stop_task(cluster=CLUSTER, task=arn)
    return {
        "zones": sorted(t["availabilityZone"] for t in tasks),
        "subnets": sorted(d["subnetId"] for d in details),
        "tags": tasks[0]["tags"],
        "answers": answers,
    }


def test_a_task_is_a_process_that_answers_at_its_own_address(account: Room) -> None:
    seen = account.call(healthy_task)

    assert seen["answers"] == ["alive"] * 3
    assert seen["zones"] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert seen["subnets"] == SUBNETS
    assert seen["tags"] == [{"key": "node", "value": "demo-0001-001"}]


def inside_of_a_container() -> str:
    register(
        "inside",
        command=[
            "env; ulimit -Sn; ulimit -Hn; grep CapEff /proc/self/status; touch /usr/x; echo x > /tmp/x"
        ],
        environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        readonlyRootFilesystem=True,
        linuxParameters={"capabilities": {"drop": ["ALL"]}},
        ulimits=[{"name": "nofile", "softLimit": 300, "hardLimit": 400}],
    )
    overrides = {
        "containerOverrides": [{"name": "haproxy", "environment": [{"name": "B", "value": "3"}]}]
    }
    (arn,) = run("inside", overrides=overrides)
    until(arn, "lastStatus", "STOPPED")
    return output(arn)


def test_a_container_has_its_definition_and_nothing_of_the_machine(account: Room) -> None:
    lines = account.call(inside_of_a_container).splitlines()

    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables.keys() - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "A", "B"}
    assert (variables["A"], variables["B"]) == ("1", "3")
    assert "300" in lines
    assert "400" in lines
    assert "CapEff:\t0000000000000000" in lines
    assert sum("Read-only file system" in line for line in lines) == 2


def ends() -> dict[str, Any]:
    register(
        "deaf", command=["trap '' USR1; exec sleep 60"], healthCheck=container()["healthCheck"]
    )
    (killed,) = run("healthy")
    (stopped,) = run("healthy")
    (deaf,) = run("deaf")
    for arn in (killed, stopped, deaf):
        until(arn, "lastStatus", "RUNNING")
    wait_until(lambda: "SigIgn" in status(deaf), timeout_seconds=5, what="the program")
    os.kill(process_of(killed), signal.SIGKILL)
    for arn in (stopped, deaf):
        client("ecs").stop_task(cluster=CLUSTER, task=arn)
    at_once = task(deaf)
    until(deaf, "lastStatus", "STOPPED")
    return {
        "at once": [at_once["desiredStatus"], at_once["lastStatus"]],
        "exits": [
            until(a, "lastStatus", "STOPPED")["containers"][0]["exitCode"]
            for a in (killed, stopped, deaf)
        ],
        "reasons": [task(a)["stopCode"] for a in (killed, stopped, deaf)],
    }


def status(arn: str) -> str:
    return Path(f"/proc/{process_of(arn)}/status").read_text()


def test_a_task_ends_as_its_process_does(account: Room) -> None:
    seen = account.call(ends)

    assert seen["at once"] == ["STOPPED", "STOPPING"]
    assert seen["exits"] == [137, 0, 137]
    assert seen["reasons"] == ["EssentialContainerExited", "UserInitiated", "UserInitiated"]


def failed_starts() -> list[str]:
    register("no-image", image="haproxy:latest")
    register("no-program", entryPoint=["/nonexistent"], command=[])
    arns = [*run("no-image"), *run("no-program")]
    return [until(arn, "lastStatus", "STOPPED")["stoppedReason"] for arn in arns]


def test_what_cannot_start_says_why(account: Room) -> None:
    image, program = account.call(failed_starts)

    assert image.startswith("CannotPullContainerError")
    assert program.startswith("CannotStartContainerError")


def ecs_refusals() -> dict[str, str]:
    ecs = client("ecs")
    register("refused")
    asked = {"cluster": CLUSTER, "taskDefinition": "refused", "launchType": "FARGATE"}
    elsewhere = {"awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"]}}
    many = [f"arn:aws:ecs:us-east-1:123456789012:task/{CLUSTER}/{i:032x}" for i in range(101)]
    return {
        "parameter": refusal(ecs.run_task, networkConfiguration=NETWORK, referenceId="x", **asked),
        "override": refusal(
            ecs.run_task, networkConfiguration=NETWORK, overrides={"cpu": "512"}, **asked
        ),
        "action": refusal(ecs.describe_capacity_providers),
        "subnet": refusal(ecs.run_task, networkConfiguration=elsewhere, **asked),
        "network": refusal(ecs.run_task, **asked),
        "cluster": refusal(ecs.list_tasks, cluster="other"),
        "tasks": refusal(ecs.describe_tasks, cluster=CLUSTER, tasks=many),
        "services": refusal(
            ecs.describe_services, cluster=CLUSTER, services=[f"s{i}" for i in range(11)]
        ),
        "page": refusal(ecs.list_tasks, cluster=CLUSTER, maxResults=101),
        "service": refusal(client("dynamodb").list_tables),
        "allowed": refusal(ecs.describe_tasks, cluster=CLUSTER, tasks=many[:100]),
    }


def test_ecs_refuses_what_aws_refuses_and_what_the_lab_does_not_have(account: Room) -> None:
    seen = account.call(ecs_refusals)

    assert seen.pop("allowed") == "accepted"
    assert "accepted" not in seen.values()
    assert "referenceId" in seen["parameter"]
    assert "overrides.cpu" in seen["override"]
    assert seen["cluster"].startswith("ClusterNotFoundException")


def change(
    name: str, *values: str, kind: str = "A", action: str = "UPSERT", ttl: int = 5
) -> dict[str, Any]:
    records = [{"Value": value} for value in values]
    record_set = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": records}
    return {"Action": action, "ResourceRecordSet": record_set}


def zone() -> tuple[Any, str]:
    route53 = client("route53")
    vpc = {"VPCRegion": layout.REGION, "VPCId": layout.CLIENT_VPC.vpc_id}
    made = route53.create_hosted_zone(Name=ZONE, CallerReference="test", VPC=vpc)
    return route53, made["HostedZone"]["Id"].rsplit("/", 1)[-1]


def zone_answers() -> dict[str, str]:
    route53, identity = zone()
    soa = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5"
    long = [f"{i:03}" + "x" * 200 for i in range(80)]
    batches = {
        "fine": [change(f"a.{ZONE}", "10.0.0.1"), change(ZONE, soa, kind="SOA")],
        "replace": [
            change(f"a.{ZONE}", "10.0.0.1", action="DELETE"),
            change(f"a.{ZONE}", "10.0.0.2", action="CREATE"),
        ],
        "500 upserts": [change(f"n{i}.{ZONE}", "10.0.0.1") for i in range(500)],
        "501 upserts": [change(f"n{i}.{ZONE}", "10.0.0.1") for i in range(501)],
        "characters": [change(f"t.{ZONE}", *(f'"{text}"' for text in long), kind="TXT")],
        "twice": [change(f"b.{ZONE}", "10.0.0.1"), change(f"B.{ZONE}", "10.0.0.2")],
        "address": [change(f"b.{ZONE}", "10.0.0.256")],
        "outside": [change("b.example.com.", "10.0.0.1")],
        "suffix": [change(f"b{ZONE}", "10.0.0.1")],
        "unquoted": [change(f"b.{ZONE}", "text", kind="TXT")],
        "alias at the name": [change(f"a.{ZONE}", "b.example.com.", kind="CNAME")],
        "no soa": [change(ZONE, soa, kind="SOA", action="DELETE")],
        "other values": [change(f"a.{ZONE}", "10.9.9.9", action="DELETE")],
        "existing": [change(f"a.{ZONE}", "10.0.0.2", action="CREATE")],
    }
    apply = route53.change_resource_record_sets
    return {
        name: refusal(apply, HostedZoneId=identity, ChangeBatch={"Changes": changes})
        for name, changes in batches.items()
    }


def test_route53_judges_a_batch_as_aws_does(account: Room) -> None:
    seen = account.call(zone_answers)

    assert [name for name, answer in seen.items() if answer == "accepted"] == [
        "fine",
        "replace",
        "500 upserts",
    ]
    refused = [answer for answer in seen.values() if answer != "accepted"]
    assert all(answer.startswith("InvalidChangeBatch") for answer in refused)


def elasticache_answers() -> dict[str, Any]:
    names = [f"demo-{i:04}-001" for i in range(1, 31)]
    clusters = [
        {
            "CacheClusterId": name,
            "ReplicationGroupId": "demo",
            "CacheNodes": [
                {"CacheNodeId": "0001", "Endpoint": {"Address": f"{name}.{ZONE}", "Port": 6379}}
            ],
        }
        for name in names
    ]
    group = {"ReplicationGroupId": "demo", "ClusterEnabled": True, "MemberClusters": names}
    parameters = {"group": [{"ParameterName": "cluster-enabled", "ParameterValue": "yes"}]}
    cache = client("elasticache")
    answers: dict[str, Any] = {"down": refusal(cache.describe_replication_groups)}
    truth = {"ReplicationGroups": [group], "CacheClusters": clusters, "Parameters": parameters}
    file = layout.run_dir() / "elasticache.json"
    file.write_text(json.dumps(truth))
    pages = list(
        cache.get_paginator("describe_cache_clusters").paginate(PaginationConfig={"PageSize": 20})
    )
    shown = cache.describe_cache_clusters(CacheClusterId=names[3], ShowCacheNodeInfo=True)[
        "CacheClusters"
    ]
    answers |= {
        "group": cache.describe_replication_groups(ReplicationGroupId="demo")["ReplicationGroups"][
            0
        ],
        "pages": [len(page["CacheClusters"]) for page in pages],
        "hidden": "CacheNodes" not in pages[0]["CacheClusters"][0],
        "address": shown[0]["CacheNodes"][0]["Endpoint"]["Address"],
        "parameter": cache.describe_cache_parameters(CacheParameterGroupName="group")["Parameters"],
        "no group": refusal(cache.describe_replication_groups, ReplicationGroupId="other"),
        "no cluster": refusal(cache.describe_cache_clusters, CacheClusterId="other"),
        "page": refusal(cache.describe_cache_clusters, MaxRecords=19),
        "action": refusal(cache.describe_events),
    }
    file.write_text(
        json.dumps({**truth, "Fault": {"Code": "Throttling", "Message": "Rate exceeded"}})
    )
    return answers | {"fault": refusal(cache.describe_replication_groups)}


def test_elasticache_tells_what_the_cluster_says(account: Room) -> None:
    seen = account.call(elasticache_answers)

    assert seen["group"]["ClusterEnabled"] is True
    assert seen["pages"] == [20, 10]
    assert seen["hidden"]
    assert seen["address"] == f"demo-0004-001.{ZONE}"
    assert seen["parameter"] == [{"ParameterName": "cluster-enabled", "ParameterValue": "yes"}]
    codes = {
        name: str(seen[name]).split(":")[0]
        for name in ("down", "no group", "no cluster", "page", "action", "fault")
    }
    assert codes == {
        "down": "InternalFailure",
        "no group": "ReplicationGroupNotFoundFault",
        "no cluster": "CacheClusterNotFound",
        "page": "InvalidParameterValue",
        "action": "InvalidAction",
        "fault": "Throttling",
    }


def stack(name: str, **resources: object) -> tuple[str, str]:
    """The status that a stack of these resources ends with, and why."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return settled(name)


def settled(name: str) -> tuple[str, str]:
    cloudformation = client("cloudformation")

    def done() -> str:
        state: str = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return "" if state.endswith("IN_PROGRESS") else state

    state = wait_until(done, timeout_seconds=60, what=f"stack {name}")
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"].endswith("FAILED")]
    return state, " ".join(reasons)


def service(**changes: object) -> dict[str, Any]:
    """A task definition and a service of it, as a template says them."""
    definition = {
        "Family": "from-template",
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "Cpu": "256",
        "Memory": "512",
        "Tags": [{"Key": "node", "Value": "demo-0001-001"}],
        "ContainerDefinitions": [
            pascal(container(ulimits=[{"name": "nofile", "softLimit": 2048, "hardLimit": 2048}]))
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


def pascal(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: pascal(item) for name, item in value.items()}
    return value


def deployed_service() -> dict[str, Any]:
    state, why = stack("service", **service())
    ecs = client("ecs")
    (arn,) = ecs.list_services(cluster=CLUSTER)["serviceArns"]
    at_first = ecs.describe_services(cluster=CLUSTER, services=[arn])["services"][0]
    tasks = [
        task(t)
        for t in ecs.list_tasks(cluster=CLUSTER, serviceName=at_first["serviceName"])["taskArns"]
    ]
    definition = ecs.describe_task_definition(taskDefinition="from-template")["taskDefinition"]
    os.kill(process_of(tasks[0]["taskArn"]), signal.SIGSTOP)
    stopped = until(tasks[0]["taskArn"], "desiredStatus", "STOPPED")
    replaced = wait_until(
        lambda: (
            len(ecs.list_tasks(cluster=CLUSTER, serviceName=at_first["serviceName"])["taskArns"])
            == 2
        ),
        timeout_seconds=10,
        what="the replacement",
    )
    client("cloudformation").delete_stack(StackName="service")
    group = f"service:{at_first['serviceName']}"

    def gone() -> bool:
        return all(task(t)["group"] != group for t in ecs.list_tasks(cluster=CLUSTER)["taskArns"])

    wait_until(gone, timeout_seconds=10, what="the deleted service's tasks to be asked to stop")
    return {
        "state": state,
        "why": why,
        "running": at_first["runningCount"],
        "health": [t["healthStatus"] for t in tasks],
        "tags": [t["tags"] for t in tasks],
        "container": definition["containerDefinitions"][0],
        "unhealthy": stopped["stoppedReason"],
        "replaced": replaced,
    }


def test_a_deployed_service_is_healthy_and_stays_so(account: Room) -> None:
    seen = account.call(deployed_service)

    assert (seen["state"], seen["why"]) == ("CREATE_COMPLETE", "")
    assert seen["running"] == 2
    assert seen["health"] == ["HEALTHY", "HEALTHY"]
    assert seen["tags"] == [[{"key": "node", "value": "demo-0001-001"}]] * 2
    assert seen["container"]["ulimits"] == [
        {"name": "nofile", "softLimit": 2048, "hardLimit": 2048}
    ]
    assert seen["container"]["healthCheck"]["interval"] == 5
    assert seen["unhealthy"] == "Task failed container health checks"
    assert seen["replaced"]


def failed_stacks() -> dict[str, Any]:
    broken = pascal(container(command=["exit 3"]))
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "KmsKeyId": "k"}}
    cloudformation = client("cloudformation")
    body = json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}}}})
    typo = pascal(container()) | {"Ulimit": []}
    return {
        "type": refusal(cloudformation.create_stack, StackName="type", TemplateBody=body),
        "property": stack("property", Group=group),
        "typo": stack("typo", **service(ContainerDefinitions=[typo])),
        "service": stack("broken", **service(ContainerDefinitions=[broken])),
        "left": client("ecs").list_services(cluster=CLUSTER)["serviceArns"],
    }


def test_a_stack_fails_loudly_and_leaves_nothing(account: Room) -> None:
    seen = account.call(failed_stacks)

    assert "AWS::DynamoDB::Table" in seen["type"]
    for name, reason in {
        "property": "KmsKeyId",
        "typo": "ulimit",
        "service": "Circuit Breaker",
    }.items():
        assert seen[name][0] == "ROLLBACK_COMPLETE"
        assert reason in seen[name][1]
    assert seen["left"] == []


def broken_update() -> dict[str, Any]:
    ecs, cloudformation = client("ecs"), client("cloudformation")
    stack("rolled", **service(Family="rolled"))
    (arn,) = [a for a in ecs.list_services(cluster=CLUSTER)["serviceArns"] if "/rolled-" in a]

    def now() -> dict[str, Any]:
        found = ecs.describe_services(cluster=CLUSTER, services=[arn])["services"][0]
        tasks = ecs.list_tasks(cluster=CLUSTER, serviceName=found["serviceName"])["taskArns"]
        return {"definition": found["taskDefinition"], "tasks": sorted(tasks)}

    before = now()
    broken = pascal(container(command=["exit 3"]))
    body = json.dumps({"Resources": service(Family="rolled", ContainerDefinitions=[broken])})
    cloudformation.update_stack(StackName="rolled", TemplateBody=body)
    state, why = settled("rolled")
    ended = [arn for arn in before["tasks"] if task(arn)["desiredStatus"] != "RUNNING"]
    wait_until(lambda: now() == before, timeout_seconds=10, what="what ran before, and only that")
    cloudformation.delete_stack(StackName="rolled")
    return {"state": state, "why": why, "tasks": len(before["tasks"]), "ended": ended}


def test_a_broken_update_is_rolled_back_and_no_old_task_ends(account: Room) -> None:
    seen = account.call(broken_update)

    assert seen["state"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Circuit Breaker" in seen["why"]
    assert seen["tasks"] == 2
    assert seen["ended"] == []


def zone_stack() -> dict[str, Any]:
    route53, cloudformation = client("route53"), client("cloudformation")

    def template(*vpcs: layout.Vpc) -> dict[str, Any]:
        places = [{"VPCId": vpc.vpc_id, "VPCRegion": layout.REGION} for vpc in vpcs]
        return {
            "Zone": {
                "Type": "AWS::Route53::HostedZone",
                "Properties": {"Name": "own.test", "VPCs": places},
            }
        }

    made = stack("zone", **template(layout.CLIENT_VPC))[0]
    resources = cloudformation.describe_stack_resources(StackName="zone")["StackResources"]
    identity = resources[0]["PhysicalResourceId"]
    body = json.dumps({"Resources": template(layout.CLIENT_VPC, layout.CACHE_VPC)})
    cloudformation.update_stack(StackName="zone", TemplateBody=body)
    updated = settled("zone")[0]
    vpcs = [vpc["VPCId"] for vpc in route53.get_hosted_zone(Id=identity)["VPCs"]]
    batch = {"Changes": [change("a.own.test.", "10.0.0.1")]}
    route53.change_resource_record_sets(HostedZoneId=identity, ChangeBatch=batch)
    cloudformation.delete_stack(StackName="zone")
    full = settled("zone")
    return {"made": made, "updated": updated, "vpcs": vpcs, "full": full}


def test_a_zone_of_a_template_is_private_and_not_deleted_with_records(account: Room) -> None:
    seen = account.call(zone_stack)

    assert (seen["made"], seen["updated"]) == ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert seen["vpcs"] == [layout.CLIENT_VPC.vpc_id, layout.CACHE_VPC.vpc_id]
    assert seen["full"][0] == "DELETE_FAILED"
    assert "HostedZoneNotEmpty" in seen["full"][1]


def as_role(name: str, *statements: dict[str, Any]) -> dict[str, str]:
    """Credentials of a role that may do just this."""
    iam = client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    given = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def permissions() -> dict[str, str]:
    own = client("route53").create_hosted_zone(Name="iam.test.", CallerReference="iam")[
        "HostedZone"
    ]["Id"]
    identity = own.rsplit("/", 1)[-1]
    keys = "route53:ChangeResourceRecordSets"
    records = {
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": f"arn:aws:route53:::hostedzone/{identity}",
        "Condition": {
            "ForAllValues:StringEquals": {
                f"{keys}RecordTypes": ["A"],
                f"{keys}Actions": ["UPSERT"],
            },
            "ForAllValues:StringLike": {f"{keys}NormalizedRecordNames": ["*.iam.test"]},
        },
    }
    role = "arn:aws:iam::123456789012:role/passed"
    client("iam").create_role(RoleName="passed", AssumeRolePolicyDocument=json.dumps(TRUST))
    cluster = f"arn:aws:ecs:us-east-1:123456789012:cluster/{CLUSTER}"
    definition = register("permitted")
    client("ecs").register_task_definition(
        family="with-role",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn=role,
        containerDefinitions=[container()],
    )
    families = "arn:aws:ecs:us-east-1:123456789012:task-definition/{}:*"
    tasks = {
        "Action": "ecs:RunTask",
        "Resource": [families.format("permitted"), families.format("with-role")],
        "Condition": {"ArnEquals": {"ecs:cluster": cluster}},
    }
    credentials = as_role("limited", records, tasks)
    ecs, route53 = client("ecs", **credentials), client("route53", **credentials)

    def run_task(family: str, **more: object) -> str:
        asked = {"cluster": CLUSTER, "launchType": "FARGATE", "networkConfiguration": NETWORK}
        return refusal(ecs.run_task, taskDefinition=family, **asked, **more)

    def record(changed: dict[str, Any]) -> str:
        batch = {"Changes": [changed]}
        return refusal(
            route53.change_resource_record_sets, HostedZoneId=identity, ChangeBatch=batch
        )

    unknown = {"aws_access_key_id": "AKIA0000000000000000", "aws_secret_access_key": "x"}
    return {
        "record": record(change("a.iam.test.", "10.0.0.1")),
        "task": run_task(definition["taskDefinitionArn"]),
        "other type": record(change("a.iam.test.", '"x"', kind="TXT")),
        "other name": record(change("iam.test.", "10.0.0.1")),
        "other action": record(change("a.iam.test.", "10.0.0.1", action="DELETE")),
        "other family": run_task("healthy"),
        "role not passed": run_task("with-role"),
        "tags": run_task("permitted", tags=[{"key": "a", "value": "b"}]),
        "nothing said": refusal(ecs.list_tasks, cluster=CLUSTER),
        "unknown key": refusal(client("ecs", **unknown).list_clusters),
    }


def test_a_role_may_do_what_its_policy_says_and_nothing_else(account: Room) -> None:
    seen = account.call(permissions)

    assert [name for name, answer in seen.items() if answer == "accepted"] == ["record", "task"]
    assert all(
        "AccessDenied" in answer for name, answer in seen.items() if name.startswith("other")
    )
    assert "ecs:TagResource" in seen["tags"]
    assert "iam:PassRole" in seen["role not passed"]


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
    state = stack(
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
    wait_until(lambda: seen.read_text().count("\n") == 2, timeout_seconds=10, what="the event")
    busy = refusal(functions.invoke, FunctionName="f", Payload=b"{}")
    (arn_of_task,) = run("healthy")
    until(arn_of_task, "lastStatus", "RUNNING")
    client("ecs").stop_task(cluster=CLUSTER, task=arn_of_task)
    until(arn_of_task, "lastStatus", "STOPPED")

    def events() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in seen.read_text().splitlines()]
        details = [
            line["detail"] for line in lines if line["detail-type"] == "ECS Task State Change"
        ]
        own = [detail for detail in details if detail["taskArn"] == arn_of_task]
        return own if own and own[-1]["lastStatus"] == "STOPPED" else []

    told = wait_until(events, timeout_seconds=20, what="the task's events")
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


def death() -> list[bool]:
    register("mortal")
    (arn,) = run("mortal")
    until(arn, "lastStatus", "RUNNING")
    pid = process_of(arn)
    before = linux.alive(pid)
    os.kill(int((layout.run_dir() / "aws.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not linux.alive(pid), timeout_seconds=5, what="the container's end")
    return [before, linux.alive(pid)]


@pytest.mark.usefixtures("walls")
def test_containers_end_with_the_fake_aws(tmp_path: Path) -> None:
    with open_room(tmp_path / "run") as own:
        own.call(start)

        assert own.call(death) == [True, False]


def test_a_fake_aws_that_cannot_start_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aws, "START_SECONDS", 5)
    (tmp_path / "aws").write_text("in the way of a directory")

    with pytest.raises(LabError, match="the fake AWS ended with exit code 1"):
        aws.start(tmp_path)
