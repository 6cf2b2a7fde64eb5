"""The zone's template: private, for clients only, and empty."""

from tests.support.synth.shapes import (
    Made,
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
ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"


def test_zone_has_the_name_that_all_node_names_end_with(dev: Synthesis) -> None:
    """Exactly this cluster's names and no other's are in it."""
    assert dev.only("dns", ZONE_TYPE)["Name"] == f"{ZONE}."


def test_zone_is_for_client_vpcs_only(dev: Synthesis, rich: Synthesis) -> None:
    """Never the VPC of the HAProxies; each client VPC once, in its own Region."""
    assert dev.only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"}
    ]
    assert rich.only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"},
        {"VPCId": "vpc-0c1d2e3f405162739", "VPCRegion": "eu-west-1"},
    ]


def test_zone_has_no_record_of_the_template(dev: Synthesis) -> None:
    """The records belong to the resync function alone."""
    assert dev.resources("dns", "AWS::Route53::RecordSet") == {}
    assert list(dev.templates["dns"]["Resources"]) == list(dev.resources("dns", ZONE_TYPE))


def test_outputs_say_what_a_client_connects_to(dev: Synthesis) -> None:
    """The same name and port as without this deployment."""
    assert (
        dev.templates["dns"]["Outputs"]["ConfigurationEndpoint"]["Value"]
        == f"clustercfg.{ZONE}:6379"
    )


def test_zone_comes_after_the_haproxies(dev: Synthesis) -> None:
    """An empty zone hides the true names, so it must not exist long before its records."""
    (stack,) = [one for one in dev.assembly.stacks if one.stack_name.endswith("-dns")]

    assert "nodeway-dev-sessions-nodes-0001" in {one.id for one in stack.dependencies}


def test_client_vpc_of_another_region_is_associated_like_any_other() -> None:
    """Route 53 is global; the VPC's Region stands beside its id."""
    assert shape("regions").only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c000000000000003", "VPCRegion": "eu-west-1"}
    ]


def test_client_vpc_of_another_account_is_authorised_and_not_associated() -> None:
    """The call is one that Route 53 takes, and is undone with the client; that it is gone already is no error."""
    synthesis = shape("accounts")
    (zone,) = synthesis.resources("dns", ZONE_TYPE)
    vpc = {"VPCId": "vpc-0c000000000000002", "VPCRegion": "us-east-1"}
    parameters = {"HostedZoneId": f"<{zone}>", "VPC": vpc}

    assert synthesis.only("dns", ZONE_TYPE)["VPCs"] == [
        {"VPCId": "vpc-0c000000000000001", "VPCRegion": "us-east-1"}
    ]
    made = Made(
        "route53:CreateVPCAssociationAuthorization",
        parameters,
        f"<{zone}>-us-east-1-vpc-0c000000000000002",
        None,
    )
    assert calls(synthesis, "dns", AUTHORISATION) == [made]
    assert calls(synthesis, "dns", AUTHORISATION, "Update") == [made]
    assert calls(synthesis, "dns", AUTHORISATION, "Delete") == [
        Made(
            "route53:DeleteVPCAssociationAuthorization",
            parameters,
            "",
            "VPCAssociationAuthorizationNotFound|NoSuchHostedZone",
        )
    ]


def test_errors_that_mean_nothing_to_undo_are_route_53s() -> None:
    """A misspelt one would fail a removal."""
    model = operation("route53", "DeleteVPCAssociationAuthorization")

    assert {"VPCAssociationAuthorizationNotFound", "NoSuchHostedZone"} <= {
        one.name for one in model.error_shapes
    }


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
