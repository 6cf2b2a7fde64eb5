"""The nodes at synth: by hand, from cdk.context.json, or asked once; and clusters that cannot be served."""

import json
from collections.abc import Iterator
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
    context_key,
    fetch_topology,
    load_topologies,
    load_topology,
    refuse_pins_elsewhere,
    topology_from_names,
    zone_of,
)
from nodeway_runtime.model.topology import hostname
from tests.support.elasticache_answers import ElastiCacheServer, cluster
from tests.support.fakes import ENDPOINT, ONE, TWO, ZONE, context, environment_block, named
from tests.support.programs.loopback import Loopback, loopback

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
    """An environment whose cluster is not listed by hand."""
    return load(context(environment_block(clusters=[{"replication_group_id": "demo"}])))


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


def never() -> KnownTopology:
    """A look-up that must not happen."""
    pytest.fail("AWS was asked")


def test_known_topology_takes_nodes_by_hand_without_asking(
    environment: EnvironmentConfig, empty_directory: Path
) -> None:
    """Nodes by hand need no AWS and leave no file."""
    found = load_topology(
        environment,
        ClusterConfig(replication_group_id="demo", nodes=(named(TWO), named(ONE))),
        None,
        never,
    )

    assert found.zone_name == ZONE
    assert [(n.cache_cluster_id, n.hostname) for n in found.nodes] == [
        (ONE, named(ONE)),
        (TWO, named(TWO)),
    ]
    assert list(empty_directory.iterdir()) == []


def test_known_topology_takes_the_remembered_answer_without_asking(
    environment: EnvironmentConfig,
) -> None:
    """A second synth is a function of files."""
    assert load_topology(environment, DISCOVERED, KNOWN.model_dump(mode="json"), never) == KNOWN


@pytest.mark.parametrize("cached", [{}, {"zone_name": ZONE}, "text", []])
def test_known_topology_refuses_a_remembered_answer_that_is_none(
    environment: EnvironmentConfig, cached: object
) -> None:
    """A file that somebody edited wrongly says how to renew it."""
    with pytest.raises(
        ConfigError, match=r"cdk\.context\.json: nodeway:topology:.* renew it with -c refresh=true"
    ):
        load_topology(environment, DISCOVERED, cached, never)


def test_known_topology_asks_once_and_remembers_beside_the_other_look_ups(
    environment: EnvironmentConfig, empty_directory: Path
) -> None:
    """The answer is written in the CDK's own file; what was in it stays."""
    file = empty_directory / CONTEXT_FILE
    file.write_text('{"vpc-provider:x": {"vpcId": "vpc-1"}}')

    found = load_topology(environment, DISCOVERED, None, lambda: KNOWN)

    written = json.loads(file.read_text())
    key = context_key(environment, DISCOVERED)
    assert key == "nodeway:topology:account=111122223333:region=us-east-1:replication-group=demo"
    assert written["vpc-provider:x"] == {"vpcId": "vpc-1"}
    assert load_topology(environment, DISCOVERED, written[key], never) == found == KNOWN
    assert [one.name for one in empty_directory.iterdir()] == [CONTEXT_FILE]


def test_known_topology_makes_the_file_when_there_is_none(
    environment: EnvironmentConfig, empty_directory: Path
) -> None:
    """The first look-up of a fresh checkout."""
    load_topology(environment, DISCOVERED, None, lambda: KNOWN)

    assert list(json.loads((empty_directory / CONTEXT_FILE).read_text())) == [
        context_key(environment, DISCOVERED)
    ]


@pytest.mark.parametrize("asked", [DISCOVERED, SHARED], ids=["haproxy", "shared"])
def test_by_hand_refuses_names_of_a_cluster_without_tls(asked: ClusterConfig) -> None:
    """Such names are not what MOVED carries."""
    name = hostname("demo-0001-001.abc123.0001.use1.cache.amazonaws.com")

    with pytest.raises(
        ConfigError, match=r"got 'demo-0001-001\.abc123.*allowed: the names of a cluster with TLS"
    ):
        topology_from_names(asked.model_copy(update={"nodes": (name,)}))


