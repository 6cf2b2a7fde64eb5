"""The zone's template: private, for clients only, and empty."""

from tests.synth.conftest import Synthesis

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"


def test_zone_has_the_name_that_all_node_names_end_with(dev: Synthesis) -> None:
    """Exactly this cluster's names and no other's are in it."""
    assert dev.only("dns", "AWS::Route53::HostedZone")["Name"] == f"{ZONE}."


def test_zone_is_for_client_vpcs_only(dev: Synthesis, rich: Synthesis) -> None:
    """Never the VPC of the HAProxies; each client VPC once, in its own Region."""
    assert dev.only("dns", "AWS::Route53::HostedZone")["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"}
    ]
    assert rich.only("dns", "AWS::Route53::HostedZone")["VPCs"] == [
        {"VPCId": "vpc-0c1d2e3f405162738", "VPCRegion": "us-east-1"},
        {"VPCId": "vpc-0c1d2e3f405162739", "VPCRegion": "eu-west-1"},
    ]


def test_zone_has_no_record_of_the_template(dev: Synthesis) -> None:
    """The records belong to the resync function alone."""
    assert dev.resources("dns", "AWS::Route53::RecordSet") == {}
    assert list(dev.templates["dns"]["Resources"]) == list(
        dev.resources("dns", "AWS::Route53::HostedZone")
    )


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
