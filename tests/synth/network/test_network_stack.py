"""What the clusters of an environment share of the network: above all the VPC to make."""

from typing import Any

import pytest

from tests.support.pages.environments import environments
from tests.support.synth.checks import findings
from tests.support.synth.shapes import (
    built,
    calls,
    properties,
    shape,
    statements,
    types,
    waits_for,
)
from tests.synth.conftest import Synthesis

SHAPES = sorted(environments())
SUBNET = "AWS::EC2::Subnet"
ENDPOINT = "AWS::EC2::VPCEndpoint"
GROUP = "AWS::EC2::SecurityGroup"


@pytest.mark.parametrize("name", SHAPES)
def test_every_documented_shape_passes_the_review_and_cfn_lint(name: str) -> None:
    """`built` fails on a finding of cdk-nag that is not acknowledged."""
    for stack in sorted({"network", "peering", "dns"} & set(shape(name).templates)):
        assert findings(shape(name).templates[stack]) == [], stack


def test_there_is_no_network_stack_when_there_is_nothing_in_it(dev: Synthesis) -> None:
    for plain in (dev, shape("routed")):
        assert {"network", "peering"}.isdisjoint(plain.templates)


def made(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """The page's environment with a VPC to make, with other keys of it."""
    block = environments()["made"]
    return {**block, "proxy_vpc": {**block["proxy_vpc"], **changes}}


def ranges(block: dict[str, Any]) -> dict[tuple[str, bool], str]:
    """The range of each subnet, by its zone and whether it is public."""
    return {
        (one["AvailabilityZone"], public): one["CidrBlock"]
        for one in built(block).resources("network", SUBNET).values()
        for one, public in [
            (
                one["Properties"],
                {"Key": "aws-cdk:subnet-name", "Value": "Nat"} in one["Properties"]["Tags"],
            )
        ]
    }


def test_made_vpc_is_private() -> None:
    """No way in or out, and no public address."""
    network = shape("made")

    assert {one["MapPublicIpOnLaunch"] for one in properties(network, "network", SUBNET)} == {False}
    assert types(network, "network").isdisjoint(
        {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route"}
    )


def test_default_group_of_the_made_vpc_lets_nothing_through() -> None:
    """Calls take both of the rules that AWS gives it away. The function may do that to this group alone."""
    network = shape("made")
    ingress, egress = calls(network, "network", "NodewayDefaultGroup")
    group_id = ingress.parameters["GroupId"]

    assert ingress.action == "ec2:RevokeSecurityGroupIngress"
    assert egress.action == "ec2:RevokeSecurityGroupEgress"
    assert egress.parameters["GroupId"] == group_id
    arn = f"arn:aws:ec2:us-east-1:111122223333:security-group/{group_id}"
    for action in (ingress.action, egress.action):
        assert {"Action": action, "Effect": "Allow", "Resource": arn} in statements(
            network, "network"
        )


def test_another_zone_or_nat_gateways_move_no_subnet() -> None:
    """A subnet with another range is another subnet, and the HAProxies in it would all go at once."""
    before = ranges(made())
    zones = ranges(
        made(availability_zones=["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"])
    )
    away = ranges(made(nat_gateways=1))

    assert before.items() <= zones.items()
    assert before.items() <= away.items()
    assert len(zones) == 4


def test_public_subnets_hold_nat_gateways_and_nothing_else() -> None:
    """As many gateways as asked for; HAProxies and endpoints stay in the private subnets."""
    network = built(made(nat_gateways=2))
    public = {key for key in network.resources("network", SUBNET) if key.startswith("ProxyVpcNat")}
    gateways = properties(network, "network", "AWS::EC2::NatGateway")
    used = [
        one["SubnetIds"] for one in properties(network, "network", ENDPOINT) if "SubnetIds" in one
    ]
    services = properties(network, "nodes-0001", "AWS::ECS::Service")
    used += [one["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] for one in services]

    assert {one["SubnetId"] for one in gateways} == {f"<{key}>" for key in public}
    assert len(gateways) == 2
    assert {one["MapPublicIpOnLaunch"] for one in properties(network, "network", SUBNET)} == {False}
    assert used
    assert not {f"<{key}>" for key in public} & {one for subnets in used for one in subnets}


def test_haproxies_of_a_made_vpc_are_in_it() -> None:
    """Their subnets and group are the made VPC's, and they come after the network."""
    network = shape("made")
    services = properties(network, "nodes-0001", "AWS::ECS::Service")
    subnets = {f"<{key}>" for key in network.resources("network", SUBNET)}
    used = {
        one
        for service in services
        for one in service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]
    }

    assert used <= subnets
    assert used
    assert {one["VpcId"] for one in properties(network, "haproxy", GROUP)} == {
        f"<{key}>" for key in network.resources("network", "AWS::EC2::VPC")
    }
    assert {"network", "peering"} <= waits_for(network, "-haproxy")


def test_anchor_holds_nothing() -> None:
    """A VPC for zones whose clients are all elsewhere: no subnet, no gateway; nobody else gets one."""
    assert types(shape("elsewhere"), "network") == {"AWS::EC2::VPC"}
    assert "network" not in shape("accounts").templates
