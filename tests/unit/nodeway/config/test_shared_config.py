"""Clusters with `proxy: shared`: the networks of the cache, and the client libraries."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.shared_clients import NOT_SERVED, SERVED
from tests.support.blocks import PEERED, PROXY_VPC, SHARED
from tests.support.fakes import context, environment_block
from tests.support.refusals import problems

NEW = {
    "proxy_vpc": {"cidr": "10.20.0.0/16", "availability_zones": ["us-east-1a"], "nat_gateways": 1}
}


def block(cluster: dict[str, Any], **keys: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """The context of an environment with this cluster; a key of it that is None is left out."""
    present = {key: value for key, value in (SHARED | cluster).items() if value is not None}
    return context(environment_block(**keys, clusters=[present]))


def networks(cluster: dict[str, Any], **keys: Any) -> list[str]:  # noqa: ANN401 (any JSON)
    """The networks that the shared HAProxies may connect to."""
    config = load(block(cluster, **keys))
    return [str(network) for network in config.cache_networks(config.clusters[0])]


def test_shared_needs_clients_and_networks_only() -> None:
    config = load(block({}))

    assert (config.clusters[0].label, config.clusters[0].tasks) == ("demo-shared", 2)
    assert config.overridden_clusters == config.clusters


def test_networks_are_those_of_the_peered_vpc_unless_they_are_configured() -> None:
    assert networks({}) == networks({}, **PEERED) == ["10.60.1.0/24"]
    assert networks({"cache_cidrs": None}, **PEERED) == ["10.60.0.0/16"]


def test_networks_and_clients_are_required() -> None:
    assert problems(block({"cache_cidrs": None, "clients": None})) == [
        (
            "clusters demo.cache_cidrs: is missing; proxy: shared connects to these networks and to nothing else: give"
            " those of the cache's subnets"
        ),
        (
            "clusters demo.clients: is missing; proxy: shared does not serve every client library: list those that"
            f" connect, of {', '.join(SERVED)}"
        ),
    ]


@pytest.mark.parametrize(
    "network",
    [
        *("0.0.0.0/0", "10.0.0.0/8", "10.60.1.1/32", "10.60.1.0/29"),
        *("127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "240.0.0.0/16"),
    ],
)
def test_networks_are_a_vpc_s(network: str) -> None:
    """Nothing so wide that it is anywhere, nothing of the host's own."""
    assert problems(block({"cache_cidrs": ["10.60.1.0/24", network]})) == [
        f"clusters demo.cache_cidrs: got {network}; allowed: networks of the cache's VPC, /16 to /28"
    ]


@pytest.mark.parametrize("keys", [PEERED, NEW], ids=["peered", "new"])
def test_networks_are_not_the_proxies_if_the_cache_is_elsewhere(keys: dict[str, Any]) -> None:
    assert problems(block({"cache_cidrs": ["10.60.1.0/24", "10.20.3.0/24"]}, **keys)) == [
        (
            "clusters demo.cache_cidrs: got 10.20.3.0/24, which overlaps the proxies' own VPC, where the cache is not;"
            " allowed: networks of the cache's subnets"
        )
    ]


@pytest.mark.parametrize("keys", [{"proxy_vpc": PROXY_VPC}, {**PEERED, "cache_vpc": None}])
def test_networks_may_be_the_proxies_if_the_cache_can_be_there(keys: dict[str, Any]) -> None:
    """The template then excludes the proxies' own addresses (tests/lab/suites/test_shared_guards.py)."""
    assert networks({"cache_cidrs": ["10.20.0.0/16"]}, **keys) == ["10.20.0.0/16"]


@pytest.mark.parametrize("client", NOT_SERVED)
def test_client_that_cannot_be_served_is_refused_with_the_reason(client: str) -> None:
    assert problems(block({"clients": ["rueidis", client]})) == [
        (
            f"clusters demo.clients: got {client!r}, which proxy: shared cannot serve: {NOT_SERVED[client]}; use proxy:"
            " haproxy, which serves it"
        )
    ]


@pytest.mark.parametrize(
    ("client", "suggestion"),
    [
        ("Lettuce", ", did you mean 'lettuce'?"),
        ("redispy", ", did you mean 'redis-py'?"),
        ("io-redis", ", did you mean 'ioredis'?"),
        ("nobody", ""),
    ],
)
def test_unknown_client_is_refused_with_the_closest_known_one(client: str, suggestion: str) -> None:
    assert problems(block({"clients": [client]})) == [
        (
            f"clusters demo.clients: got {client!r}{suggestion}; allowed: {', '.join(SERVED)}; for any other client use"
            " proxy: haproxy"
        )
    ]


def test_client_that_passed_the_conformance_tests_is_accepted() -> None:
    assert load(block({"clients": list(SERVED)})).clusters[0].clients == SERVED
