"""ElastiCache's answers become a topology, or a failure; a gap between them is told, never filled."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from nodeway_runtime.aws.elasticache import ElastiCache, parse_topology
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.topology import Topology
from tests.adapters.conftest import Stubbed
from tests.support.elasticache_answers import cluster, group
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, named, node


def read(told: dict[str, Any], clusters: list[dict[str, Any]]) -> Topology:
    """The topology of the two answers."""
    return parse_topology(cast("Any", told), cast("Any", clusters))


CLUSTERS = "DescribeCacheClusters"
SHOW: dict[str, Any] = {"ShowCacheNodeInfo": True}


def test_topology_reads_every_page_and_leaves_out_other_groups(stubbed: Stubbed) -> None:
    """The Region's cache clusters come in pages, and most of them are somebody else's."""
    client, aws = stubbed("elasticache")
    aws.add_response(
        "describe_replication_groups",
        {"ReplicationGroups": [group(ONE, TWO)]},
        {"ReplicationGroupId": "demo"},
    )
    aws.add_response(
        "describe_cache_clusters",
        {"CacheClusters": [cluster(TWO), cluster(THREE, of="other")], "Marker": "m"},
        SHOW,
    )
    aws.add_response(
        "describe_cache_clusters", {"CacheClusters": [cluster(ONE)]}, SHOW | {"Marker": "m"}
    )

    found = ElastiCache(client).topology("demo")

    assert found.nodes == (node(ONE, zone="us-east-1b"), node(TWO, zone="us-east-1b"))
    assert (found.configuration_endpoint, found.port, found.problems) == (ENDPOINT, 6379, ())


@pytest.mark.parametrize(
    "code", ["Throttling", "AccessDenied", "ReplicationGroupNotFoundFault", "InternalFailure"]
)
def test_topology_fails_when_the_group_is_not_told(stubbed: Stubbed, code: str) -> None:
    """An error is not an empty group."""
    client, aws = stubbed("elasticache")
    aws.add_client_error("describe_replication_groups", code)

    with pytest.raises(ReadFailed, match=f"ElastiCache did not answer for demo: .*{code}"):
        ElastiCache(client).topology("demo")


def test_topology_fails_when_a_later_page_is_throttled(stubbed: Stubbed) -> None:
    """Half of the members is nothing that can be used."""
    client, aws = stubbed("elasticache")
    aws.add_response("describe_replication_groups", {"ReplicationGroups": [group(ONE, TWO)]})
    aws.add_response("describe_cache_clusters", {"CacheClusters": [cluster(ONE)], "Marker": "m"})
    aws.add_client_error("describe_cache_clusters", "Throttling")

    with pytest.raises(ReadFailed, match="Throttling"):
        ElastiCache(client).topology("demo")


def test_topology_fails_when_there_is_no_connection(unplugged: Callable[[str], Any]) -> None:
    """An error below HTTP is an error of the read as well."""
    with pytest.raises(ReadFailed, match="Could not connect"):
        ElastiCache(unplugged("elasticache")).topology("demo")


@pytest.mark.parametrize("groups", [[], [group(ONE), group(ONE)]], ids=["none", "two"])
def test_topology_fails_when_the_answer_is_not_one_group(
    stubbed: Stubbed, groups: list[Any]
) -> None:
    """Exactly the group that was asked for."""
    client, aws = stubbed("elasticache")
    aws.add_response("describe_replication_groups", {"ReplicationGroups": groups})
    aws.add_response("describe_cache_clusters", {"CacheClusters": []})

    with pytest.raises(
        ReadFailed, match=f"answered {len(groups)} replication groups for demo, not 1"
    ):
        ElastiCache(client).topology("demo")


@pytest.mark.parametrize(
    ("told", "clusters", "problem"),
    [
        (group(ONE, TWO, NodeGroups=[]), [cluster(ONE)], f"member {TWO} is missing from {CLUSTERS}"),
        (group(ONE, TWO, MemberClusters=[]), [cluster(ONE)], f"member {TWO} is missing from {CLUSTERS}"),
        (group(ONE), [cluster(ONE, endpoint=False)], f"{ONE} is available but has no endpoint"),
    ],
    ids=["only in MemberClusters", "only in NodeGroups", "available without endpoint"],
)  # fmt: skip
def test_topology_names_what_cannot_be(
    told: dict[str, Any], clusters: list[dict[str, Any]], problem: str
) -> None:
    """Either list of the group counts: the missing one is a problem, not a node that left."""
    assert read(told, clusters).problems == (problem,)


@pytest.mark.parametrize(
    "status", ["creating", "deleting", "modifying", "rebooting cluster nodes", "snapshotting"]
)
def test_topology_takes_a_node_without_endpoint_while_its_status_explains_it(status: str) -> None:
    """The node is a member without a name, and the read is whole."""
    found = read(group(ONE, TWO), [cluster(ONE), cluster(TWO, status=status, endpoint=False)])

    assert found.problems == ()
    assert [one.cache_cluster_id for one in found.reachable] == [ONE]
    assert found.nodes[1].hostname is None


def test_topology_names_a_group_without_configuration_endpoint() -> None:
    """Without it the endpoint's own record could look as if it were nobody's."""
    told = group(ONE)
    del told["ConfigurationEndpoint"]

    found = read(told, [cluster(ONE)])

    assert (found.configuration_endpoint, found.port) == (None, 6379)
    assert found.problems == ("the group has no configuration endpoint",)


def test_topology_normalises_names_and_takes_the_port() -> None:
    """Whatever case AWS writes, names are equal afterwards."""
    member = cluster(ONE)
    member["CacheNodes"][0]["Endpoint"]["Address"] = named(ONE).upper()

    found = read(
        group(ONE, ConfigurationEndpoint={"Address": f"{ENDPOINT.upper()}.", "Port": 6380}),
        [member],
    )

    assert found.nodes[0].hostname == named(ONE)
    assert (found.configuration_endpoint, found.port) == (ENDPOINT, 6380)


def test_topology_takes_the_preferred_zone_when_a_node_has_no_cache_node_yet() -> None:
    """What is known is kept."""
    member = cluster(ONE, status="creating")
    member["CacheNodes"] = []

    (found,) = read(group(ONE), [member]).nodes

    assert (found.availability_zone, found.hostname) == ("us-east-1a", None)
