"""What `nodeway advise` reads of a live group: every fact, and each refusal as unknown and never as absent."""

from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from nodeway.advice.advise import Situation
from nodeway.advice.facts import ReadFacts, read_facts
from nodeway.errors import CommandError
from tests.support.elasticache_answers import cluster, group
from tests.support.fakes import ONE, TWO

VPC = {
    "VpcId": "vpc-0000000b",
    "CidrBlockAssociationSet": [
        {"CidrBlock": "10.50.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "associating"}},
        {"CidrBlock": "10.99.0.0/16", "CidrBlockState": {"State": "disassociated"}},
    ],
}
DENIED = "AccessDenied"


class Aws:
    """A session whose clients give prepared answers, each checked against botocore's model, in order."""

    def __init__(self) -> None:
        session = boto3.Session("x", "x", region_name="us-east-1")
        self.clients: dict[str, Any] = {
            "elasticache": session.client("elasticache"),
            "ec2": session.client("ec2"),
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}

    def client(self, name: str, **_: object) -> Any:  # noqa: ANN401 (any client)
        """As a session gives it."""
        return self.clients[name]

    def says(self, call: str, answer: dict[str, Any] | str, **asked: Any) -> "Aws":  # noqa: ANN401
        """The next answer; a text is the code of a refusal."""
        stub = self.stubs["ec2" if call == "describe_vpcs" else "elasticache"]
        if isinstance(answer, str):
            stub.add_client_error(call, answer, "not allowed", expected_params=asked or None)
        else:
            stub.add_response(call, answer, asked or None)
        return self

    def about(self, name: str = "demo") -> ReadFacts:
        """What is read of a group, with every prepared answer used."""
        for stub in self.stubs.values():
            stub.activate()
        found = read_facts(name, None, cast("boto3.Session", self))
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return found


def member() -> dict[str, Any]:
    """The answer for one member."""
    return {"CacheClusters": [cluster(ONE) | {"CacheSubnetGroupName": "private"}]}


def aws(**changes: Any) -> Aws:  # noqa: ANN401 (any member of the shape)
    """An account with the group `demo`, as far as its member."""
    told = {"ReplicationGroups": [group(ONE, TWO, **changes)]}
    return (
        Aws()
        .says("describe_replication_groups", told, ReplicationGroupId="demo")
        .says("describe_cache_clusters", member(), CacheClusterId=ONE)
    )


def parameters(value: str | None) -> dict[str, Any]:
    """A parameter group with that endpoint type; None: an engine that has no such parameter."""
    one = {"ParameterName": "cluster-preferred-endpoint-type", "ParameterValue": value}
    return {"Parameters": [{"ParameterName": "maxmemory"}, *([one] if value else [])]}


def network(there: Aws) -> Aws:
    """Its subnet group and VPC."""
    subnets = {"CacheSubnetGroups": [{"VpcId": "vpc-0000000b"}]}
    return there.says("describe_cache_subnet_groups", subnets, CacheSubnetGroupName="private").says(
        "describe_vpcs", {"Vpcs": [VPC]}, VpcIds=["vpc-0000000b"]
    )


@pytest.mark.parametrize("value", ["tls-dynamic", "ip", None])
def test_live_group_is_read_whole(value: str | None) -> None:
    """Every fact, and the ranges that the VPC has or gets."""
    found = network(aws().says("describe_cache_parameters", parameters(value))).about()

    assert found.unread == []
    assert found.situation == Situation.model_validate(
        {
            "name": "demo",
            "cluster_mode": True,
            "tls": "required",
            "endpoint_type": value or "absent",
            "nodes": 2,
            "cache_cidrs": ["10.50.0.0/16", "100.64.0.0/16"],
        }
    )


@pytest.mark.parametrize(
    ("changes", "tls"),
    [
        ({"TransitEncryptionEnabled": False}, "off"),
        ({"TransitEncryptionMode": "preferred"}, "preferred"),
        ({"TransitEncryptionMode": "required"}, "required"),
    ],
)
def test_tls_is_read_with_its_mode(changes: dict[str, Any], tls: str) -> None:
    there = network(aws(**changes).says("describe_cache_parameters", parameters("tls-dynamic")))

    assert there.about().situation.tls == tls


def test_what_is_refused_is_unknown_and_says_what_to_do() -> None:
    """A parameter that may not be read is not one that is absent."""
    found = (
        aws()
        .says("describe_cache_parameters", DENIED)
        .says("describe_cache_subnet_groups", DENIED)
        .about()
    )

    assert found.situation.endpoint_type is None
    assert found.situation.cache_cidrs is None
    assert "not allowed" in found.unread[0]
    assert found.unread[0].endswith("allow elasticache:DescribeCacheParameters")
    assert "give --cache-cidr" in found.unread[1]


def test_vpc_that_may_not_be_read_leaves_the_ranges_unknown() -> None:
    there = aws().says("describe_cache_parameters", parameters("ip"))
    there.says("describe_cache_subnet_groups", {"CacheSubnetGroups": [{"VpcId": "vpc-0000000b"}]})

    found = there.says("describe_vpcs", "UnauthorizedOperation").about()

    assert (found.situation.endpoint_type, found.situation.cache_cidrs) == ("ip", None)
    assert "ec2:DescribeVpcs" in found.unread[0]


def test_endpoint_type_of_a_later_year_is_unknown() -> None:
    found = network(aws().says("describe_cache_parameters", parameters("tls-static"))).about()

    assert found.situation.endpoint_type is None
    assert "AWS says 'tls-static', which this version does not know" in found.unread[0]


def test_members_that_may_not_be_read_leave_two_facts_unknown() -> None:
    there = Aws().says("describe_replication_groups", {"ReplicationGroups": [group(ONE)]})

    found = there.says("describe_cache_clusters", DENIED).about()

    assert found.situation.cluster_mode
    assert (found.situation.endpoint_type, found.situation.cache_cidrs) == (None, None)
    assert "allow elasticache:DescribeCacheClusters" in found.unread[0]


def test_name_of_a_serverless_cache_is_one() -> None:
    found = (
        Aws()
        .says("describe_replication_groups", "ReplicationGroupNotFoundFault")
        .says("describe_serverless_caches", {"ServerlessCaches": [{"ServerlessCacheName": "demo"}]})
        .about()
    )

    assert found.situation.serverless


@pytest.mark.parametrize(
    ("serverless", "told"),
    [
        (
            "ServerlessCacheNotFoundFault",
            "no replication group and no serverless cache demo in us-east-1",
        ),
        (DENIED, "serverless caches cannot be read: "),
    ],
)
def test_name_of_nothing_is_one_line(serverless: str, told: str) -> None:
    there = Aws().says("describe_replication_groups", "ReplicationGroupNotFoundFault")

    with pytest.raises(CommandError, match="no replication group") as caught:
        there.says("describe_serverless_caches", serverless).about()

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_group_that_may_not_be_read_is_one_line() -> None:
    with pytest.raises(
        CommandError, match=r"cannot be asked for demo: .*; describe it with --from"
    ):
        Aws().says("describe_replication_groups", DENIED).about()