@pytest.mark.usefixtures("aws")
def test_look_up_gives_the_groups_nodes_from_all_pages(environment: EnvironmentConfig) -> None:
    """Three pages, one of them somebody else's cluster."""
    assert fetch_topology(environment, DISCOVERED) == KNOWN


@pytest.mark.parametrize(
    ("changes", "told"),
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
            "not whole: member demo-0002-001 is missing",
        ),
    ],
    ids=["cluster mode disabled", "no TLS", "TLS preferred", "not whole"],
)
@pytest.mark.parametrize("asked", [DISCOVERED, SHARED], ids=["haproxy", "shared"])
@pytest.mark.usefixtures("aws")
def test_look_up_refuses_a_cluster_that_cannot_be_served(
    environment: EnvironmentConfig,
    elasticache: ElastiCacheServer,
    asked: ClusterConfig,
    changes: dict[str, Any],
    told: str,
) -> None:
    """Before anything is deployed, with the reason."""
    elasticache.group |= changes

    with pytest.raises(ConfigError) as caught:
        fetch_topology(environment, asked)

    assert told in str(caught.value)


@pytest.mark.parametrize("asked", [DISCOVERED, SHARED], ids=["haproxy", "shared"])
@pytest.mark.usefixtures("aws")
def test_look_up_refuses_a_cluster_that_announces_addresses(
    environment: EnvironmentConfig, elasticache: ElastiCacheServer, asked: ClusterConfig
) -> None:
    """No DNS can turn an address."""
    elasticache.endpoint_type = "ip"

    with pytest.raises(
        ConfigError, match="cluster-preferred-endpoint-type=ip in its parameter group default"
    ):
        fetch_topology(environment, asked)


@pytest.mark.usefixtures("aws")
def test_look_up_refuses_a_group_that_has_no_endpoint_yet(
    environment: EnvironmentConfig, elasticache: ElastiCacheServer
) -> None:
    """A group that is being created is not deployed for: later synth, whole answer."""
    elasticache.clusters = [
        cluster(label, status="creating", endpoint=False) for label in (ONE, TWO)
    ]

    with pytest.raises(
        ConfigError, match="no node has an endpoint yet; wait until the group is available"
    ):
        fetch_topology(environment, DISCOVERED)


def test_look_up_says_what_to_do_when_elasticache_cannot_be_asked(
    environment: EnvironmentConfig, fake_aws: pytest.MonkeyPatch
) -> None:
    """No network and no credentials are no stack trace."""
    with loopback(lambda _: (403, b"<Error><Code>AccessDenied</Code></Error>")) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", here.url)

        with pytest.raises(
            ConfigError,
            match=r"cannot be asked: .* set AWS credentials for account 111122223333, or give",
        ):
            load_topology(
                environment, DISCOVERED, None, partial(fetch_topology, environment, DISCOVERED)
            )


def test_zone_of_is_the_configuration_endpoint_without_its_first_label() -> None:
    """The zone holds exactly this cluster's names."""
    assert zone_of(ENDPOINT) == ZONE


def test_pin_outside_every_zone_is_refused() -> None:
    """A pin that no function would ever see is a mistake, not a wish."""
    environment = load(context(environment_block(pins={"elsewhere.example": ["10.9.0.2"]})))

    with pytest.raises(ConfigError, match=f"got elsewhere.example; allowed: names of {ZONE}"):
        refuse_pins_elsewhere(environment, [ZONE])


def test_refresh_takes_only_true_or_false() -> None:
    """Anything else is told, not taken for no."""
    environment = load(context(environment_block()))

    with pytest.raises(ConfigError, match="-c refresh: got 'maybe'"):
        load_topologies(environment, {"refresh": "maybe"})
