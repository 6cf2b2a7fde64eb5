"""VPC endpoints and the Resolver endpoint: who may use them, and for what."""

from typing import Any

import pytest

from nodeway.config.model import EnvironmentConfig
from nodeway.constructs.network.endpoints import repository_arn
from tests.support.pages.environments import environments
from tests.support.synth.shapes import (
    check_command,
    outputs,
    properties,
    shape,
    types,
)

ENDPOINT = "AWS::EC2::VPCEndpoint"
GROUP = "AWS::EC2::SecurityGroup"
NOWHERE = {
    "CidrIp": "255.255.255.255/32",
    "Description": "Disallow all traffic",
    "FromPort": 252,
    "IpProtocol": "icmp",
    "ToPort": 86,
}


def test_endpoints_of_a_made_vpc_let_through_the_image_and_the_logs() -> None:
    """Each policy is written out: what a HAProxy needs and no more."""
    found = {
        one["ServiceName"].removeprefix("com.amazonaws.us-east-1."): one
        for one in properties(shape("made"), "network", ENDPOINT)
    }
    image = [
        allow("ecr:GetAuthorizationToken", "*"),
        allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "arn:aws:ecr:us-east-1:111122223333:repository/haproxy",
        ),
    ]
    layers = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
    groups = "arn:aws:logs:us-east-1:111122223333:log-group:*"

    assert {key: one["PolicyDocument"]["Statement"] for key, one in found.items()} == {
        "ecr.api": image,
        "ecr.dkr": image,
        "logs": [allow(["logs:CreateLogStream", "logs:PutLogEvents"], groups)],
        "s3": [allow("s3:GetObject", layers)],
    }


def allow(actions: "str | list[str]", resource: str) -> dict[str, Any]:
    """A statement of an endpoint's policy."""
    return {"Action": actions, "Effect": "Allow", "Principal": "*", "Resource": resource}


def test_endpoints_of_a_given_vpc_are_open_to_all_in_it() -> None:
    """Others use them too: the default policy, one subnet a zone, HTTPS from the VPC's range and nothing else."""
    network = shape("endpoints")
    endpoints = properties(network, "network", ENDPOINT)
    (group,) = properties(network, "network", GROUP)
    (group_key,) = network.resources("network", GROUP)
    own = {"SubnetIds": ["subnet-0a000000000000001", "subnet-0a000000000000003"]}
    own |= {"SecurityGroupIds": [f"<{group_key}.GroupId>"]}

    assert sorted(one["ServiceName"].partition("us-east-1.")[2] for one in endpoints) == [
        *("ecr.api", "ecr.dkr", "logs", "s3", "ssm")
    ]
    for one in endpoints:
        assert one["VpcId"] == "vpc-0a000000000000001"
        assert "PolicyDocument" not in one
        routes = {"RouteTableIds": ["rtb-0a000000000000001"]}
        assert (own if one["VpcEndpointType"] == "Interface" else routes).items() <= one.items()
    assert group["SecurityGroupIngress"] == [
        {
            "CidrIp": "10.20.0.0/16",
            "Description": "the HAProxies' VPC",
            "FromPort": 443,
            "IpProtocol": "tcp",
            "ToPort": 443,
        }
    ]
    assert group["SecurityGroupEgress"] == [NOWHERE]
    assert types(network, "network") == {ENDPOINT, GROUP}


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (
            "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/haproxy@sha256:" + "0" * 64,
            "arn:aws:ecr:eu-west-1:444455556666:repository/team/haproxy",
        ),
        (
            "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/haproxy:1",
            "arn:aws:ecr:cn-north-1:444455556666:repository/haproxy",
        ),
        ("haproxy:2.8", "arn:aws:ecr:us-east-1:111122223333:repository/*"),
    ],
)
def test_endpoint_policy_names_the_images_repository(image: str, wanted: str) -> None:
    """With its account, if it is another; without one of ECR, the repositories of this account."""
    block = {"name": "routed", **environments()["routed"]}
    changed = EnvironmentConfig.model_validate({**block, "image": image})

    assert repository_arn(changed, "aws") == wanted


def test_resolver_answers_the_given_ranges_and_nobody_else() -> None:
    """Its endpoint is open for DNS."""
    (group,) = properties(shape("outside"), "network", GROUP)

    assert group["SecurityGroupEgress"] == [NOWHERE]
    assert sorted(
        (one["CidrIp"], one["IpProtocol"], one["FromPort"], one["ToPort"])
        for one in group["SecurityGroupIngress"]
    ) == [
        (cidr, protocol, 53, 53)
        for cidr in ("172.20.0.0/16", "172.21.0.0/16")
        for protocol in ("tcp", "udp")
    ]


def test_command_that_prints_the_resolver_s_addresses_is_valid() -> None:
    check_command(outputs(shape("outside"), "network")["ResolverAddresses"])
