"""What a block with proxy: envoy may say, and which clusters it reaches that no other way does."""

from collections.abc import Iterator
from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.errors import ConfigError
from nodeway.lookup.topology import context_key, fetch_topology, load_topologies
from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named
from tests.support.programs.loopback import Loopback, loopback

# ruff: noqa: E501
# a row is a line
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:demo/clients-AbCdEf"
ELSEWHERE = SECRET.replace("us-east-1", "eu-west-1")


def cluster(*, nodes: bool = True, **keys: object) -> dict[str, Any]:
    """A cluster behind Envoys; `keys` are of its block `envoy`."""
    envoy = {"downstream_secret_arns": [SECRET], **keys}
    by_hand = {"nodes": [named(ONE), named(TWO)]} if nodes else {}
    return {"replication_group_id": "demo", "proxy": "envoy", "envoy": envoy, **by_hand}


def environment(**keys: object) -> EnvironmentConfig:
    """A block with these keys, loaded."""
    return load(context(environment_block(**{"clusters": [cluster()], **keys})))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no block", {"clusters": [{"replication_group_id": "demo", "proxy": "envoy"}]}, "clusters demo.envoy: is missing; proxy: envoy needs the secrets"),
    ("no secret", {"clusters": [cluster(downstream_secret_arns=[])]}, "clusters.0.envoy.downstream_secret_arns: tuple should have at least 1 item"),
    ("a password in its place", {"clusters": [cluster(downstream_secret_arns=["hunter2"])]}, "clusters.0.envoy.downstream_secret_arns.0: string should match pattern"),
    ("a secret elsewhere", {"clusters": [cluster(upstream_secret_arn=ELSEWHERE)]}, f"clusters demo.envoy: {ELSEWHERE} is not in Region us-east-1"),
    ("two logins", {"clusters": [cluster(upstream_secret_arn=SECRET, upstream_iam=True, upstream_username="app")]}, "has upstream_iam and upstream_secret_arn; allowed: one of them"),
    ("nobody logs in", {"clusters": [cluster(upstream_iam=True)]}, "clusters demo.envoy.upstream_username: is missing; upstream_iam logs in as this"),
    ("replicas by IAM", {"clusters": [cluster(upstream_iam=True, upstream_username="app", read_policy="replica")]}, "read_policy: got 'replica'; allowed with upstream_iam: primary"),
    ("a policy that is none", {"clusters": [cluster(read_policy="nearest")]}, "clusters.0.envoy.read_policy: input should be 'primary'"),
    ("one task", {"clusters": [{**cluster(), "tasks": 1}]}, "clusters.0.tasks: input should be greater than or equal to 2; got 1"),
    ("envoy of a HAProxy", {"clusters": [{**cluster(), "proxy": "haproxy"}]}, "clusters demo.envoy: is read with proxy: envoy only; leave it out"),
    ("tasks of a HAProxy", {"clusters": [{"replication_group_id": "demo", "tasks": 3}]}, "clusters demo.tasks: is read with proxy: envoy or shared only; leave it out"),
    ("the same way twice", {"clusters": [cluster(), cluster()]}, "clusters: demo-envoy is listed twice"),
    ("two owners of a zone", {"clusters": [{"replication_group_id": "demo"}, {"replication_group_id": "demo", "proxy": "shared", "clients": ["rueidis"], "cache_cidrs": ["10.30.0.0/16"]}]}, "clusters: demo has proxy: haproxy and shared"),
    ("a name that is none", {"clusters": [cluster(zone_name="a b")]}, "clusters.0.envoy.zone_name: not a host name"),
    ("an image that moves", {"clusters": [cluster(image="envoyproxy/envoy:latest")]}, "clusters.0.envoy.image: allowed: REPOSITORY:TAG"),
]  # fmt: skip
"""What is wrong, the keys that make it so, and a part of the message."""


@pytest.mark.parametrize(
    ("keys", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_each_wrong_block_has_its_one_message(keys: dict[str, Any], told: str) -> None:
    """One problem, one line, with the reason; and a password that was written down is not told again."""
    with pytest.raises(ConfigError) as caught:
        environment(**keys)

    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "has 1 problem:" in str(caught.value)


def test_isolated_vpc_needs_envoys_image_in_its_own_region() -> None:
    """HAProxy's is not asked for where no HAProxy runs."""
    made = {
        "cidr": "10.20.0.0/20",
        "availability_zones": ["us-east-1a"],
        "endpoints": ["ecr.api", "ecr.dkr", "logs", "s3"],
    }
    with pytest.raises(ConfigError, match=r"clusters demo.envoy.image: got docker.io/envoyproxy"):
        environment(proxy_vpc=made)

    own = "111122223333.dkr.ecr.us-east-1.amazonaws.com/envoy:v1.40.0"
    environment(proxy_vpc=made, clusters=[cluster(image=own)])


def test_envoys_may_be_in_the_clients_vpc() -> None:
    """Their name is not the nodes': nobody is sent to himself."""
    block = environment_block(clusters=[cluster()])
    vpc_id = block["proxy_vpc"]["vpc_id"]

    environment(client_vpcs=[{"vpc_id": vpc_id, "cidr": "10.40.0.0/16"}])


def test_name_of_envoys_is_in_a_zone_of_ours_unless_one_is_given() -> None:
    """The configuration endpoint stays the cluster's own."""
    (ours,) = load_topologies(environment(), {})
    given = environment(clusters=[cluster(zone_name="Cache.Example.Internal.")])
    (theirs,) = load_topologies(given, {})

    assert ours.zone_name == "demo.dev.nodeway.internal"
    assert ours.configuration_endpoint == f"clustercfg.{ZONE}"
    assert theirs.zone_name == "cache.example.internal"


@pytest.fixture
def elasticache() -> ElastiCacheServer:
    """What ElastiCache will say."""
    return ElastiCacheServer()


@pytest.fixture
def aws(elasticache: ElastiCacheServer, fake_aws: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """ElastiCache on loopback."""
    with loopback(elasticache) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", here.url)
        yield here


@pytest.mark.usefixtures("aws")
def test_look_up_for_envoy_takes_a_group_without_tls(elasticache: ElastiCacheServer) -> None:
    """Its MOVED carries addresses, which Envoy follows; its configuration endpoint has another form."""
    elasticache.group = elasticache.group | {
        "TransitEncryptionEnabled": False,
        "ConfigurationEndpoint": {
            "Address": "demo.abc123.clustercfg.use1.cache.amazonaws.com",
            "Port": 6379,
        },
    }
    chosen = environment(clusters=[cluster(nodes=False)])

    found = fetch_topology(chosen, chosen.clusters[0])

    assert found.tls is False
    assert found.configuration_endpoint == "demo.abc123.clustercfg.use1.cache.amazonaws.com"


@pytest.mark.usefixtures("aws")
def test_look_up_for_envoy_takes_a_group_that_announces_addresses(
    elasticache: ElastiCacheServer,
) -> None:
    """The very case that the per-node way refuses."""
    elasticache.endpoint_type = "ip"
    chosen = environment(clusters=[cluster(nodes=False)])

    assert fetch_topology(chosen, chosen.clusters[0]).tls is True


def test_what_was_found_out_for_envoy_is_not_taken_for_haproxies() -> None:
    """Envoy serves groups that they cannot: each has a key of its own in cdk.context.json."""
    chosen = environment()
    plain = ClusterConfig(replication_group_id="demo")

    assert context_key(chosen, chosen.clusters[0]) == context_key(chosen, plain) + ":proxy=envoy"
