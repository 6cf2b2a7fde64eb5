"""The block `sandbox` in cdk.json, and the page about it."""

import json
import re
from typing import Any

import pytest

from lab.layout import ROOT
from nodeway.config.model import Sandbox
from nodeway.config.sandbox import list_node_ids
from nodeway.pricing.prices import load_prices
from tests.support.refusals import problems

CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
BLOCK = CONTEXT["environments"]["sandbox"]
NODE = "trial-0001-001.trial.a1b2c3.use1.cache.amazonaws.com"


def test_nodes_are_named_by_shard_and_member() -> None:
    assert list(list_node_ids(Sandbox(shards=2, replicas=2))) == [
        f"trial-{shard}-{member}" for shard in ("0001", "0002") for member in ("001", "002", "003")
    ]


def sandbox(block: dict[str, Any], **variables: str) -> dict[str, Any]:
    """The repository's context, with these keys in the block of the sandbox."""
    environments = {"sandbox": {**BLOCK, **block}}
    return {**CONTEXT, "environments": environments, "env": "sandbox", **variables}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"clusters": [], "client_vpcs": []},
            "sandbox: got client_vpcs, clusters beside it; the deployment derives them, leave them out",
        ),
        ({"pins": {}}, "sandbox: got pins beside it"),
        ({"sandbox": {"shard": 2}}, "sandbox.shard: extra inputs are not permitted"),
        ({"sandbox": {"shards": 0}}, "sandbox.shards: input should be greater than or equal to 1"),
        (
            {"sandbox": {"cidr": "10.0.0.0/24"}},
            "sandbox.cidr: allowed: /16 to /22; got '10.0.0.0/24'",
        ),
        (
            {"sandbox": {"availability_zones": ["us-east-1a", "eu-west-1a"]}},
            "availability zone eu-west-1a is not in Region us-east-1",
        ),
        (
            {"sandbox": {"availability_zones": ["us-east-1a"]}},
            "sandbox.availability_zones: got 1; allowed: 2 to 4",
        ),
        ({"sandbox": {"replication_group_id": "Trial"}}, "sandbox.replication_group_id: "),
        ({"region": "nowhere"}, "region: "),
        ({"cpu": 300}, "cpu: "),
    ],
)
def test_wrong_block_has_one_message(block: dict[str, Any], message: str) -> None:
    (line,) = problems(sandbox(block))

    assert message in line


@pytest.mark.parametrize("variables", [{"nodes": NODE}, {"pin": f"{NODE}=10.9.0.1"}])
def test_names_of_nodes_are_refused(variables: dict[str, str]) -> None:
    """The deployment creates the nodes."""
    assert "beside it; the deployment derives them" in "".join(problems(sandbox({}, **variables)))


def test_page_has_the_price_list_s_figures() -> None:
    prices = load_prices().prices
    vcpu, gb = prices.fargate_vcpu_hour.value, prices.fargate_gb_hour.value
    nat = prices.nat_gateway_hour.value + prices.public_ipv4_hour.value
    page = (ROOT / "docs" / "sandbox.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (\d\.\d{4}) \|", page, re.MULTILINE)
    hours = {what: float(hour) for what, hour in rows}
    total = hours.pop("sum")

    assert hours["4 HAProxies on Fargate"] == round(4 * (vcpu / 4 + gb / 2), 4)
    assert hours["2 NAT gateways with an address each"] == round(2 * nat, 4)
    assert total == round(sum(hours.values()), 4)
    assert f"{24 * total:.2f} a day" in page
