"""Wrong configurations, each with its one message: the key, the value found, the allowed values, the remedy."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.lookup.topology import load_topologies
from tests.support.blocks import PROXY_VPC, SECRET, SHARED
from tests.support.fakes import ONE, TWO, context, environment_block, named
from tests.support.refusals import problems

# ruff: noqa: E501
# a row is a line
FOREIGN_SECRET = SECRET.replace("us-east-1", "eu-west-1")
SUBNETS = ["subnet-0000000b", "subnet-0000000c"]
VPC, CLIENT, OTHER, CACHE = "vpc-0000000a", "vpc-0000000c", "vpc-0000000d", "vpc-0000000e"
TABLE = "rtb-0000000a"
SUBNET = {"subnet_id": "subnet-0000000a", "availability_zone": "us-east-1a"}
EXISTING = {"vpc_id": VPC, "subnets": [SUBNET]}
NEW = {"cidr": "10.20.0.0/20", "availability_zones": ["us-east-1a"], "nat_gateways": 1}
ISOLATED = {**NEW, "nat_gateways": 0, "endpoints": ["ecr.api", "ecr.dkr", "logs", "s3"]}
PRIVATE_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/haproxy:2.8.25-alpine"


def client(**keys: object) -> dict[str, Any]:
    """A client VPC."""
    return {"vpc_id": CLIENT, "cidr": "10.40.0.0/16", **keys}


def cluster(**keys: object) -> dict[str, Any]:
    """The cluster of the block."""
    return {"replication_group_id": "demo", "nodes": [named(ONE), named(TWO)], **keys}


def envoy(**keys: object) -> dict[str, Any]:
    """The cluster behind Envoys, with keys of its block `envoy`."""
    return cluster(proxy="envoy", envoy={"downstream_secret_arns": [SECRET], **keys})


def probed(client_keys: dict[str, Any], **cluster_keys: object) -> dict[str, Any]:
    """An environment with a probe in its client VPC, and keys of that VPC and of its cluster."""
    return {
        "client_vpcs": [client(**{"probe_subnet_ids": SUBNETS, **client_keys})],
        "clusters": [cluster(**cluster_keys)],
    }


def cache(cidr: str = "10.30.0.0/16") -> dict[str, Any]:
    """The caches' VPC."""
    return {"vpc_id": CACHE, "cidr": cidr, "route_table_ids": [TABLE]}


def outside(**keys: object) -> dict[str, Any]:
    """Clients outside AWS."""
    return {
        "cidrs": ["192.168.0.0/16"],
        "resolver_vpc_id": CLIENT,
        "resolver_subnet_ids": SUBNETS,
        **keys,
    }


