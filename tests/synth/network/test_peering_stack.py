"""Peering: who is connected with whom, routes on the sides that are ours, DNS options, and what others are told."""

from typing import Any

import pytest

from tests.support.pages.environments import environments
from tests.support.synth.shapes import (
    built,
    calls,
    check_command,
    outputs,
    properties,
    shape,
    statements,
    types,
    waits_for,
)
from tests.synth.conftest import Synthesis

PROXIES, CACHE = "vpc-0a000000000000001", "vpc-0d000000000000001"
FIRST, SECOND, THIRD = (f"vpc-0c00000000000000{number}" for number in (1, 2, 3))
PROXY_TABLE, CACHE_TABLE = "rtb-0a000000000000001", "rtb-0d000000000000001"
FIRST_TABLE, SECOND_TABLE, SECOND_TABLE_TOO = (f"rtb-0c00000000000000{n}" for n in (1, 2, 3))
ROLE = "arn:aws:iam::444455556666:role/accept-peering"
CONNECTION = "AWS::EC2::VPCPeeringConnection"
RULE = "AWS::EC2::SecurityGroupIngress"


def connections(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    """The connections, by logical id."""
    return {
        key: {name: value for name, value in one["Properties"].items() if name != "Tags"}
        for key, one in synthesis.resources("peering", CONNECTION).items()
    }


def routes(synthesis: Synthesis) -> set[tuple[str, str, str]]:
    """Each route as (route table, range, VPC at the other end of the connection)."""
    ends = connections(synthesis)
    found = []
    for one in properties(synthesis, "peering", "AWS::EC2::Route"):
        connection = ends[one["VpcPeeringConnectionId"].strip("<>")]
        found.append(
            (one["RouteTableId"], one["DestinationCidrBlock"], str(connection["PeerVpcId"]))
        )
    assert len(found) == len(set(found))
    return set(found)


def test_peering_connects_clients_with_haproxies_and_those_with_the_cache() -> None:
    """One connection for each client VPC, though one has two ranges; none from a client to the cache."""
    assert list(connections(shape("peered")).values()) == [
        {"VpcId": PROXIES, "PeerVpcId": FIRST},
        {"VpcId": PROXIES, "PeerVpcId": SECOND},
        {"VpcId": PROXIES, "PeerVpcId": CACHE},
    ]


def test_peering_makes_routes_on_both_sides() -> None:
    """Every range of the one side in every route table of the other, and nothing besides."""
    assert routes(shape("peered")) == {
        (PROXY_TABLE, "10.40.0.0/16", FIRST),
        (PROXY_TABLE, "10.41.0.0/16", FIRST),
        (FIRST_TABLE, "10.20.0.0/16", FIRST),
        (PROXY_TABLE, "10.42.0.0/16", SECOND),
        (SECOND_TABLE, "10.20.0.0/16", SECOND),
        (SECOND_TABLE_TOO, "10.20.0.0/16", SECOND),
        (PROXY_TABLE, "10.60.0.0/16", CACHE),
        (CACHE_TABLE, "10.20.0.0/16", CACHE),
    }


@pytest.mark.parametrize(
    ("name", "suffix", "before"),
    [("made", "-peering", "network"), ("peered", "-haproxy", "peering")],
)
def test_peering_comes_after_the_vpc_and_before_the_haproxies(
    name: str, suffix: str, before: str
) -> None:
    """HAProxies cannot reach their nodes before, and a peer's security group cannot be named."""
    assert before in waits_for(shape(name), suffix)


def test_dns_options_are_set_on_both_sides() -> None:
    """The calls are ones that EC2 takes, made again for another connection, and not undone.

    The snapshot has their parameters.
    """
    synthesis = shape("peered")
    made = calls(synthesis, "peering", "NodewayPeeringOptions")

    assert [one.physical_id for one in made] == [f"<{key}>" for key in connections(synthesis)]
    assert calls(synthesis, "peering", "NodewayPeeringOptions", "Update") == made
    assert calls(synthesis, "peering", "NodewayPeeringOptions", "Delete") == []


def test_function_may_set_these_options_and_write_its_log() -> None:
    """Exactly that; no managed policy, no wildcard, no download of an SDK."""
    synthesis = shape("peered")
    (group,) = synthesis.resources("peering", "AWS::Logs::LogGroup")
    (role,) = properties(synthesis, "peering", "AWS::IAM::Role")

    assert statements(synthesis, "peering") == [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": f"<{group}.Arn>",
        },
        *(
            {
                "Action": "ec2:ModifyVpcPeeringConnectionOptions",
                "Effect": "Allow",
                "Resource": f"arn:aws:ec2:us-east-1:111122223333:vpc-peering-connection/<{key}>",
            }
            for key in connections(synthesis)
        ),
    ]
    assert set(role) == {"AssumeRolePolicyDocument"}
    kinds = properties(synthesis, "peering", "Custom::NodewayPeeringOptions")
    assert {one["InstallLatestAwsSdk"] for one in kinds} == {False}


def test_haproxies_in_the_caches_vpc_share_its_connections() -> None:
    """Two VPCs have one connection only, whether clients use it for HAProxies or for the cache."""
    block = environments()["peered"]
    cache = {**block["cache_vpc"], "vpc_id": PROXIES, "cidr": "10.20.0.0/16"}
    plain = {
        "replication_group_id": "plain",
        "proxy": "none",
        "cache_security_group_id": "sg-0d000000000000001",
    }

    synthesis = built({**block, "cache_vpc": cache, "clusters": [*block["clusters"], plain]})

    assert list(connections(synthesis).values()) == [
        {"VpcId": PROXIES, "PeerVpcId": FIRST},
        {"VpcId": PROXIES, "PeerVpcId": SECOND},
    ]
    assert {(table, "10.40.0.0/16", FIRST) for table in (PROXY_TABLE, CACHE_TABLE)} <= routes(
        synthesis
    )
    assert len(properties(synthesis, "peering", RULE)) == 3


def test_clients_in_the_caches_vpc_use_the_connection_of_the_haproxies() -> None:
    """A client VPC that is also the cache's is one VPC: one connection, and no route from it to itself."""
    block = environments()["peered"]

    synthesis = built({**block, "client_vpcs": [block["cache_vpc"]]})

    assert list(connections(synthesis).values()) == [{"VpcId": PROXIES, "PeerVpcId": CACHE}]
    assert routes(synthesis) == {
        (PROXY_TABLE, "10.60.0.0/16", CACHE),
        (CACHE_TABLE, "10.20.0.0/16", CACHE),
    }


def test_without_haproxies_there_is_the_peering_alone() -> None:
    """The plain way: no proxy VPC and no zone."""
    assert set(shape("direct").templates) == {"peering"}


def test_caches_group_lets_ranges_or_groups_in() -> None:
    """A group of another account is named with its account."""
    common = {
        "GroupId": "sg-0d000000000000001",
        "IpProtocol": "tcp",
        "FromPort": 6379,
        "ToPort": 6379,
    }

    assert properties(shape("direct"), "peering", RULE) == [
        {**common, "CidrIp": "10.40.0.0/16", "Description": f"clients of {FIRST}"},
        {
            **common,
            "SourceSecurityGroupId": "sg-0c000000000000002",
            "SourceSecurityGroupOwnerId": "444455556666",
            "Description": f"clients of {SECOND}",
        },
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
