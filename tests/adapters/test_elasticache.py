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


@pytest.mark.parametrize("answers", [0, 1, 2], ids=["group", "clusters", "a later page"])
def test_topology_fails_when_anything_is_not_told(stubbed: Stubbed, answers: int) -> None:
    """An error is not an empty group, and half of the members is nothing that can be used."""
    client, aws = stubbed("elasticache")
    told: list[tuple[str, dict[str, Any]]] = [
        ("describe_replication_groups", {"ReplicationGroups": [group(ONE, TWO)]}),
        ("describe_cache_clusters", {"CacheClusters": [cluster(ONE)], "Marker": "m"}),
        ("describe_cache_clusters", {}),
    ]
    for operation, answer in told[:answers]:
        aws.add_response(operation, answer)
    aws.add_client_error(told[answers][0], "Throttling")

    with pytest.raises(ReadFailed, match=r"ElastiCache did not answer for demo: .*Throttling"):
        ElastiCache(client).topology("demo")


def test_topology_fails_when_there_is_no_connection(unplugged: Callable[[str], Any]) -> None:
    """An error below HTTP is an error of the read as well."""
    with pytest.raises(ReadFailed, match="Could not connect"):
        ElastiCache(unplugged("elasticache")).topology("demo")


@pytest.mark.parametrize("groups", [[], [group(ONE), group(ONE)]], ids=["none", "two"])
def test_topology_fails_when_the_answer_is_not_one_group(
    stubbed: Stubbed, groups: list[Any]
) -> None:
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
    """It is a member without a name, the read is whole; without a cache node its preferred zone is what is known."""
    hidden = cluster(TWO, status=status, endpoint=False)
    empty = cluster(THREE, status=status) | {"CacheNodes": []}

    found = read(group(ONE, TWO, THREE), [cluster(ONE), hidden, empty])

    assert found.problems == ()
    assert [one.cache_cluster_id for one in found.reachable] == [ONE]
    nodes = [(one.hostname, one.availability_zone) for one in found.nodes[1:]]
    assert nodes == [(None, "us-east-1b"), (None, "us-east-1a")]


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
