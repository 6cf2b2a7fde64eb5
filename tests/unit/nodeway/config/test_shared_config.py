"""What `proxy: shared` needs to be told: every mistake is one line with what was given, what is allowed, what to do."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig
from nodeway.config.shared_clients import NOT_SERVED, SERVED
from nodeway.errors import ConfigError
from tests.support.fakes import context, environment_block

SHARED = {
    "replication_group_id": "demo",
    "proxy": "shared",
    "clients": ["rueidis", "redis-py"],
    "cache_cidrs": ["10.60.1.0/24"],
}
CACHE_VPC = {
    "vpc_id": "vpc-0000000b",
    "cidr": "10.60.0.0/16",
    "route_table_ids": ["rtb-0000000b"],
}
PEERED = {
    "access": "peering",
    "cache_vpc": CACHE_VPC,
    "client_vpcs": [
        {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", "route_table_ids": ["rtb-0000000c"]}
    ],
    "proxy_vpc": {
        "vpc_id": "vpc-0000000a",
        "cidr": "10.20.0.0/16",
        "subnets": [{"subnet_id": "subnet-0000000a", "availability_zone": "us-east-1a"}],
        "route_table_ids": ["rtb-0000000a"],
    },
}
MADE = {
    "proxy_vpc": {
        "cidr": "10.20.0.0/16",
        "availability_zones": ["us-east-1a"],
        "nat_gateways": 1,
    }
}


def environment(cluster: dict[str, Any], **block: Any) -> EnvironmentConfig:  # noqa: ANN401 (any JSON)
    """An environment with this cluster only; a key without a value is left out."""
    told = {key: value for key, value in (SHARED | cluster).items() if value is not None}
    return load(context(environment_block(**block, clusters=[told])))


def refusal(cluster: dict[str, Any], **block: Any) -> list[str]:  # noqa: ANN401 (any JSON)
    """The lines of the refusal."""
    with pytest.raises(ConfigError) as caught:
        environment(cluster, **block)
    head, *lines = str(caught.value).splitlines()
    assert head == f"environment dev has {len(lines)} problem{'s' if len(lines) > 1 else ''}:"
    return [line.removeprefix("  - ") for line in lines]


def only_line(cluster: dict[str, Any], **block: Any) -> str:  # noqa: ANN401 (any JSON)
    """The one line of the refusal."""
    (line,) = refusal(cluster, **block)
    return line


def test_shared_needs_no_more_than_clients_and_networks() -> None:
    found = environment({})

    assert (found.clusters[0].label, found.clusters[0].tasks) == ("demo-shared", 2)
    assert [str(one) for one in found.cache_networks(found.clusters[0])] == ["10.60.1.0/24"]
    assert found.overridden_clusters == found.clusters


def test_networks_are_those_of_the_peered_vpc_unless_they_are_told() -> None:
    without = environment({"cache_cidrs": None}, **PEERED)
    told = environment({}, **PEERED)

    assert [str(one) for one in without.cache_networks(without.clusters[0])] == ["10.60.0.0/16"]
    assert [str(one) for one in told.cache_networks(told.clusters[0])] == ["10.60.1.0/24"]


def test_networks_must_be_known() -> None:
    assert only_line({"cache_cidrs": None}) == (
        "clusters demo.cache_cidrs: is missing; proxy: shared connects to these networks and to nothing else: give"
        " those of the cache's subnets"
    )


@pytest.mark.parametrize(
    "network",
    [
        *("0.0.0.0/0", "10.0.0.0/8", "10.60.1.1/32", "10.60.1.0/29"),
        *("127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "240.0.0.0/16"),
    ],
)
def test_networks_are_a_vpc_s(network: str) -> None:
    """Nothing so wide that it is anywhere, nothing of the host's own."""
    assert refusal({"cache_cidrs": ["10.60.1.0/24", network]}) == [
        f"clusters demo.cache_cidrs: got {network}; allowed: networks of the cache's VPC, /16 to /28"
    ]