PEERING: dict[str, Any] = {
    "access": "peering",
    "proxy_vpc": PROXY_VPC,
    "client_vpcs": [client(route_table_ids=[TABLE])],
}

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("account", {"account": "12"}, "account: string should match pattern"),
    ("region", {"region": "virginia"}, "region: string should match pattern"),
    ("misspelt key", {"clients": []}, "clients: extra inputs are not permitted"),
    ("access", {"access": "vpn"}, "access: input should be 'existing' or 'peering'; got 'vpn'"),
    ("no clients", {"client_vpcs": []}, "client_vpcs: tuple should have at least 1 item"),
    ("client without range", {"client_vpcs": [{"vpc_id": CLIENT}]}, "client_vpcs.0.cidr: is missing"),
    ("a range that is none", {"client_vpcs": [client(cidr="10.40.0.0/33")]}, "client_vpcs.0.cidr: "),
    ("host bits", {"client_vpcs": [client(cidr="10.40.0.1/16")]}, "client_vpcs.0.cidr: "),
    ("client twice", {"client_vpcs": [client(), client()]}, f"{CLIENT} with 10.40.0.0/16 is listed twice"),
    (
        "client in two places",
        {"client_vpcs": [client(), client(cidr="10.41.0.0/16", region="eu-west-1")]},
        f"{CLIENT} is listed with different accounts or Regions",
    ),
    (
        "groups of another Region",
        {"client_vpcs": [client(region="eu-west-1", security_group_ids=["sg-0000000a"])]},
        "security_group_ids of another Region cannot be used in a rule",
    ),
    ("loop", {"client_vpcs": [client(vpc_id=VPC)]}, f"proxy_vpc {VPC} is also a client VPC: its resolver would answer the HAProxies with their own addresses (a loop)"),
    ("no proxy VPC", {"proxy_vpc": None}, "proxy_vpc: is missing; the proxies need one"),
    ("no subnets", {"proxy_vpc": {"vpc_id": VPC}}, "proxy_vpc.subnets: is missing"),
    ("subnet twice", {"proxy_vpc": {**EXISTING, "subnets": [SUBNET, SUBNET]}}, "subnet-0000000a is listed twice"),
    (
        "subnet of another Region",
        {"proxy_vpc": {**EXISTING, "subnets": [{**SUBNET, "availability_zone": "eu-west-1a"}]}},
        "availability zone eu-west-1a is not in Region us-east-1",
    ),
    (
        "zone that is none",
        {"proxy_vpc": {**EXISTING, "subnets": [{**SUBNET, "availability_zone": "zzz"}]}},
        "proxy_vpc.subnets.0.availability_zone: string should match pattern",
    ),
    ("neither existing nor new", {"proxy_vpc": {}}, "cidr and availability_zones missing; allowed: vpc_id and subnets"),
    ("existing with gateways", {"proxy_vpc": {**EXISTING, "nat_gateways": 1}}, "proxy_vpc.nat_gateways: belongs to a new VPC"),
    ("new with subnets", {"proxy_vpc": {**NEW, "subnets": [SUBNET]}}, "proxy_vpc.subnets: belongs to an existing VPC"),
    ("new too small", {"proxy_vpc": {**NEW, "cidr": "10.20.0.0/28"}}, "proxy_vpc.cidr: got 10.20.0.0/28; allowed: /16 to /24"),
    ("more gateways than zones", {"proxy_vpc": {**NEW, "nat_gateways": 2}}, "proxy_vpc.nat_gateways: got 2; allowed: at most one for each"),
    ("unknown endpoint", {"proxy_vpc": {**EXISTING, "endpoints": ["ec2"]}}, "proxy_vpc.endpoints.0: input should be 'ecr.api'"),
    ("endpoint without tables", {"proxy_vpc": {**EXISTING, "cidr": "10.20.0.0/16", "endpoints": ["s3"]}}, "proxy_vpc.route_table_ids: is missing; the s3 endpoint"),
    ("isolated, no endpoints", {"proxy_vpc": {**ISOLATED, "endpoints": []}, "image": PRIVATE_IMAGE}, "ecr.api, ecr.dkr, logs, s3 missing; a VPC without NAT gateways"),
    ("isolated, public image", {"proxy_vpc": ISOLATED}, "which a VPC without NAT gateways cannot reach"),
    ("image that moves", {"image": "haproxy:latest"}, "image: allowed: REPOSITORY:TAG"),
    ("no image", {"image": ""}, "image: allowed: REPOSITORY:TAG"),
    ("no clusters", {"clusters": []}, "clusters: tuple should have at least 1 item"),
    ("cluster twice", {"clusters": [cluster(), cluster()]}, "clusters: demo is listed twice"),
    ("node twice", {"clusters": [cluster(nodes=[named(ONE), named(ONE).upper()])]}, f"nodes of demo: {named(ONE)} is listed twice"),
    ("nodes of two zones", {"clusters": [cluster(nodes=[named(ONE), "a.b.c"])]}, "nodes of demo are of different zones"),
    ("node that is no name", {"clusters": [cluster(nodes=["a b"])]}, "clusters.0.nodes.0: not a host name: got 'a b'"),
    ("name of a group", {"clusters": [cluster(replication_group_id="Demo")]}, "clusters.0.replication_group_id: string should match"),
    ("port", {"clusters": [cluster(port=70000)]}, "clusters.0.port: input should be less than or equal to 65535; got 70000"),
    ("unknown proxy", {"clusters": [cluster(proxy="nginx")]}, "clusters.0.proxy: input should be 'haproxy', 'shared', 'envoy' or 'none'; got 'nginx'"),
    ("group id", {"clusters": [cluster(cache_security_group_id="sg")]}, "clusters.0.cache_security_group_id: string should match"),
    ("cpu", {"cpu": 300}, "cpu: input should be 256, 512, 1024, 2048 or 4096; got 300"),
    ("memory", {"memory": 600}, "memory: got 600 MiB with cpu 256; allowed: 512, 1024, 2048"),
    ("memory of more cpu", {"cpu": 1024, "memory": 1024}, "allowed: 2048 to 8192 in steps of 1024"),
    ("ttl", {"ttl": 0}, "ttl: input should be greater than or equal to 1; got 0"),
    ("too many a node", {"haproxies_per_node": 9}, "haproxies_per_node: input should be less than or equal to 8; got 9"),
    ("resync", {"resync": "sometimes"}, "resync: input should be 'on', 'observe' or 'off'"),
    ("pin without address", {"pins": {named(ONE): []}}, "at least 1 item"),
    ("pin to a name", {"pins": {named(ONE): ["localhost"]}}, "not an IPv4 address: got 'localhost'"),
    ("approve", {"approve": "yes"}, "approve: string should match pattern"),
    ("topic", {"alarm_topic_arn": "arn:aws:sqs:us-east-1:111122223333:q"}, "alarm_topic_arn: string should match"),
    ("address", {"alarm_email": "on call"}, "alarm_email: string should match"),
    ("two topics", {"alarm_topic_arn": "arn:aws:sns:us-east-1:111122223333:q", "alarm_email": "a@b.example"}, "alarm_topic_arn names an existing one; allowed: one of the two"),
    ("no cache group", {**PEERING, "proxy_vpc": None, "cache_vpc": cache(), "clusters": [cluster(proxy="none")]}, "no cache_security_group_id"),
    ("nothing to deploy", {"proxy_vpc": None, "clusters": [cluster(proxy="none")]}, "there is nothing to deploy; set access: peering"),
    ("proxy VPC for nothing", {**PEERING, "cache_vpc": cache(), "clusters": [cluster(proxy="none", cache_security_group_id="sg-0000000a")]}, "no cluster has proxies (proxy: none); leave it out"),
    ("cache VPC for nothing", {"cache_vpc": cache()}, "cache_vpc: is read with access: peering only"),
    ("peering without routes", {**PEERING, "proxy_vpc": EXISTING}, "proxy_vpc: cidr and route_table_ids missing; access: peering"),
    ("client without routes", {**PEERING, "client_vpcs": [client()]}, "route_table_ids missing; access: peering creates routes"),
    ("nobody accepts", {**PEERING, "client_vpcs": [client(account="999988887777")]}, "peer_role_arn missing; it is a role of account 999988887777"),
    (
        "client overlaps the proxies",
        {**PEERING, "client_vpcs": [client(cidr="10.20.128.0/17", route_table_ids=[TABLE])]},
        f"client VPC {CLIENT} (10.20.128.0/17) and proxy VPC {VPC} (10.20.0.0/16) overlap",
    ),
    (
        "cache overlaps the proxies",
        {**PEERING, "cache_vpc": cache("10.20.0.0/24")},
        f"proxy VPC {VPC} (10.20.0.0/16) and cache VPC {CACHE} (10.20.0.0/24) overlap",
    ),
    (
        "clients overlap each other",
        {**PEERING, "client_vpcs": [client(route_table_ids=[TABLE]), client(vpc_id=OTHER, route_table_ids=[TABLE])]},
        f"client VPC {CLIENT} (10.40.0.0/16) and client VPC {OTHER} (10.40.0.0/16) overlap",
    ),
    ("resolver nowhere", {"on_premises": outside(resolver_vpc_id=OTHER)}, f"got {OTHER}; allowed: a client VPC of this account"),
    ("one resolver subnet", {"on_premises": outside(resolver_subnet_ids=["subnet-0000000b"])}, "on_premises.resolver_subnet_ids: tuple should have at least 2 items"),
    ("resolver subnet twice", {"on_premises": outside(resolver_subnet_ids=["subnet-0000000b"] * 2)}, "on_premises.resolver_subnet_ids: subnet-0000000b is listed twice"),
    ("loop with shared HAProxies", {"client_vpcs": [client(vpc_id=VPC)], "clusters": [cluster(**SHARED)]}, f"proxy_vpc {VPC} is also a client VPC"),
    ("no envoy", {"clusters": [cluster(proxy="envoy")]}, "clusters demo.envoy: is missing; proxy: envoy needs downstream_secret_arns"),
    ("no secret", {"clusters": [envoy(downstream_secret_arns=[])]}, "clusters.0.envoy.downstream_secret_arns: tuple should have at least 1 item"),
    ("password in its place", {"clusters": [envoy(downstream_secret_arns=["hunter2"])]}, "clusters.0.envoy.downstream_secret_arns.0: string should match pattern"),
    ("secret of another Region", {"clusters": [envoy(upstream_secret_arn=FOREIGN_SECRET)]}, f"clusters demo.envoy: {FOREIGN_SECRET} is not in Region us-east-1"),
    ("two logins of Envoy", {"clusters": [envoy(upstream_secret_arn=SECRET, upstream_iam=True, upstream_username="app")]}, "has upstream_iam and upstream_secret_arn; allowed: one of them"),
    ("IAM without a user", {"clusters": [envoy(upstream_iam=True)]}, "clusters demo.envoy.upstream_username: is missing; upstream_iam logs in as this"),
    ("replicas by IAM", {"clusters": [envoy(upstream_iam=True, upstream_username="app", read_policy="replica")]}, "read_policy: got 'replica'; allowed with upstream_iam: primary"),
    ("unknown read policy", {"clusters": [envoy(read_policy="nearest")]}, "clusters.0.envoy.read_policy: input should be 'primary'"),
    ("one Envoy", {"clusters": [{**envoy(), "tasks": 1}]}, "clusters.0.tasks: input should be greater than or equal to 2; got 1"),
    ("envoy of HAProxies", {"clusters": [{**envoy(), "proxy": "haproxy"}]}, "clusters demo.envoy: is read with proxy: envoy only; leave it out"),
    ("tasks of HAProxies", {"clusters": [cluster(tasks=3)]}, "clusters demo.tasks: is read with proxy: envoy or shared only; leave it out"),
    ("clients of HAProxies", {"clusters": [cluster(clients=["rueidis"])]}, "clusters demo.clients: is read with proxy: shared only; leave it out"),
    ("networks of HAProxies", {"clusters": [cluster(cache_cidrs=["10.60.1.0/24"])]}, "clusters demo.cache_cidrs: is read with proxy: shared only; leave it out"),
    ("Envoys twice", {"clusters": [envoy(), envoy()]}, "clusters: demo-envoy is listed twice"),
    ("two owners of a zone", {"clusters": [cluster(), cluster(**SHARED)]}, "clusters: demo has proxy: haproxy and shared"),
    ("zone that is no name", {"clusters": [envoy(zone_name="a b")]}, "clusters.0.envoy.zone_name: not a host name"),
    ("Envoy's image moves", {"clusters": [envoy(image="envoyproxy/envoy:latest")]}, "clusters.0.envoy.image: allowed: REPOSITORY:TAG"),
    ("probe of another account", probed({"account": "999988887777"}), f"client_vpcs {CLIENT}.probe_subnet_ids: are of another account or Region"),
    ("probe of another Region", probed({"region": "eu-west-1"}), f"client_vpcs {CLIENT}.probe_subnet_ids: are of another account or Region"),
    ("two logins of the probe", probed({}, probe={"secret_arn": SECRET, "iam_username": "probe"}), "demo.probe: has secret_arn and iam_username; allowed: one of them"),
    ("probe nowhere", {"clusters": [cluster(probe={"secret_arn": SECRET})]}, "demo.probe: is not read, as no VPC in client_vpcs has probe_subnet_ids"),
    ("probe's secret elsewhere", probed({}, probe={"secret_arn": FOREIGN_SECRET}), "is not in Region us-east-1, where the probe reads it"),
    ("parameter for a secret", probed({}, probe={"secret_arn": "arn:aws:ssm:::p/x"}), "clusters.0.probe.secret_arn: string should match"),
    ("text for a secret", probed({}, probe={"secret_arn": "hunter2"}), "clusters.0.probe.secret_arn: string should match"),
    ("probe's user", probed({}, probe={"iam_username": "a b"}), "clusters.0.probe.iam_username: string should match"),
    ("probe's password", probed({}, probe={"password": "x"}), "clusters.0.probe.password: extra inputs are not permitted"),
    ("probe of Envoys", probed({}, probe={}, proxy="envoy", envoy={"downstream_secret_arns": [SECRET]}), "demo.probe: is read with proxy: haproxy or shared only; leave it out"),
    ("probe's subnet", probed({"probe_subnet_ids": ["subnet"]}), "client_vpcs.0.probe_subnet_ids.0: string should match"),
]  # fmt: skip
"""An id, keys of the environment, and a part of the message."""

