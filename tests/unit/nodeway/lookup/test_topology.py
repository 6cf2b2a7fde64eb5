"""The topology at synth: configured, cached in cdk.context.json, or looked up; and clusters that cannot be served."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.errors import ConfigError
from nodeway.lookup.topology import (
    CONTEXT_FILE,
    KnownNode,
    KnownTopology,
    fetch_topology,
    load_topology,
    topology_from_names,
)
from nodeway_runtime.model.topology import hostname
from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.elasticache_answers import cluster as member
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named
from tests.support.programs.loopback import loopback

DISCOVERED = ClusterConfig(replication_group_id="demo")
SHARED = ClusterConfig(replication_group_id="demo", proxy="shared")
KNOWN = KnownTopology(
    zone_name=ZONE,
    port=6379,
    nodes=tuple(
        KnownNode(cache_cluster_id=label, hostname=named(label), availability_zone="us-east-1b")
        for label in (ONE, TWO)
    ),
)


@pytest.fixture
def environment() -> EnvironmentConfig:
    """An environment of which the nodes are looked up."""
    return load(context(environment_block(clusters=[{"replication_group_id": "demo"}])))


def never() -> KnownTopology:
    """Fails, as a look-up is not expected."""
    pytest.fail("AWS was asked")


def test_configured_nodes_need_no_look_up(
    environment: EnvironmentConfig, empty_directory: Path
) -> None:
    cluster = ClusterConfig(replication_group_id="demo", nodes=(named(TWO), named(ONE)))

    topology = load_topology(environment, cluster, None, never)

    assert topology.zone_name == ZONE
    assert [(node.cache_cluster_id, node.hostname) for node in topology.nodes] == [
        (ONE, named(ONE)),
        (TWO, named(TWO)),
    ]
    assert list(empty_directory.iterdir()) == []


@pytest.mark.parametrize("cached", [{}, {"zone_name": ZONE}, "text", []])
def test_invalid_cached_topology_is_an_error_with_a_remedy(
    environment: EnvironmentConfig, cached: object
) -> None:
    with pytest.raises(
        ConfigError, match=r"cdk\.context\.json: nodeway:topology:.* renew it with -c refresh=true"
    ):
        load_topology(environment, DISCOVERED, cached, never)


@pytest.mark.parametrize("others", [{}, {"vpc-provider:x": {"vpcId": "vpc-1"}}])
def test_look_up_is_cached_beside_other_look_ups(
    environment: EnvironmentConfig, empty_directory: Path, others: dict[str, Any]
) -> None:
    """A second synth does not look up."""
    file = empty_directory / CONTEXT_FILE
    if others:
        file.write_text(json.dumps(others))

    topology = load_topology(environment, DISCOVERED, None, lambda: KNOWN)

    key = "nodeway:topology:account=111122223333:region=us-east-1:replication-group=demo"
    written = json.loads(file.read_text())
    assert written.keys() == {*others, key}
    assert others.items() <= written.items()
    assert load_topology(environment, DISCOVERED, written[key], never) == topology == KNOWN
    assert [path.name for path in empty_directory.iterdir()] == [CONTEXT_FILE]


@pytest.mark.parametrize("cluster", [DISCOVERED, SHARED], ids=["haproxy", "shared"])
def test_configured_names_of_a_cluster_without_tls_are_refused(cluster: ClusterConfig) -> None:
    name = hostname("demo-0001-001.abc123.0001.use1.cache.amazonaws.com")

    with pytest.raises(
        ConfigError, match=r"got 'demo-0001-001\.abc123.*allowed: the names of a cluster with TLS"
    ):
        topology_from_names(cluster.model_copy(update={"nodes": (name,)}))


@pytest.mark.usefixtures("elasticache")
def test_look_up_returns_the_group_s_nodes_of_all_pages(environment: EnvironmentConfig) -> None:
    """One of three pages has the member of another group."""
    assert fetch_topology(environment, DISCOVERED) == KNOWN


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ClusterEnabled": False}, "demo has cluster mode disabled"),
        (
            {"TransitEncryptionEnabled": False},
            "demo has no encryption in transit: its MOVED answers carry addresses",
        ),
        (
            {
                "ConfigurationEndpoint": {
                    "Address": "demo.abc123.clustercfg.use1.cache.amazonaws.com",
                    "Port": 6379,
                }
            },
            "expected clustercfg.NAME",
        ),
        (
            {"MemberClusters": [ONE, TWO, "demo-0002-001"]},
            "incomplete: member demo-0002-001 is missing",
        ),
        (
            {"endpoint_type": "ip"},
            "cluster-preferred-endpoint-type=ip in its parameter group default",
        ),
        (
            {"clusters": [member(one, status="creating", endpoint=False) for one in (ONE, TWO)]},
            "no node has an endpoint yet; wait until the group is available",
        ),
    ],
    ids=["no cluster mode", "no TLS", "TLS preferred", "incomplete", "addresses", "no endpoint"],
)
@pytest.mark.parametrize("cluster", [DISCOVERED, SHARED], ids=["haproxy", "shared"])
def test_look_up_refuses_a_group_that_cannot_be_served(
    environment: EnvironmentConfig,
    elasticache: ElastiCacheServer,
    cluster: ClusterConfig,
    changes: dict[str, Any],
    message: str,
) -> None:
    for name, value in changes.items():
        if hasattr(elasticache, name):
            setattr(elasticache, name, value)
        else:
            elasticache.group[name] = value

    with pytest.raises(ConfigError, match=message):
        fetch_topology(environment, cluster)


def test_refused_look_up_is_an_error_with_a_remedy(
    environment: EnvironmentConfig, fake_aws: pytest.MonkeyPatch
) -> None:
    with loopback(lambda _: (403, b"<Error><Code>AccessDenied</Code></Error>")) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", here.url)

        with pytest.raises(
            ConfigError,
            match=r"cannot be asked: .* set AWS credentials for account 111122223333, or give",
        ):
            load_topology(
                environment, DISCOVERED, None, partial(fetch_topology, environment, DISCOVERED)
            )
