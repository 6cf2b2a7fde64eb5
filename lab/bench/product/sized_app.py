"""The real app.py with a configuration of any number of nodes: for `make synth ENV=500` and `make bench-synth`.

The cluster's nodes are in the app's cdk.context.json, as a look-up would have written them: 6 to a shard, zone by zone.
No AWS is needed.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import layout
from lab.errors import LabError
from nodeway.config.model import EnvironmentConfig
from nodeway.lookup.topology import CONTEXT_FILE, KnownNode, KnownTopology, context_key

ENVIRONMENT = "sized"
GROUP = "sized"
ZONE = f"{GROUP}.a1b2c3.use1.cache.amazonaws.com"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
NODES_A_SHARD = 6
"""A primary and 5 replicas, the most."""
MOST = 500
"""ElastiCache's most: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html"""


@dataclass(frozen=True, slots=True)
class SizedApp:
    """A directory that the CDK command can be started in, and the environment to choose there."""

    directory: Path
    environment: str


def write_app(directory: Path, nodes: int) -> SizedApp:
    """Writes the app; raises LabError for a number of nodes that ElastiCache does not take."""
    if not 1 <= nodes <= MOST:
        raise LabError(f"nodes: got {nodes}; allowed: 1 to {MOST}, ElastiCache's most")
    directory.mkdir(parents=True, exist_ok=True)
    ours = json.loads((layout.ROOT / "cdk.json").read_text())
    block = environment_block()
    ours["context"]["environments"] = {ENVIRONMENT: block}
    # no `python3 ABSOLUTE/app.py`: the link keeps the command the one of the checkout's cdk.json
    link = directory / "app.py"
    if not link.is_symlink():
        link.symlink_to(layout.ROOT / "app.py")
    (directory / "cdk.json").write_text(json.dumps(ours, indent=2) + "\n")
    environment = EnvironmentConfig.model_validate({**block, "name": ENVIRONMENT})
    key = context_key(environment, environment.clusters[0])
    known = {key: topology(nodes).model_dump(mode="json")}
    (directory / CONTEXT_FILE).write_text(json.dumps(known, indent=2) + "\n")
    return SizedApp(directory, ENVIRONMENT)


def environment_block() -> dict[str, Any]:
    """The environment of the made-up cluster, as cdk.json would hold it."""
    subnets = [
        {"subnet_id": f"subnet-0a1b2c3d4e5f6070{place}", "availability_zone": zone}
        for place, zone in enumerate(ZONES)
    ]
    return {
        "account": "111122223333",
        "region": "us-east-1",
        "proxy_vpc": {"vpc_id": "vpc-0a1b2c3d4e5f60718", "subnets": subnets},
        "client_vpcs": [{"vpc_id": "vpc-0c1d2e3f405162738", "cidr": "10.40.0.0/16"}],
        "clusters": [
            {
                "replication_group_id": GROUP,
                "cache_security_group_id": "sg-0e1f2031425364758",
            }
        ],
    }


def topology(nodes: int) -> KnownTopology:
    """A cluster of that many nodes; the last shard may have fewer than the others."""
    found = []
    for place in range(nodes):
        shard, member = divmod(place, NODES_A_SHARD)
        name = f"{GROUP}-{shard + 1:04d}-{member + 1:03d}"
        zone = ZONES[(shard + member) % len(ZONES)]
        found.append(
            KnownNode(cache_cluster_id=name, hostname=f"{name}.{ZONE}", availability_zone=zone)
        )
    return KnownTopology(zone_name=ZONE, port=6379, nodes=tuple(found))


def main(arguments: list[str]) -> int:
    """`python -m lab.bench.product.sized_app NODES DIRECTORY` writes the app and prints its environment's name."""
    nodes, directory = arguments
    try:
        app = write_app(Path(directory), int(nodes))
    except LabError as error:
        sys.stderr.write(f"nodeway: {error}\n")
        return 1
    sys.stdout.write(f"{app.environment}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
