"""Peering without HAProxies, and with sides that are not ours: rules in groups, and what others are told."""

from tests.support.pages.environments import environments
from tests.support.synth.peered import (
    CACHE,
    CACHE_TABLE,
    CONNECTION,
    FIRST,
    FIRST_TABLE,
    PROXIES,
    PROXY_TABLE,
    ROLE,
    SECOND,
    THIRD,
    connections,
    routes,
)
from tests.support.synth.shapes import (
    built,
    calls,
    check_command,
    outputs,
    properties,
    shape,
    types,
)

RULE = "AWS::EC2::SecurityGroupIngress"


def test_without_haproxies_clients_are_peered_with_the_cache() -> None:
    """The plain way: no proxy VPC, no zone, and the cache's group lets the clients in."""
    synthesis = shape("direct")

    assert set(synthesis.templates) == {"peering"}
    assert list(connections(synthesis).values()) == [
        {"VpcId": CACHE, "PeerVpcId": FIRST},
        {
            "VpcId": CACHE,
            "PeerVpcId": SECOND,
            "PeerOwnerId": "444455556666",
            "PeerRoleArn": ROLE,
        },
    ]
    assert routes(synthesis) == {
        (CACHE_TABLE, "10.40.0.0/16", FIRST),
        (FIRST_TABLE, "10.60.0.0/16", FIRST),
        (CACHE_TABLE, "10.42.0.0/16", SECOND),
    }


def test_caches_group_lets_ranges_or_groups_in_after_the_peering() -> None:
    """A group of another account is named with its account, and only when the peering is there."""
    synthesis = shape("direct")
    (near, far) = connections(synthesis)
    common = {
        "GroupId": "sg-0d000000000000001",
        "IpProtocol": "tcp",
        "FromPort": 6379,
        "ToPort": 6379,
    }

    assert properties(synthesis, "peering", RULE) == [
        {**common, "CidrIp": "10.40.0.0/16", "Description": f"clients of {FIRST}"},
        {
            **common,
            "SourceSecurityGroupId": "sg-0c000000000000002",
            "SourceSecurityGroupOwnerId": "444455556666",
            "Description": f"clients of {SECOND}",
        },
    ]
    assert [one["DependsOn"] for one in synthesis.resources("peering", RULE).values()] == [
        [near],
        [far],
    ]


def test_clusters_that_share_a_group_share_its_rules() -> None:
    """EC2 refuses the same rule twice."""
    block = environments()["direct"]
    (cluster,) = block["clusters"]
    other = {**cluster, "replication_group_id": "other"}
    elsewhere = {**cluster, "replication_group_id": "third", "port": 6390}

    synthesis = built({**block, "clusters": [cluster, other, elsewhere]})

    ports = [one["FromPort"] for one in properties(synthesis, "peering", RULE)]
    assert sorted(ports) == [6379, 6379, 6390, 6390]


def test_another_accounts_side_is_told_and_not_touched() -> None:
    """It accepts with its role; its routes and options are commands for it, with a word to fill in."""
    synthesis = shape("accounts")
    ours, theirs = connections(synthesis)
    told = outputs(synthesis, "peering")

    assert connections(synthesis)[theirs] == {
        "VpcId": PROXIES,
        "PeerVpcId": SECOND,
        "PeerOwnerId": "444455556666",
        "PeerRoleArn": ROLE,
    }
    assert routes(synthesis) == {
        (PROXY_TABLE, "10.40.0.0/16", FIRST),
        (FIRST_TABLE, "10.20.0.0/16", FIRST),
        (PROXY_TABLE, "10.42.0.0/16", SECOND),
    }
    assert [one.physical_id for one in calls(synthesis, "peering", "NodewayPeeringOptions")] == [
        f"<{ours}>"
    ]
    assert told == {
        "Routesproxiesvpc0c000000000000002": (
            "for table in ROUTE_TABLE_ID; do for range in 10.20.0.0/16; do aws ec2 create-route --region us-east-1"
            " --route-table-id $table --destination-cidr-block $range"
            f" --vpc-peering-connection-id <{theirs}>; done; done"
        ),
        "DnsOptionsproxiesvpc0c000000000000002": (
            "aws ec2 modify-vpc-peering-connection-options --region us-east-1"
            f" --vpc-peering-connection-id <{theirs}>"
            " --accepter-peering-connection-options AllowDnsResolutionFromRemoteVpc=true"
        ),
    }
    for command in told.values():
        check_command(command)


def test_another_regions_side_is_told_and_not_touched() -> None:
    """A stack changes nothing in another Region, so it makes no call either."""
    synthesis = shape("regions")
    ((key, connection),) = connections(synthesis).items()
    told = outputs(synthesis, "peering")

    assert connection == {"VpcId": PROXIES, "PeerVpcId": THIRD, "PeerRegion": "eu-west-1"}
    assert routes(synthesis) == {(PROXY_TABLE, "10.43.0.0/16", THIRD)}
    assert types(synthesis, "peering") == {CONNECTION, "AWS::EC2::Route"}
    assert told["Routesproxiesvpc0c000000000000003"] == (
        "for table in rtb-0c000000000000004 rtb-0c000000000000005; do for range in 10.20.0.0/16; do"
        " aws ec2 create-route --region eu-west-1 --route-table-id $table --destination-cidr-block $range"
        f" --vpc-peering-connection-id <{key}>; done; done"
    )
