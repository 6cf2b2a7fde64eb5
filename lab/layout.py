"""The lab's constants: its account, its three networks, its cluster, its directories.

`cdk.json` names the same VPCs and subnets in the environment `lab`; tests/unit/lab/test_layout.py compares them.
"""

import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ACCOUNT = "123456789012"
REGION = "us-east-1"
AWS_PORT = 4566
AWS_ENDPOINT = f"http://localhost:{AWS_PORT}"

RESOLVER = "169.254.169.253"
"""Every VPC's resolver, as on AWS (https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html)."""


@dataclass(frozen=True, slots=True)
class Vpc:
    """A network of the lab: its id in the fake EC2 and its address range."""

    vpc_id: str
    cidr: IPv4Network


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the proxy VPC."""

    subnet_id: str
    availability_zone: str
    cidr: IPv4Network


CLIENT_VPC = Vpc("vpc-0c11e47a000000001", IPv4Network("10.10.0.0/16"))
PROXY_VPC = Vpc("vpc-0940f000000000002", IPv4Network("10.20.0.0/16"))
CACHE_VPC = Vpc("vpc-0cac4e00000000003", IPv4Network("10.30.0.0/16"))
NODE_INTERNAL = IPv4Network("10.31.0.0/16")
CACHE_SECURITY_GROUP = "sg-0cac4e00000000001"

PROXY_SUBNETS = tuple(
    Subnet(f"subnet-0940f00000000000{az}", f"{REGION}{az}", IPv4Network(f"10.20.{i}.0/24"))
    for i, az in enumerate("abc", start=1)
)

CLIENT_ADDRESS = "10.10.0.10"
CLIENT_SUBNET = "subnet-0c11e47a00000001a"
"""Where functions in the client VPC are."""
PROXY_GATEWAY = "10.20.0.1"

REPLICATION_GROUP = "demo"
ZONE = "demo.abc123.use1.cache.amazonaws.com"
CONFIGURATION_ENDPOINT = f"clustercfg.{ZONE}"
PORT = 6379
PROBE_SECRET = "lab/probe"
PROBE_SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{PROBE_SECRET}-a1B2c3"
"""What the probe logs in with; `cdk.json` names it."""
ENVOY_ENDPOINT = f"redis.{REPLICATION_GROUP}.lab.nodeway.internal"


def run_dir() -> Path:
    """The directory of a running lab: pids, certificates, logs and state files; removed at its end."""
    return Path(os.environ.get("LAB_RUN_DIR", ROOT / "build" / "lab" / "run"))
