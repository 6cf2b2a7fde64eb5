"""The fake AWS answers and refuses as AWS does: ECS, Route 53, ElastiCache."""

import json
from typing import Any

import pytest

from lab import layout
from tests.support.lab.account import (
    CLUSTER,
    NETWORK,
    ZONE,
    answer_of,
    change,
    client,
    register,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab


def ecs_refusals() -> dict[str, str]:
    ecs = client("ecs")
    register("refused")
    asked = {"cluster": CLUSTER, "taskDefinition": "refused", "launchType": "FARGATE"}
    elsewhere = {"awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"]}}
    many = [f"arn:aws:ecs:us-east-1:123456789012:task/{CLUSTER}/{i:032x}" for i in range(101)]
    return {
        "parameter": answer_of(
            ecs.run_task, networkConfiguration=NETWORK, referenceId="x", **asked
        ),
        "override": answer_of(
            ecs.run_task, networkConfiguration=NETWORK, overrides={"cpu": "512"}, **asked
        ),
        "action": answer_of(ecs.describe_capacity_providers),
        "subnet": answer_of(ecs.run_task, networkConfiguration=elsewhere, **asked),
        "network": answer_of(ecs.run_task, **asked),
        "cluster": answer_of(ecs.list_tasks, cluster="other"),
        "tasks": answer_of(ecs.describe_tasks, cluster=CLUSTER, tasks=many),
        "services": answer_of(
            ecs.describe_services, cluster=CLUSTER, services=[f"s{i}" for i in range(11)]
        ),
        "page": answer_of(ecs.list_tasks, cluster=CLUSTER, maxResults=101),
        "service": answer_of(client("dynamodb").list_tables),
        "allowed": answer_of(ecs.describe_tasks, cluster=CLUSTER, tasks=many[:100]),
    }


def test_ecs_refuses_what_aws_refuses_and_what_the_lab_does_not_have(account: Room) -> None:
    seen = account.call(ecs_refusals)

    assert seen.pop("allowed") == "accepted"
    assert "accepted" not in seen.values()
    assert "referenceId" in seen["parameter"]
    assert "overrides.cpu" in seen["override"]
    assert seen["cluster"].startswith("ClusterNotFoundException")


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
        name: answer_of(apply, HostedZoneId=identity, ChangeBatch={"Changes": changes})
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
    answers: dict[str, Any] = {"down": answer_of(cache.describe_replication_groups)}
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
        "no group": answer_of(cache.describe_replication_groups, ReplicationGroupId="other"),
        "no cluster": answer_of(cache.describe_cache_clusters, CacheClusterId="other"),
        "page": answer_of(cache.describe_cache_clusters, MaxRecords=19),
        "action": answer_of(cache.describe_events),
    }
    file.write_text(
        json.dumps({**truth, "Fault": {"Code": "Throttling", "Message": "Rate exceeded"}})
    )
    return answers | {"fault": answer_of(cache.describe_replication_groups)}


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
