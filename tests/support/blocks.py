"""Parts of a correct environment of cdk.json: a cluster in each mode, and networks."""

from typing import Any

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:demo/clients-AbCdEf"
GROUP: dict[str, Any] = {"replication_group_id": "demo"}
SHARED = GROUP | {"proxy": "shared", "clients": ["rueidis"], "cache_cidrs": ["10.60.1.0/24"]}
ENVOY = GROUP | {"proxy": "envoy", "envoy": {"downstream_secret_arns": [SECRET]}}
PROXY_VPC: dict[str, Any] = {
    "vpc_id": "vpc-0000000a",
    "cidr": "10.20.0.0/16",
    "subnets": [{"subnet_id": "subnet-0000000a", "availability_zone": "us-east-1a"}],
    "route_table_ids": ["rtb-0000000a"],
}
PEERED: dict[str, Any] = {
    "access": "peering",
    "proxy_vpc": PROXY_VPC,
    "client_vpcs": [
        {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", "route_table_ids": ["rtb-0000000c"]}
    ],
    "cache_vpc": {
        "vpc_id": "vpc-0000000e",
        "cidr": "10.60.0.0/16",
        "route_table_ids": ["rtb-0000000e"],
    },
}
DIRECT = PEERED | {
    "proxy_vpc": None,
    "clusters": [GROUP | {"proxy": "none", "cache_security_group_id": "sg-0000000a"}],
}
"""Peering without proxies."""
