"""A fake of ElastiCache: one replication group beside a stranger's, in answers of the API's own shape.

It may be down, slow to tell, or wrong; what it shows is then a `View` of what is really there.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from nodeway_runtime.model.topology import Hostname
from tests.support.elasticache_answers import cluster, group
from tests.support.fake_aws.calls import Calls, Clock, Pager, Shape, client_error


class View(StrEnum):
    """What the API makes of the truth."""

    TRUE = "true"
    THROTTLED = "throttled"
    NO_GROUP = "no group"
    NO_CLUSTERS = "no clusters"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    LIE = "lie"


@dataclass(frozen=True, slots=True)
class Member:
    """A node as ElastiCache knows it."""

    cache_cluster_id: str
    hostname: Hostname
    zone: str
    status: str = "creating"
    shown: bool = False
    """Whether the API tells its endpoint."""
    since: float = 0
    """When it came."""


@dataclass(slots=True)
class FakeElastiCache:
    """The client of the group `demo`."""

    calls: Calls
    clock: Clock
    endpoint: Hostname
    members: dict[str, Member] = field(default_factory=dict)
    view: View = View.TRUE
    page_size: int = 3
    turned: int = 0
    """Answers have no order of their own: how far this one is turned."""
    noted: dict[str, float] = field(default_factory=dict)
    """When an id was last shown to a run that took note of it. A lie hides only those: two true reads without a
    member and then a lie about it are three reads like any others."""
    told: dict[str, float] = field(default_factory=dict)
    """When a member's id, and a shown hostname, was last in an answer."""

    def put(self, member: Member) -> None:
        """A member becomes this."""
        self.members[member.cache_cluster_id] = member

    def become(self, label: str, status: str, *, shown: bool) -> None:
        """A member's status changes, and whether its endpoint is shown."""
        self.put(replace(self.members[label], status=status, shown=shown))

    @property
    def visible(self) -> list[Member]:
        """What the API admits to."""
        there = sorted(self.members.values(), key=lambda one: one.cache_cluster_id)
        if self.view is View.EMPTY:
            return []
        if self.view is View.LIE:
            half = there[: len(there) // 2]
            there = [one for one in there if one in half or not self._noted(one)]
        at = self.turned % len(there) if there else 0
        return there[at:] + there[:at]

    def _noted(self, member: Member) -> bool:
        return self.noted.get(member.cache_cluster_id, 0.0) > member.since

    def describe_replication_groups(self, **asked: Any) -> Shape:  # noqa: ANN401 (any parameter)
        """The group and its members, without their endpoints."""

        def answer() -> Shape:
            if self.view is View.THROTTLED:
                raise client_error("DescribeReplicationGroups", "Throttling", "Rate exceeded")
            if self.view is View.NO_GROUP:
                return {"ReplicationGroups": []}
            endpoint = {"Address": self.endpoint, "Port": 6379}
            ids = [one.cache_cluster_id for one in self.visible]
            return {"ReplicationGroups": [group(*ids, ConfigurationEndpoint=endpoint)]}

        return self.calls("elasticache", "DescribeReplicationGroups", asked, answer)

    def get_paginator(self, operation: str) -> Pager:
        """Only of `describe_cache_clusters`."""
        assert operation == "describe_cache_clusters"
        return Pager(self._clusters)

    def _clusters(self, asked: Shape, token: str) -> tuple[Shape, str]:
        at, following = int(token or 0), ""

        def answer() -> Shape:
            nonlocal following
            if self.view is View.THROTTLED:
                raise client_error("DescribeCacheClusters", "Throttling", "Rate exceeded")
            stranger = Member("stranger-001", Hostname("stranger.example.com"), "a", "available")
            there = [(one, "demo") for one in self.visible] + [(stranger, "stranger")]
            if self.view is View.NO_CLUSTERS:
                there = []
            if self.view is View.TRUNCATED:
                there = there[: len(there) // 2]
            page = {
                "CacheClusters": [self._cluster(*one) for one in there[at : at + self.page_size]]
            }
            if at + self.page_size < len(there):
                following = str(at + self.page_size)
                return {**page, "Marker": following}
            return page

        return self.calls(
            "elasticache",
            "DescribeCacheClusters",
            asked | ({"Marker": token} if token else {}),
            answer,
        ), following

    def _cluster(self, member: Member, owner: str) -> Shape:
        for name in (member.cache_cluster_id, *([member.hostname] if member.shown else [])):
            self.told[name] = self.clock.timestamp()
        return cluster(
            member.cache_cluster_id,
            status=member.status,
            # as AWS may write it: names are compared without case
            endpoint=member.hostname.upper() if member.shown else False,
            of=owner,
            zone=member.zone,
        )
