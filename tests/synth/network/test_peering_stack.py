"""Peering: who is connected with whom, routes on the sides that are ours, DNS options, and what others are told."""

from tests.support.pages.environments import environments
from tests.support.synth.peered import (
    CACHE,
    CACHE_TABLE,
    CONNECTION,
    FIRST,
    FIRST_TABLE,
    PROXIES,
    PROXY_TABLE,
    SECOND,
    SECOND_TABLE,
    SECOND_TABLE_TOO,
    connections,
    routes,
)
from tests.support.synth.shapes import (
    Made,
    built,
    calls,
    properties,
    shape,
    statements,
    waits_for,
)

RULE = "AWS::EC2::SecurityGroupIngress"


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


def test_made_vpc_is_peered_with_its_own_route_tables() -> None:
    """Each private subnet's table gets the routes; the peering comes after the VPC."""
    synthesis = shape("made")
    tables = {
        f"<{key}>"
        for key in synthesis.resources("network", "AWS::EC2::RouteTable")
        if "Proxies" in key
    }
    vpcs = {one["VpcId"] for one in properties(synthesis, "peering", CONNECTION)}

    assert len(tables) == 2
    assert vpcs == {f"<{key}>" for key in synthesis.resources("network", "AWS::EC2::VPC")}
    assert routes(synthesis) == {
        *((table, "10.40.0.0/16", FIRST) for table in tables),
        *((table, "10.60.0.0/16", CACHE) for table in tables),
        (FIRST_TABLE, "10.20.0.0/22", FIRST),
        (CACHE_TABLE, "10.20.0.0/22", CACHE),
    }
    assert "network" in waits_for(synthesis, "-peering")


def test_haproxies_come_after_the_peering() -> None:
    """They cannot reach their nodes before, and a peer's security group cannot be named."""
    assert "peering" in waits_for(shape("peered"), "-haproxy")


def test_dns_options_are_set_on_both_sides() -> None:
    """The call is one that EC2 takes, made again for another connection, and not undone."""
    synthesis = shape("peered")
    made = calls(synthesis, "peering", "NodewayPeeringOptions")
    on = {"AllowDnsResolutionFromRemoteVpc": True}

    assert made == [
        Made(
            "ec2:ModifyVpcPeeringConnectionOptions",
            {
                "VpcPeeringConnectionId": f"<{key}>",
                "RequesterPeeringConnectionOptions": on,
                "AccepterPeeringConnectionOptions": on,
            },
            f"<{key}>",
            None,
        )
        for key in connections(synthesis)
    ]
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
    client = {**block["cache_vpc"]}

    synthesis = built({**block, "client_vpcs": [client]})

    assert list(connections(synthesis).values()) == [{"VpcId": PROXIES, "PeerVpcId": CACHE}]
    assert routes(synthesis) == {
        (PROXY_TABLE, "10.60.0.0/16", CACHE),
        (CACHE_TABLE, "10.20.0.0/16", CACHE),
    }