WRONG_VARIABLES: list[tuple[dict[str, str], str]] = [
    ({"environmentsx": "5"}, "unknown context variable: 'environmentsx'"),
    ({"ttl": "five"}, "-c ttl: got 'five'; allowed: a whole number"),
    ({"cpu": "-256"}, "-c cpu: got '-256'; allowed: a whole number"),
    ({"pin": "demo"}, "-c pin: got 'demo'; allowed: HOST=IP[,IP]"),
    ({"pin": "demo=1.2.3"}, "-c pin: not an IPv4 address: got '1.2.3'"),
    ({"pin": "other.zone=10.0.0.1"}, "pin: got other.zone; allowed: names of demo."),
    ({"nodes": "a b"}, "not a host name: got 'a b'"),
    ({"refresh": "yes"}, "-c refresh: got 'yes'; allowed: true, false"),
    ({"resync": "maybe"}, "resync: input should be 'on', 'observe' or 'off'; got 'maybe'"),
    ({"approve": "all"}, "approve: string should match pattern"),
    ({"take_over": "maybe"}, "take_over: input should be a valid boolean"),
    ({"max_stand_ins": "many"}, "-c max_stand_ins: got 'many'; allowed: a whole number"),
    ({"max_stand_ins": "501"}, "max_stand_ins: input should be less than or equal to 500"),
]


