"""The sandbox's block in cdk.json: what may stand in it, and what beside it."""

import json
import re
from typing import Any

import pytest

from lab.layout import ROOT
from nodeway.config.loader import load
from nodeway.config.model import Sandbox
from nodeway.config.sandbox import list_node_ids
from nodeway.errors import ConfigError
from nodeway.pricing.prices import load_prices

CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
BLOCK = CONTEXT["environments"]["sandbox"]
NODE = "trial-0001-001.trial.a1b2c3.use1.cache.amazonaws.com"


def test_nodes_are_named_by_shard_and_member() -> None:
    assert list(list_node_ids(Sandbox(shards=2, replicas=2))) == [
        f"trial-{shard}-{member}" for shard in ("0001", "0002") for member in ("001", "002", "003")
    ]


def problems(block: dict[str, Any], **variables: str) -> str:
    """What a person is told of a sandbox."""
    environments = {"sandbox": {**BLOCK, **block}}
    with pytest.raises(ConfigError) as told:
        load({**CONTEXT, "environments": environments, "env": "sandbox", **variables})
    return str(told.value)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            {"clusters": [], "client_vpcs": []},
            "sandbox: got client_vpcs, clusters beside it; the deploy makes them itself, leave them out",
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
            "sandbox.availability_zones: 1 given; allowed: 2 to 4",
        ),
        ({"sandbox": {"replication_group_id": "Trial"}}, "sandbox.replication_group_id: "),
        ({"region": "nowhere"}, "region: "),
        ({"cpu": 300}, "cpu: "),
    ],
)
def test_wrong_block_is_one_line(block: dict[str, Any], words: str) -> None:
    told = problems(block)

    assert told.startswith("environment sandbox has 1 problem:\n"), told
    assert words in told


@pytest.mark.parametrize("variables", [{"nodes": NODE}, {"pin": f"{NODE}=10.9.0.1"}])
def test_names_by_hand_are_refused(variables: dict[str, str]) -> None:
    """They are known only when it is deployed."""
    assert "beside it; the deploy makes them itself" in problems({}, **variables)


def test_page_has_the_price_list_s_figures() -> None:
    """What can be computed is; a price list that was renewed makes the page stale."""
    prices = load_prices().prices
    vcpu, gb = prices.fargate_vcpu_hour.value, prices.fargate_gb_hour.value
    nat = prices.nat_gateway_hour.value + prices.public_ipv4_hour.value
    page = (ROOT / "docs" / "sandbox.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (\d\.\d{4}) \|", page, re.MULTILINE)
    told = {what: float(hour) for what, hour in rows}
    total = told.pop("sum")

    assert told["4 HAProxies on Fargate"] == round(4 * (vcpu / 4 + gb / 2), 4)
    assert told["2 NAT gateways with an address each"] == round(2 * nat, 4)
    assert total == round(sum(told.values()), 4)
    assert f"{24 * total:.2f} a day" in page


def test_page_names_every_key() -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()

    assert [key for key in Sandbox.model_fields if f"`{key}`" not in page] == []
