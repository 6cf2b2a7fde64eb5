"""What nodes say of themselves and of their cluster, in the words of the servers that there are."""

from typing import Any

import pytest

from nodeway_runtime.paths.cluster_view import (
    Member,
    parse_info,
    parse_shards,
    parse_slots,
)

A, B, C = (letter * 40 for letter in "abc")
ZONE = "demo.abc123.use1.cache.amazonaws.com"


def shard_node(
    node_id: str, endpoint: object, role: str = "master", health: str = "online"
) -> list[Any]:
    """A node of CLUSTER SHARDS as Valkey 8 tells it with TLS and announced names."""
    return [
        *("id", node_id, "tls-port", 6379, "ip", "10.30.1.5", "endpoint", endpoint),
        *("hostname", "", "role", role, "replication-offset", 72156, "health", health),
    ]


def shard(*nodes: list[Any], slots: tuple[int, ...] = (0, 5460)) -> list[Any]:
    return ["slots", list(slots), "nodes", list(nodes)]


def test_shards_give_every_node_with_where_clients_are_sent() -> None:
    """In the order of their ids, whatever order the node has; each shard has a number of its own."""
    answer = [
        shard(shard_node(C, f"demo-0002-001.{ZONE}"), slots=(5461, 10922, 12000, 16383)),
        shard(
            shard_node(B, f"demo-0001-002.{ZONE}", role="replica"),
            shard_node(A, f"demo-0001-001.{ZONE}"),
        ),
    ]

    assert parse_shards(answer) == (
        Member(A, f"demo-0001-001.{ZONE}", primary=True, shard=1),
        Member(B, f"demo-0001-002.{ZONE}", primary=False, shard=1),
        Member(C, f"demo-0002-001.{ZONE}", primary=True, shard=0),
    )


def test_shards_give_the_nodes_of_a_shard_without_slots_too() -> None:
    """So it is between a scale-out and the first slot that moves; and a node that is down is still a member."""
    answer = [shard(shard_node(A, "a"), shard_node(B, "b", "replica", "fail"), slots=())]

    assert [one.node_id for one in parse_shards(answer)] == [A, B]
    assert parse_shards([]) == parse_shards([["slots", [], "nodes", []]]) == ()


@pytest.mark.parametrize(
    ("announced", "endpoint", "is_address"),
    [
        *((one, one or "", True) for one in (None, "", "?", "10.30.1.5", "fd00::5")),
        (f"Demo-0001-001.{ZONE.upper()}.", f"demo-0001-001.{ZONE}", False),
    ],
)
def test_where_clients_are_sent_is_an_address_or_a_name_in_its_normal_form(
    announced: str | None, endpoint: str, *, is_address: bool
) -> None:
    """Null and nothing: unknown-endpoint; `?`: a name without one; else its own network's address."""
    (found,) = parse_shards([shard(shard_node(A, announced))])

    assert (found.endpoint, found.is_address) == (endpoint, is_address)


def test_slots_of_redis_6_give_primaries_first_and_replicas_after_them() -> None:
    """Three values a node; a node with several ranges stands there once."""
    primary, replica = ["10.30.1.5", 6379, A], ["10.30.1.6", 6379, B]
    other = ["10.30.2.5", 6379, C]

    found = parse_slots(
        [[0, 5460, primary, replica], [5461, 16382, other], [16383, 16383, primary, replica]]
    )

    assert found == (
        Member(A, "10.30.1.5", primary=True, shard=0),
        Member(B, "10.30.1.6", primary=False, shard=0),
        Member(C, "10.30.2.5", primary=True, shard=1),
    )


@pytest.mark.parametrize(
    ("endpoint", "told"), [(None, ""), ("", ""), ("?", "?"), (f"a.{ZONE}", f"a.{ZONE}")]
)
def test_slots_of_redis_7_have_more_values_a_node(endpoint: str | None, told: str) -> None:
    """A fourth with what else is known of it."""
    node = [endpoint, 6379, A, ["ip", "10.30.1.5"]]

    (found,) = parse_slots([[0, 16383, node]])

    assert found.endpoint == told


INFO = """# Server\r
redis_version:7.2.4\r
run_id:5d1d2a4a2c7f6f8f1f0e8c8d9a3b1a2c4d5e6f70\r
executable:/usr/bin/valkey-server --x:y\r
\r
# Stats\r
total_error_replies:19\r
rejected_connections:3\r
\r
# Replication\r
role:master\r
connected_slaves:1\r
slave0:ip=10.30.1.6,port=6379,state=online,offset=72156,lag=0\r
\r
# Errorstats\r
errorstat_ASK:count=4\r
errorstat_MOVED:count=12\r
errorstat_NOAUTH:count=3\r
"""


def test_info_gives_what_a_node_has_counted_since_it_started() -> None:
    found = parse_info(INFO)

    assert found.run_id == "5d1d2a4a2c7f6f8f1f0e8c8d9a3b1a2c4d5e6f70"
    assert (found.moved, found.asked, found.rejected_connections) == (12, 4, 3)
    assert found.primary


@pytest.mark.parametrize("told", ["role:slave\r\n", ""])
def test_info_of_a_replica_or_of_nothing_is_no_primary_s(told: str) -> None:
    """What is not there has never happened: a node without redirects has no such line."""
    found = parse_info(told)

    assert (found.primary, found.moved, found.asked, found.rejected_connections) == (False, 0, 0, 0)


@pytest.mark.parametrize("line", ["errorstat_MOVED:count=", "errorstat_MOVED:"])
def test_info_with_an_errorstat_without_a_count_counts_nothing(line: str) -> None:
    assert parse_info(line).moved == 0
