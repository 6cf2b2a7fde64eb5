"""The example of somebody else's app (examples/existing_app): one stack with everything in it."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from lab.layout import ROOT
from tests.support.synth.checks import findings
from tests.synth.conftest import Synthesis

EXAMPLE = ROOT / "examples" / "existing_app" / "app.py"


@pytest.fixture(scope="module")
def shop() -> Synthesis:
    """The example as it stands there, with its only stack as `shop`."""
    spec = importlib.util.spec_from_file_location("existing_app", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assembly = module.build().synth()
    (stack,) = assembly.stacks
    return Synthesis(assembly, {"shop": json.loads(Path(stack.template_full_path).read_text())})


def every(shop: Synthesis, kind: str) -> list[dict[str, Any]]:
    """The properties of all resources of a type."""
    return [one["Properties"] for one in shop.resources("shop", kind).values()]


def test_every_node_has_a_service_that_is_told_its_name(shop: Synthesis) -> None:
    """Six nodes: three shards, a replica each. Their names follow from the cluster's own attribute."""
    tasks = every(shop, "AWS::ECS::TaskDefinition")
    named = [
        one
        for task in tasks
        for one in task["ContainerDefinitions"][0]["Environment"]
        if one["Name"] == "NODE_HOSTNAME"
    ]

    assert len(every(shop, "AWS::ECS::Service")) == 6
    own = [one["Value"] for one in named if "Cache" in json.dumps(one["Value"])]
    assert len(own) == 6
    assert all("ConfigurationEndPoint.Address" in json.dumps(one) for one in own)


def test_zone_is_the_clients_and_not_the_proxies(shop: Synthesis) -> None:
    (zone,) = [
        one
        for one in every(shop, "AWS::Route53::HostedZone")
        if "nodeway.internal" not in json.dumps(one["Name"])
    ]

    assert [one["VPCId"]["Ref"] for one in zone["VPCs"]] == [
        key for key in shop.resources("shop", "AWS::EC2::VPC") if key.startswith("Clients")
    ]


def test_zone_comes_after_the_services(shop: Synthesis) -> None:
    """As soon as it exists it hides the cluster's own names."""
    services = shop.resources("shop", "AWS::ECS::Service")
    zones = shop.resources("shop", "AWS::Route53::HostedZone").values()
    (zone,) = [one for one in zones if "DependsOn" in one]

    assert services.keys() <= set(zone["DependsOn"])


def test_alarms_of_the_cluster_are_there(shop: Synthesis) -> None:
    names = [one["AlarmName"] for one in every(shop, "AWS::CloudWatch::Alarm")]

    assert names
    assert len(names) == len(set(names))
    assert all(name.startswith("shop-shop-") for name in names)


def test_proxies_may_connect_to_the_cache(shop: Synthesis) -> None:
    rules = every(shop, "AWS::EC2::SecurityGroupIngress")

    assert [one["FromPort"] for one in rules if "CacheGroup" in json.dumps(one["GroupId"])] == [
        6379
    ]


def test_cfn_lint_finds_nothing(shop: Synthesis) -> None:
    """W3010: the CDK's own VPCs name their zones."""
    assert findings(shop.templates["shop"], "W3010") == []


def test_what_cannot_work_is_refused() -> None:
    """A client VPC that runs the proxies would lead each of them to itself."""
    from nodeway import ClientNetwork, KnownTopology, Nodeway, ProxyNetwork  # noqa: PLC0415

    stack = cdk.Stack(cdk.App(), "refused")
    zone = "demo.abc123.use1.cache.amazonaws.com"
    topology = KnownTopology.model_validate({"zone_name": zone, "port": 6379, "nodes": []})
    network = ProxyNetwork("vpc-1", (("subnet-1", "us-east-1a"),))

    def refusal(**changes: Any) -> str:  # noqa: ANN401 (any prop)
        props = {
            "replication_group_id": "demo",
            "topology": topology,
            "network": network,
            "client_vpcs": [ClientNetwork("vpc-2", "10.0.0.0/16")],
        }
        with pytest.raises(Exception, match=r".") as caught:
            Nodeway(stack, f"N{len(stack.node.children)}", **{**props, **changes})
        return str(caught.value)

    assert "HAProxies' own VPC" in refusal(client_vpcs=[ClientNetwork("vpc-1", "10.0.0.0/16")])
    assert refusal(ttl=0) == "ttl: got 0; allowed: 1 to 3600 s"
    assert "has no VPC" in refusal(client_vpcs=[ClientNetwork(None, "10.0.0.0/16")])
    assert "is a token" in refusal(replication_group_id=cdk.Aws.STACK_NAME)
