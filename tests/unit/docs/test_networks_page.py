"""docs/networks.md: every environment that it shows is one that loads, and stands in its table."""

import re
from typing import Any

from lab.layout import ROOT
from nodeway.config.loader import load
from tests.support.pages.environments import environments
from tests.support.refusals import problems

PAGE = ROOT / "docs" / "networks.md"


def test_every_environment_of_the_page_loads() -> None:
    """Not a word of them is refused."""
    shown = environments()

    assert [load({"environments": shown, "env": name}).name for name in shown] == list(shown)


def test_table_names_every_environment_of_the_page() -> None:
    """And no other."""
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(environments())


def refusal(name: str, **changes: Any) -> str:  # noqa: ANN401 (any JSON)
    """The problems of an environment of the page with these keys, of `proxy_vpc` or others; None removes a key."""
    block = environments()[name]
    inner = {key: changes.pop(key) for key in list(changes) if key in KEYS}
    block["proxy_vpc"] = changed(block["proxy_vpc"], inner)
    return "\n".join(problems({"environments": {name: changed(block, changes)}, "env": name}))


KEYS = {"cidr", "availability_zones"}


def changed(block: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The block with the changes, without those that are None."""
    return {key: value for key, value in {**block, **changes}.items() if value is not None}


def test_endpoints_of_a_given_vpc_need_its_range() -> None:
    """Their security group lets it in."""
    assert "proxy_vpc.cidr: is missing; the endpoints' security group admits it" in refusal(
        "endpoints", cidr=None
    )


def test_made_vpc_has_room_for_four_zones() -> None:
    """A fifth would move the subnets of the others."""
    zones = [f"us-east-1{letter}" for letter in "abcde"]

    assert "proxy_vpc.availability_zones: got 5; allowed: 1 to 4" in refusal(
        "made", availability_zones=zones
    )


def test_made_vpc_is_peered_with_the_caches() -> None:
    """The cache cannot be in a VPC that is not there yet."""
    assert "cache_vpc: is missing; access: peering connects the new VPC with it" in refusal(
        "made", cache_vpc=None
    )


def test_image_of_a_vpc_without_a_way_out_is_of_its_region() -> None:
    """Endpoints lead to ECR of their own Region only."""
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/haproxy:1"

    assert "push it to a private ECR repository of us-east-1" in refusal("made", image=image)