def test_blocks_are_right_without_the_wrong_keys() -> None:
    """So that each row below is refused for its own reason."""
    for keys in ({}, PEERING, {"proxy_vpc": NEW}, {"proxy_vpc": ISOLATED, "image": PRIVATE_IMAGE}):
        right = context(environment_block(clusters=[cluster()], **keys))
        assert load_topologies(load(right), right)
    load(context(environment_block(on_premises=outside())))


@pytest.mark.parametrize(
    ("keys", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_wrong_block_has_one_message(keys: dict[str, Any], message: str) -> None:
    """One line for the one problem, without a password that was entered in place of an ARN."""
    (line,) = problems(context(environment_block(**{"clusters": [cluster()], **keys})))

    assert message in line
    assert "hunter2" not in line


@pytest.mark.parametrize(("variables", "message"), WRONG_VARIABLES)
def test_wrong_variable_has_one_message(variables: dict[str, str], message: str) -> None:
    (line,) = problems(context(environment_block(clusters=[cluster()]), **variables))

    assert message in line


def test_problem_between_keys_is_reported_with_one_of_another_key() -> None:
    """So that all problems can be fixed at once."""
    block = environment_block(clusters=[cluster()], ttl=0, client_vpcs=[client(vpc_id=VPC)])

    first, second = problems(context(block))

    assert first.startswith("ttl: ")
    assert "is also a client VPC" in second
