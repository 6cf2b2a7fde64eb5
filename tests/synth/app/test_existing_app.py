"""The example of somebody else's app (examples/existing_app): one stack with everything in it."""

import importlib.util
import json
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.cx_api import CloudAssembly

from lab.layout import ROOT

EXAMPLE = ROOT / "examples" / "existing_app" / "app.py"


@cache
def example() -> ModuleType:
    """The example's module."""
    spec = importlib.util.spec_from_file_location("existing_app", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def assembly() -> CloudAssembly:
    """The example as it stands there."""
    app: cdk.App = example().build()
    return app.synth()


@pytest.fixture(scope="module")
def template(assembly: CloudAssembly) -> dict[str, Any]:
    """Its only stack's."""
    (stack,) = assembly.stacks
    text: dict[str, Any] = json.loads(Path(stack.template_full_path).read_text())
    return text


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The properties of all resources of a type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def test_every_node_has_a_service_that_is_told_its_name(template: dict[str, Any]) -> None:
    """Six nodes: three shards, a replica each. Their names follow from the cluster's own attribute."""
    tasks = resources(template, "AWS::ECS::TaskDefinition")
    named = [
        one
        for task in tasks
        for one in task["ContainerDefinitions"][0]["Environment"]
        if one["Name"] == "NODE_HOSTNAME"
    ]

    assert len(resources(template, "AWS::ECS::Service")) == 6
    own = [one["Value"] for one in named if "Cache" in json.dumps(one["Value"])]
    assert len(own) == 6
    assert all("ConfigurationEndPoint.Address" in json.dumps(one) for one in own)


def test_zone_is_the_clients_and_not_the_proxies(template: dict[str, Any]) -> None:
    (zone,) = [
        one
        for one in resources(template, "AWS::Route53::HostedZone")
        if "nodeway.internal" not in json.dumps(one["Name"])
    ]

    assert [one["VPCId"]["Ref"] for one in zone["VPCs"]] == [
        key for key in template["Resources"] if re.fullmatch(r"Clients[0-9A-F]{8}", key)
    ]


def test_zone_comes_after_the_services(template: dict[str, Any]) -> None:
    """As soon as it exists it hides the cluster's own names."""
    services = {
        key for key, one in template["Resources"].items() if one["Type"] == "AWS::ECS::Service"
    }
    (zone,) = [
        one
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Route53::HostedZone" and "DependsOn" in one
    ]

    assert services <= set(zone["DependsOn"])


def test_alarms_of_the_cluster_are_there(template: dict[str, Any]) -> None:
    names = Counter(one["AlarmName"] for one in resources(template, "AWS::CloudWatch::Alarm"))

    assert names
    assert set(names.values()) == {1}
    assert all(name.startswith("shop-shop-") for name in names)


def test_proxies_may_connect_to_the_cache(template: dict[str, Any]) -> None:
    rules = resources(template, "AWS::EC2::SecurityGroupIngress")

    assert [one["FromPort"] for one in rules if "CacheGroup" in json.dumps(one["GroupId"])] == [
        6379
    ]


def test_cfn_lint_finds_nothing(assembly: CloudAssembly) -> None:
    """W3005: the CDK states dependencies twice. W3010: the CDK's own VPCs name their zones."""
    (stack,) = assembly.stacks
    done = subprocess.run(
        ["cfn-lint", "--ignore-checks", "W3005", "W3010", "--", stack.template_full_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout == ""
    assert done.returncode == 0


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
