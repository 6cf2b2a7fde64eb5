"""The zone's template: private, for clients only, and empty."""

import pytest

from tests.support.synth.shapes import (
    calls,
    check_command,
    operation,
    outputs,
    properties,
    shape,
    statements,
    waits_for,
)
from tests.synth.conftest import Synthesis

ZONE_TYPE = "AWS::Route53::HostedZone"
AUTHORISATION = "NodewayZoneAuthorisation"


def test_zone_is_for_client_vpcs_only(dev: Synthesis, rich: Synthesis) -> None:
    """Never the VPC of the HAProxies; each client VPC once, in its own Region."""
    assert dev.only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"}
    ]
    assert rich.only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"},
        {"VPCId": "vpc-0c1d2e3f405162739", "VPCRegion": "eu-west-1"},
    ]


@pytest.mark.parametrize("event", ["Create", "Update", "Delete"])
def test_calls_for_a_client_vpc_of_another_account_are_valid(event: str) -> None:
    """`calls` checks them against Route 53's model; the snapshot has their parameters."""
    assert len(calls(shape("accounts"), "dns", AUTHORISATION, event)) == 1


def test_ignored_errors_of_a_removal_are_route_53s() -> None:
    """A misspelt one would fail the removal."""
    model = operation("route53", "DeleteVPCAssociationAuthorization")
    (made,) = calls(shape("accounts"), "dns", AUTHORISATION, "Delete")

    assert set(str(made.ignored).split("|")) <= {one.name for one in model.error_shapes}


def test_function_may_authorise_these_vpcs_for_this_zone() -> None:
    """Exactly that, and its log."""
    synthesis = shape("accounts")
    (zone,) = synthesis.resources("dns", ZONE_TYPE)
    _log, statement = statements(synthesis, "dns")

    assert statement == {
        "Action": [
            "route53:CreateVPCAssociationAuthorization",
            "route53:DeleteVPCAssociationAuthorization",
        ],
        "Condition": {
            "ForAllValues:StringEquals": {
                "route53:VPCs": ["VPCId=vpc-0c000000000000002,VPCRegion=us-east-1"]
            },
            "Null": {"route53:VPCs": "false"},
        },
        "Effect": "Allow",
        "Resource": f"arn:aws:route53:::hostedzone/<{zone}>",
    }


def test_other_account_is_told_how_to_associate_and_to_leave() -> None:
    """Commands that the AWS command line takes, with the zone's id in them."""
    synthesis = shape("elsewhere")
    (zone,) = synthesis.resources("dns", ZONE_TYPE)
    told = outputs(synthesis, "dns")

    assert told["Associatevpc0c000000000000003"] == (
        f"aws route53 associate-vpc-with-hosted-zone --hosted-zone-id <{zone}>"
        " --vpc VPCRegion=eu-west-1,VPCId=vpc-0c000000000000003"
    )
    assert told["Disassociatevpc0c000000000000003"] == (
        f"aws route53 disassociate-vpc-from-hosted-zone --hosted-zone-id <{zone}>"
        " --vpc VPCRegion=eu-west-1,VPCId=vpc-0c000000000000003"
    )
    commands = [value for key, value in told.items() if "ssociate" in key]
    assert len(commands) == 4
    for command in commands:
        check_command(command)


def test_authorisations_are_made_one_after_the_other() -> None:
    """Route 53 refuses two changes of a zone at once."""
    first, second = shape("elsewhere").resources("dns", f"Custom::{AUTHORISATION}").items()

    assert first[0] in second[1]["DependsOn"]


def test_zone_for_other_accounts_alone_is_made_with_the_anchor() -> None:
    """Never with the HAProxies' VPC; the network comes before it."""
    synthesis = shape("elsewhere")
    (anchor,) = synthesis.resources("network", "AWS::EC2::VPC")
    (zone,) = properties(synthesis, "dns", ZONE_TYPE)

    assert zone["VPCs"] == [{"VPCId": f"<{anchor}>", "VPCRegion": "us-east-1"}]
    assert "network" in waits_for(synthesis, "-dns")
