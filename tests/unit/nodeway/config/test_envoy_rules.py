"""Clusters with `proxy: envoy`: their image, zone and look-up."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.errors import ConfigError
from nodeway.lookup.topology import context_key, fetch_topology, load_topologies
from tests.support.blocks import ENVOY
from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named


def cluster(*, nodes: bool = True, **keys: object) -> dict[str, Any]:
    """A cluster behind Envoys; `keys` are of its block `envoy`."""
    by_hand = {"nodes": [named(ONE), named(TWO)]} if nodes else {}
    return ENVOY | {"envoy": ENVOY["envoy"] | keys, **by_hand}


def environment(**keys: object) -> EnvironmentConfig:
    """A block with these keys, loaded."""
    return load(context(environment_block(**{"clusters": [cluster()], **keys})))


def test_isolated_vpc_needs_envoys_image_in_its_own_region() -> None:
    """HAProxy's image is not checked, as no HAProxy runs."""
    isolated = {
        "cidr": "10.20.0.0/20",
        "availability_zones": ["us-east-1a"],
        "endpoints": ["ecr.api", "ecr.dkr", "logs", "s3"],
    }
    with pytest.raises(ConfigError, match=r"clusters demo.envoy.image: got docker.io/envoyproxy"):
        environment(proxy_vpc=isolated)

    private = "111122223333.dkr.ecr.us-east-1.amazonaws.com/envoy:v1.40.0"
    environment(proxy_vpc=isolated, clusters=[cluster(image=private)])


def test_envoys_may_be_in_a_client_vpc() -> None:
    """Their zone does not override the nodes' names."""
    vpc_id = environment_block()["proxy_vpc"]["vpc_id"]

    environment(client_vpcs=[{"vpc_id": vpc_id, "cidr": "10.40.0.0/16"}])


def test_zone_is_derived_unless_it_is_configured() -> None:
    """The configuration endpoint stays the cluster's own."""
    (derived,) = load_topologies(environment(), {})
    config = environment(clusters=[cluster(zone_name="Cache.Example.Internal.")])
    (configured,) = load_topologies(config, {})

    assert derived.zone_name == "demo.dev.nodeway.internal"
    assert derived.configuration_endpoint == f"clustercfg.{ZONE}"
    assert configured.zone_name == "cache.example.internal"


def test_look_up_has_a_key_of_its_own() -> None:
    """Envoy serves groups that HAProxies cannot."""
    config = environment()
    haproxy = ClusterConfig(replication_group_id="demo")

    assert context_key(config, config.clusters[0]) == f"{context_key(config, haproxy)}:proxy=envoy"


def test_look_up_takes_a_group_without_tls(elasticache: ElastiCacheServer) -> None:
    """Envoy follows the addresses of MOVED. The configuration endpoint has another form."""
    endpoint = "demo.abc123.clustercfg.use1.cache.amazonaws.com"
    elasticache.group |= {
        "TransitEncryptionEnabled": False,
        "ConfigurationEndpoint": {"Address": endpoint, "Port": 6379},
    }
    config = environment(clusters=[cluster(nodes=False)])

    topology = fetch_topology(config, config.clusters[0])

    assert topology.tls is False
    assert topology.configuration_endpoint == endpoint


def test_look_up_takes_a_group_that_announces_addresses(elasticache: ElastiCacheServer) -> None:
    elasticache.endpoint_type = "ip"
    config = environment(clusters=[cluster(nodes=False)])

    assert fetch_topology(config, config.clusters[0]).tls is True
