"""Calls to AWS grow with pages, not with nodes: the adapters over the fakes with 500 nodes and AWS' own page sizes."""

from collections import Counter
from typing import Any

from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.aws.stand_in_zone import NoStandInZone
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.planner.reconcile import applying_executor, reconcile
from tests.support.fake_aws.calls import Calls, Clock
from tests.support.fake_aws.ecs import FakeEcs
from tests.support.fake_aws.elasticache import FakeElastiCache, Member
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone
from tests.support.fakes import ENDPOINT, NOW, ZONE, MemoryJournal, named, settings

NODES = 500


class Account:
    """An account with 500 nodes, each with a healthy HAProxy."""

    def __init__(self) -> None:
        self.calls, self.clock = Calls(), Clock(NOW)
        labels = [f"demo-{n // 2 + 1:04}-{n % 2 + 1:03}" for n in range(NODES)]
        members = {n: Member(n, named(n), "us-east-1a", "available", shown=True) for n in labels}
        self.ecs = FakeEcs(
            self.calls, self.clock, dict.fromkeys(map(named, labels), 1), page_size=100
        )
        ecs: Any = self.ecs
        elasticache: Any = FakeElastiCache(self.calls, self.clock, ENDPOINT, members, page_size=100)
        route53: Any = FakeRoute53(self.calls, {"Z0DEMO": HostedZone(ZONE)}, page_size=300)
        zone = Route53Zone(route53, "Z0DEMO")
        self.ports = Ports(ElastiCache(elasticache), Ecs(ecs), zone, NoStandInZone())
        self.replace(0)

    def replace(self, count: int) -> None:
        """Replaces the tasks of so many nodes."""
        for task in self.ecs.running[:count]:
            task.stopped = True
        self.ecs.keep_services()
        self.clock.advance(60)

    def run(self) -> tuple[int, Counter[str]]:
        """A run: its number of changes, and its calls."""
        self.calls.made.clear()
        executor = applying_executor(self.ports, settings(), "test", NOW)
        outcome = reconcile(self.ports, settings(), MemoryJournal(), executor, NOW)
        assert not outcome.refusals
        assert not outcome.snapshot.problems
        return len(outcome.plan.changes), Counter(operation for _, operation, _ in self.calls.made)


def test_calls_grow_with_pages_and_batches_not_with_nodes() -> None:
    """A first fill (A and TXT of each name, and the SOA), a run without a change, and 50 replaced HAProxies."""
    account = Account()

    filled, calls_to_fill = account.run()
    unchanged, calls = account.run()
    account.replace(NODES // 10)
    replaced, calls_to_replace = account.run()

    assert filled == 2 * (NODES + 1) + 1
    assert calls_to_fill["ChangeResourceRecordSets"] <= 6
    assert unchanged == 0
    # each but two is a page; a stranger's cache cluster begins a sixth one
    assert calls == {
        "DescribeReplicationGroups": 1,
        "DescribeCacheClusters": 6,
        "ListTasks": 5,
        "DescribeTasks": 5,
        "ListResourceRecordSets": 4,
        "GetHostedZone": 1,
    }
    # the nodes and the configuration endpoint
    assert replaced == NODES // 10 + 1
    assert calls_to_replace["ChangeResourceRecordSets"] == 1
