"""The environment of a sandbox, out of its few keys. Pure.

All that the deploy is going to make has a stand-in value here, so that every rule speaks as for any environment;
`nodeway.constructs.sandbox.sandbox` puts the deploy's own attributes in their place. A stand-in value must never
reach a template.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nodeway.config.model import Region, Sandbox

DERIVED = ("access", "proxy_vpc", "client_vpcs", "cache_vpc", "on_premises", "clusters", "pins")
"""Keys of other environments that a sandbox has no say in."""
PORT = 6380
"""Not the engine's own, so that a port that somebody took for granted shows."""
HOME = "/opt/nodeway"
"""Where the client host has its programs."""
VPC = "vpc-00000000"
TABLE = "rtb-00000000"
GROUP = "sg-00000000"
ZONE = "made.by.the.deploy"


def with_sandbox(block: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """The block with everything that `sandbox` stands for; what must not stand beside it is added to the problems."""
    if block.get("sandbox") is None:
        return block
    given = [key for key in DERIVED if key in block]
    if given:
        problems.append(
            f"sandbox: got {', '.join(given)} beside it; the deploy makes them itself, leave them out"
        )
    try:
        sandbox = Sandbox.model_validate(block["sandbox"])
    except ValidationError:
        # told with all other problems, when the environment is read
        sandbox = Sandbox()
    return {**block, **derived(sandbox, region_of(block))}


def region_of(block: dict[str, Any]) -> str:
    """The block's Region, or any when it has none that is one: that is told by itself."""
    try:
        return str(TypeAdapter(Region).validate_python(block.get("region")))
    except ValidationError:
        return "us-east-1"


def derived(sandbox: Sandbox, region: str) -> dict[str, Any]:
    """The keys of DERIVED, but those that a sandbox never has."""
    client, proxies, cache = quarters(sandbox.cidr)
    group_id = sandbox.replication_group_id
    return {
        "access": "peering",
        "proxy_vpc": {
            "cidr": str(proxies),
            "availability_zones": zones_of(sandbox, region),
            "nat_gateways": 1,
        },
        "client_vpcs": [
            {"vpc_id": f"{VPC}1", "cidr": str(client), "route_table_ids": [f"{TABLE}1"]}
        ],
        "cache_vpc": {"vpc_id": f"{VPC}2", "cidr": str(cache), "route_table_ids": [f"{TABLE}2"]},
        "clusters": [
            {
                "replication_group_id": group_id,
                "port": PORT,
                "cache_security_group_id": GROUP,
                "nodes": [f"{node}.{group_id}.{ZONE}" for node in node_ids(sandbox)],
            }
        ],
        "pins": {},
        "on_premises": None,
    }


def quarters(cidr: IPv4Network) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
    """The ranges of the client's, the HAProxies' and the cache's VPC; the last quarter stays free."""
    client, proxies, cache, _ = cidr.subnets(prefixlen_diff=2)
    return client, proxies, cache


def zones_of(sandbox: Sandbox, region: str) -> list[str]:
    """The availability zones; a Region may lack one of the first two for an account, so they are a key."""
    return list(sandbox.availability_zones or (f"{region}a", f"{region}b"))


def shards_of(sandbox: Sandbox) -> list[str]:
    """The shards' numbers as the cluster is told them, so that its nodes have names that are known before."""
    return [f"{number:04d}" for number in range(1, sandbox.shards + 1)]


def members_of(sandbox: Sandbox) -> list[str]:
    """The ends of the node names of each shard."""
    return [f"{number:03d}" for number in range(1, sandbox.replicas + 2)]


def node_ids(sandbox: Sandbox) -> Iterator[str]:
    """The cache cluster ids, NAME-SHARD-MEMBER.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Shards.html
    """
    for shard in shards_of(sandbox):
        for member in members_of(sandbox):
            yield f"{sandbox.replication_group_id}-{shard}-{member}"
