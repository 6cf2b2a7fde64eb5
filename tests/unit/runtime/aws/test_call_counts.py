"""Calls to AWS grow with pages, never with nodes: the real adapters over clients that count, with 500 nodes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lab.bench.product.account import node_names, task
from lab.cluster.describe import availability_zone
from lab.layout import REPLICATION_GROUP as GROUP
from lab.layout import ZONE
from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.aws.stand_in_zone import NoStandInZone
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import hostname
from nodeway_runtime.planner.reconcile import applying_executor, reconcile
from tests.support.fakes import NOW, MemoryJournal, soa

NODES = 500
PAGES = {"list_tasks": 100, "describe_cache_clusters": 100, "list_resource_record_sets": 300}
"""What a page of each holds by default, as AWS documents it."""
ELEMENTS, CHARACTERS = 1000, 32_000


class Account:
    """Three clients in one that count their calls; every page is a call."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.names = node_names(NODES)
        self.tasks = {
            one["taskArn"]: one
            for one in (task(n, i, generation=0) for i, n in enumerate(self.names))
        }
        self.sets: dict[tuple[str, str], dict[str, Any]] = {
            (ZONE, "SOA"): {
                "Name": ZONE,
                "Type": "SOA",
                "TTL": 900,
                "ResourceRecords": [{"Value": soa().values[0]}],
            }
        }

    def replace(self, replaced: int) -> None:
        """Gives the first nodes other tasks at other addresses."""
        for i, (name, arn) in enumerate(zip(self.names[:replaced], list(self.tasks), strict=False)):
            del self.tasks[arn]
            fresh = task(name, i, generation=1)
            self.tasks[fresh["taskArn"]] = fresh

    def get_paginator(self, name: str) -> "Pages":
        """Pages of an operation."""
        return Pages(self, name)

    def everything(self, name: str) -> tuple[str, list[Any]]:
        """All that an operation has to tell, and under which key."""
        if name == "list_tasks":
            return "taskArns", list(self.tasks)
        if name == "list_resource_record_sets":
            return "ResourceRecordSets", list(self.sets.values())
        return "CacheClusters", [
            {
                "CacheClusterId": one,
                "ReplicationGroupId": GROUP,
                "CacheClusterStatus": "available",
                "PreferredAvailabilityZone": availability_zone(one),
                "CacheNodes": [{"Endpoint": {"Address": f"{one}.{ZONE}", "Port": 6379}}],
            }
            for one in self.names
        ]

    def describe_replication_groups(self, **_: str) -> dict[str, Any]:
        """The group."""
        self.calls["describe_replication_groups"] += 1
        endpoint = {"Address": f"clustercfg.{ZONE}", "Port": 6379}
        return {
            "ReplicationGroups": [
                {"MemberClusters": self.names, "ConfigurationEndpoint": endpoint},
            ]
        }

    def describe_tasks(self, *, tasks: list[str], **_: object) -> dict[str, Any]:
        """At most 100 tasks."""
        assert len(tasks) <= 100
        self.calls["describe_tasks"] += 1
        return {"tasks": [self.tasks[arn] for arn in tasks], "failures": []}

    def get_hosted_zone(self, **_: str) -> dict[str, Any]:
        """The zone's VPCs."""
        self.calls["get_hosted_zone"] += 1
        return {"VPCs": [{"VPCId": "vpc-0000000c"}]}

    def change_resource_record_sets(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
        """A batch within the limits."""
        batch = asked["ChangeBatch"]["Changes"]
        self.calls["change_resource_record_sets"] += 1
        values = [
            value["Value"]
            for change in batch
            for value in change["ResourceRecordSet"]["ResourceRecords"]
        ]
        assert len(values) <= ELEMENTS
        assert sum(map(len, values)) <= CHARACTERS
        for change in batch:
            one = change["ResourceRecordSet"]
            key = (one["Name"], one["Type"])
            if change["Action"] == "DELETE":
                assert self.sets.pop(key) == one
            else:
                self.sets[key] = one
        return {"ChangeInfo": {"Id": "/change/C1"}}


class Pages:
    """Pages of AWS' default size."""

    def __init__(self, account: Account, name: str) -> None:
        self._account, self._name = account, name

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        """Each page is a call; an empty answer is one, too."""
        key, every = self._account.everything(self._name)
        size = PAGES[self._name]
        for start in range(0, max(1, len(every)), size):
            self._account.calls[self._name] += 1
            yield {key: every[start : start + size]}


def run(account: Any) -> tuple[int, Counter[str]]:  # noqa: ANN401 (stands for three clients)
    """A run with the real adapters: how many changes it made, and its calls."""
    account.calls.clear()
    ports = Ports(
        ElastiCache(account), Ecs(account), Route53Zone(account, "Z0BENCH"), NoStandInZone()
    )
    told = Settings(GROUP, "Z0BENCH", hostname(ZONE), "bench")
    outcome = reconcile(
        ports, told, MemoryJournal(), applying_executor(ports, told, "test", NOW), NOW
    )
    assert not outcome.refusals
    assert not outcome.snapshot.problems
    return len(outcome.plan.changes), account.calls


@pytest.fixture(scope="module")
def filled() -> tuple[Account, int, Counter[str]]:
    """An account after its first fill, and what that took."""
    account = Account()
    changes, calls = run(account)
    return account, changes, calls.copy()


def test_first_fill_of_500_nodes_sends_few_batches(
    filled: tuple[Account, int, Counter[str]],
) -> None:
    """A and TXT of 500 nodes and the configuration endpoint, and the SOA, in three batches."""
    _, changes, calls = filled

    assert changes == 2 * (NODES + 1) + 1
    assert calls["change_resource_record_sets"] <= 6


def test_no_op_of_500_nodes_calls_as_often_as_there_are_pages(
    filled: tuple[Account, int, Counter[str]],
) -> None:
    """21 calls, each of them a page."""
    account, _, _ = filled

    changes, calls = run(account)

    assert changes == 0
    assert calls == {
        "describe_replication_groups": 1,
        "describe_cache_clusters": 5,
        "list_tasks": 5,
        "describe_tasks": 5,
        "list_resource_record_sets": 4,
        "get_hosted_zone": 1,
    }


def test_change_of_a_tenth_is_one_batch(filled: tuple[Account, int, Counter[str]]) -> None:
    """50 replaced HAProxies: 50 records and the configuration endpoint's."""
    account, _, _ = filled
    account.replace(NODES // 10)

    changes, calls = run(account)

    assert changes == NODES // 10 + 1
    assert calls["change_resource_record_sets"] == 1
