"""The facts that `nodeway advise` reads of a live group. A fact that cannot be read is unknown."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from nodeway.advice.advise import Situation
from nodeway.advice.facts import ReadFacts, read_facts
from nodeway.errors import CommandError
from tests.support.elasticache_answers import cluster, group
from tests.support.fakes import ONE, TWO
from tests.support.stubbed import StubbedSession

if TYPE_CHECKING:
    import boto3

VPC = {
    "VpcId": "vpc-0000000b",
    "CidrBlockAssociationSet": [
        {"CidrBlock": "10.50.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "associating"}},
        {"CidrBlock": "10.99.0.0/16", "CidrBlockState": {"State": "disassociated"}},
    ],
}
CACHE, DENIED, ABSENT = "elasticache", "AccessDenied", "ReplicationGroupNotFoundFault"


class Aws(StubbedSession):
    """ElastiCache and EC2."""

    def __init__(self) -> None:
        super().__init__("elasticache", "ec2")

    def answers_group(self, **changes: Any) -> "Aws":  # noqa: ANN401 (any member of the shape)
        """Adds the answers for the group `demo` and its first member."""
        groups = {"ReplicationGroups": [group(ONE, TWO, **changes)]}
        member = {"CacheClusters": [cluster(ONE) | {"CacheSubnetGroupName": "private"}]}
        self.answers(CACHE, "describe_replication_groups", groups, ReplicationGroupId="demo")
        return self.answers(CACHE, "describe_cache_clusters", member, CacheClusterId=ONE)

    def answers_parameters(self, value: str | None) -> "Aws":
        """Adds the answer for a parameter group with this endpoint type; None: without the parameter."""
        parameter = {"ParameterName": "cluster-preferred-endpoint-type", "ParameterValue": value}
        present = [parameter] if value else []
        parameters = {"Parameters": [{"ParameterName": "maxmemory"}, *present]}
        return self.answers(CACHE, "describe_cache_parameters", parameters)

    def answers_subnets(self) -> "Aws":
        """Adds the answer for the subnet group."""
        groups = {"CacheSubnetGroups": [{"VpcId": "vpc-0000000b"}]}
        name = {"CacheSubnetGroupName": "private"}
        return self.answers(CACHE, "describe_cache_subnet_groups", groups, **name)

    def answers_network(self) -> "Aws":
        """Adds the answers for the subnet group and its VPC."""
        asked = {"VpcIds": ["vpc-0000000b"]}
        return self.answers_subnets().answers("ec2", "describe_vpcs", {"Vpcs": [VPC]}, **asked)

    def read(self) -> ReadFacts:
        """Reads the facts, and checks that every answer was used."""
        facts = read_facts("demo", None, cast("boto3.Session", self))
        self.all_asked()
        return facts


@pytest.mark.parametrize("value", ["tls-dynamic", "ip", None])
def test_every_fact_of_a_live_group_is_read(value: str | None) -> None:
    facts = Aws().answers_group().answers_parameters(value).answers_network().read()

    assert facts.unread == []
    assert facts.situation == Situation.model_validate(
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
    answers = Aws().answers_group(**changes).answers_parameters("tls-dynamic").answers_network()

    assert answers.read().situation.tls == tls


def test_refused_fact_is_unknown_with_a_remedy() -> None:
    facts = (
        Aws()
        .answers_group()
        .refuses(CACHE, "describe_cache_parameters", DENIED)
        .refuses(CACHE, "describe_cache_subnet_groups", DENIED)
        .read()
    )

    assert (facts.situation.endpoint_type, facts.situation.cache_cidrs) == (None, None)
    assert "not allowed" in facts.unread[0]
    assert facts.unread[0].endswith("allow elasticache:DescribeCacheParameters")
    assert "give --cache-cidr" in facts.unread[1]


def test_refused_vpc_leaves_the_ranges_unknown() -> None:
    answers = Aws().answers_group().answers_parameters("ip").answers_subnets()

    facts = answers.refuses("ec2", "describe_vpcs", "UnauthorizedOperation").read()

    assert (facts.situation.endpoint_type, facts.situation.cache_cidrs) == ("ip", None)
    assert "ec2:DescribeVpcs" in facts.unread[0]


def test_unknown_endpoint_type_is_unread() -> None:
    facts = Aws().answers_group().answers_parameters("tls-static").answers_network().read()

    assert facts.situation.endpoint_type is None
    assert "AWS says 'tls-static', which this version does not know" in facts.unread[0]


def test_refused_members_leave_two_facts_unknown() -> None:
    groups = {"ReplicationGroups": [group(ONE)]}
    answers = Aws().answers(CACHE, "describe_replication_groups", groups)

    facts = answers.refuses(CACHE, "describe_cache_clusters", DENIED).read()

    assert facts.situation.cluster_mode
    assert (facts.situation.endpoint_type, facts.situation.cache_cidrs) == (None, None)
    assert "allow elasticache:DescribeCacheClusters" in facts.unread[0]


def test_name_can_be_that_of_a_serverless_cache() -> None:
    caches = {"ServerlessCaches": [{"ServerlessCacheName": "demo"}]}
    answers = Aws().refuses(CACHE, "describe_replication_groups", ABSENT)

    assert answers.answers(CACHE, "describe_serverless_caches", caches).read().situation.serverless


@pytest.mark.parametrize(
    ("serverless", "message"),
    [
        (
            "ServerlessCacheNotFoundFault",
            "no replication group and no serverless cache demo in us-east-1",
        ),
        (DENIED, "serverless caches cannot be read: "),
    ],
)
def test_unknown_name_is_one_line(serverless: str, message: str) -> None:
    answers = Aws().refuses(CACHE, "describe_replication_groups", ABSENT)

    with pytest.raises(CommandError, match="no replication group") as caught:
        answers.refuses(CACHE, "describe_serverless_caches", serverless).read()

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_refused_group_is_one_line() -> None:
    with pytest.raises(
        CommandError, match=r"cannot be asked for demo: .*; describe it with --from"
    ):
        Aws().refuses(CACHE, "describe_replication_groups", DENIED).read()
