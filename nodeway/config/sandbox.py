"""The environment of a sandbox, derived from the key `sandbox` of its block. Pure.

The resources that the deployment creates have placeholder ids here, so that every rule applies as for any environment.
`nodeway.constructs.sandbox.sandbox` replaces them with the resources' attributes.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nodeway.config.model import Region, Sandbox

DERIVED = ("access", "proxy_vpc", "client_vpcs", "cache_vpc", "on_premises", "clusters", "pins")
"""Keys that a block with `sandbox` must not have."""
PORT = 6380
"""The cluster's port. It differs from the default, so that a hard-coded 6379 fails."""
HOME = "/opt/nodeway"
"""The directory of the client host's programs."""
VPC = "vpc-00000000"
TABLE = "rtb-00000000"
GROUP = "sg-00000000"
ZONE = "made.by.the.deploy"


def expand_sandbox(block: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Returns the block with every key that `sandbox` implies. Appends a problem for keys that exclude it."""
    if block.get("sandbox") is None:
        return block
    extra = [key for key in DERIVED if key in block]
    if extra:
        problems.append(
            f"sandbox: got {', '.join(extra)} beside it; the deployment derives them, leave them out"
        )
    try:
        sandbox = Sandbox.model_validate(block["sandbox"])
    except ValidationError:
        # the loader reports it with all other problems
        sandbox = Sandbox()
    return {**block, **derive_environment(sandbox, read_region(block))}


def read_region(block: dict[str, Any]) -> str:
    """Returns the block's Region, or a valid one in place of an invalid one, which the loader reports."""
    try:
        return str(TypeAdapter(Region).validate_python(block.get("region")))
    except ValidationError:
        return "us-east-1"


def derive_environment(sandbox: Sandbox, region: str) -> dict[str, Any]:
    """Returns the keys of DERIVED for this sandbox, as a block of cdk.json has them."""
    client, proxies, cache = split_quarters(sandbox.cidr)
    group_id = sandbox.replication_group_id
    return {
        "access": "peering",
        "proxy_vpc": {
            "cidr": str(proxies),
            "availability_zones": list_zones(sandbox, region),
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
                "nodes": [f"{node}.{group_id}.{ZONE}" for node in list_node_ids(sandbox)],
            }
        ],
        "pins": {},
        "on_premises": None,
    }


def split_quarters(cidr: IPv4Network) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
    """Returns the ranges of the client's, the HAProxies' and the cache's VPC. The last quarter is unused."""
    client, proxies, cache, _ = cidr.subnets(prefixlen_diff=2)
    return client, proxies, cache


def list_zones(sandbox: Sandbox, region: str) -> list[str]:
    """Returns the availability zones: those configured, else the Region's first two, which some accounts lack."""
    return list(sandbox.availability_zones or (f"{region}a", f"{region}b"))


def list_shards(sandbox: Sandbox) -> list[str]:
    """Returns the node group ids that the cluster is created with. They make its node names known at synth."""
    return [f"{number:04d}" for number in range(1, sandbox.shards + 1)]


def list_node_ids(sandbox: Sandbox) -> Iterator[str]:
    """Yields the cache cluster ids, GROUP-SHARD-MEMBER.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Shards.html
    """
    for shard in list_shards(sandbox):
        for member in range(1, sandbox.replicas + 2):
            yield f"{sandbox.replication_group_id}-{shard}-{member:03d}"