@pytest.mark.parametrize("block", [PEERED, MADE], ids=["peered", "made"])
def test_networks_are_not_the_proxies_where_the_cache_is_elsewhere(block: dict[str, Any]) -> None:
    assert only_line({"cache_cidrs": ["10.60.1.0/24", "10.20.3.0/24"]}, **block) == (
        "clusters demo.cache_cidrs: got 10.20.3.0/24, which overlaps the proxies' own VPC, where the cache is not;"
        " allowed: networks of the cache's subnets"
    )


def test_networks_may_be_the_proxies_where_the_cache_may_be_there() -> None:
    """The template then excludes the proxies' own addresses (tests/lab/suites/test_shared_guards.py)."""
    given = PEERED["proxy_vpc"]

    assert environment({"cache_cidrs": ["10.20.0.0/16"]}, proxy_vpc=given).overridden_clusters
    assert environment(
        {"cache_cidrs": ["10.20.0.0/16"]}, **{**PEERED, "cache_vpc": None}
    ).overridden_clusters


def test_clients_must_be_known() -> None:
    line = only_line({"clients": None})

    assert line == (
        "clusters demo.clients: is missing; proxy: shared does not serve every client library: list those that will"
        f" connect, of {', '.join(SERVED)}"
    )


@pytest.mark.parametrize("client", NOT_SERVED)
def test_client_that_cannot_be_served_is_refused_with_the_reason(client: str) -> None:
    assert only_line({"clients": ["rueidis", client]}) == (
        f"clusters demo.clients: got {client!r}, which proxy: shared cannot serve: {NOT_SERVED[client]}; use proxy:"
        " haproxy, which serves it"
    )


@pytest.mark.parametrize(
    ("client", "meant"),
    [
        ("Lettuce", ", did you mean 'lettuce'?"),
        ("redispy", ", did you mean 'redis-py'?"),
        ("io-redis", ", did you mean 'ioredis'?"),
        ("nobody", ""),
    ],
)
def test_unknown_client_is_refused_with_the_nearest_known(client: str, meant: str) -> None:
    assert only_line({"clients": [client]}) == (
        f"clusters demo.clients: got {client!r}{meant}; allowed: {', '.join(SERVED)}; for any other client use proxy:"
        " haproxy"
    )


@pytest.mark.parametrize("client", SERVED)
def test_client_that_was_seen_to_work_is_taken(client: str) -> None:
    assert environment({"clients": [client]}).clusters[0].clients == (client,)


def test_every_problem_is_told_at_once() -> None:
    lines = refusal({"clients": ["ioredis", "x"], "cache_cidrs": None, "tasks": 2})

    assert [line.partition(":")[0] for line in lines] == [
        "clusters demo.cache_cidrs",
        "clusters demo.clients",
        "clusters demo.clients",
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("clients", ["rueidis"]), ("cache_cidrs", ["10.60.1.0/24"]), ("tasks", 3)]
)
def test_other_ways_do_not_take_the_keys(key: str, value: object) -> None:
    """Nobody would read them."""
    cluster = {"proxy": "haproxy", "clients": None, "cache_cidrs": None, key: value}

    line = only_line(cluster)

    assert line.startswith(f"clusters demo.{key}: is read with proxy: ")
    assert line.endswith("shared only; leave it out")


def test_a_cluster_s_names_lead_to_one_kind_of_haproxy() -> None:
    both = [{"replication_group_id": "demo"}, SHARED]

    with pytest.raises(ConfigError, match="demo has proxy: haproxy and shared"):
        load(context(environment_block(clusters=both)))


def test_haproxies_in_a_client_vpc_are_refused_for_shared_ones_too() -> None:
    line = only_line({}, client_vpcs=[{"vpc_id": "vpc-0000000a", "cidr": "10.40.0.0/16"}])

    assert "proxy_vpc vpc-0000000a is also a client VPC" in line
