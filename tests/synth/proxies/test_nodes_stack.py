"""Which stack a node's service is in, where it runs, and what it waits for."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeway.constructs.proxies.nodes import SHARDS_PER_STACK, group_by_shard, group_by_stack
from nodeway.lookup.topology import KnownNode
from tests.synth.conftest import CONTEXT, Synthesis, Synthesise

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"
SERVICE = "AWS::ECS::Service"
KEY = "nodeway:topology:account=111122223333:region=us-east-1:replication-group=sessions"


def node(name: str, zone: str = "") -> KnownNode:
    """A node of that id."""
    return KnownNode(cache_cluster_id=name, hostname=f"{name}.{ZONE}", availability_zone=zone)


def topology(*nodes: KnownNode) -> dict[str, Any]:
    """As it stands in cdk.context.json."""
    return {"zone_name": ZONE, "port": 6379, "nodes": [one.model_dump() for one in nodes]}


@pytest.fixture(scope="module")
def spread(synthesise: Synthesise) -> Synthesis:
    """Two shards over two zones, one node in a zone where no HAProxy can run, one shard far away."""
    nodes = topology(
        node("sessions-0001-001", "us-east-1b"),
        node("sessions-0001-002", "us-east-1a"),
        node("sessions-0001-003", "us-east-1b"),
        node("sessions-0002-001", "us-east-1d"),
        node("sessions-0030-001", "us-east-1a"),
    )
    return synthesise({"clusters": [{"replication_group_id": "sessions"}]}, **{KEY: nodes})


def services(spread: Synthesis, stack: str) -> dict[str, dict[str, Any]]:
    """The services of a stack by their node's id."""
    found = spread.resources(stack, SERVICE)
    return {
        next(t["Value"] for t in one["Properties"]["Tags"] if t["Key"] == "nodeway:node").partition(
            "."
        )[0]: {**one, "key": key}
        for key, one in found.items()
    }


def test_a_nodes_stack_follows_from_its_shards_number(spread: Synthesis) -> None:
    """25 shards a stack; a stack for shards that do not exist is not made."""
    assert sorted(name for name in spread.templates if name.startswith("nodes")) == [
        "nodes-0001",
        "nodes-0026",
    ]
    assert sorted(services(spread, "nodes-0026")) == ["sessions-0030-001"]


def test_a_haproxy_runs_in_its_nodes_zone_where_it_can(spread: Synthesis) -> None:
    """Bytes between zones are paid for; a zone without a subnet of ours leaves every subnet."""
    a, b = CONTEXT["environments"]["dev"]["proxy_vpc"]["subnets"]

    def subnets(node_id: str) -> list[str]:
        network = services(spread, "nodes-0001")[node_id]["Properties"]["NetworkConfiguration"]
        found: list[str] = network["AwsvpcConfiguration"]["Subnets"]
        return found

    assert subnets("sessions-0001-002") == [a["subnet_id"]]
    assert subnets("sessions-0001-001") == [b["subnet_id"]]
    assert subnets("sessions-0002-001") == [a["subnet_id"], b["subnet_id"]]


def test_two_haproxies_of_a_node_run_in_two_zones(synthesise: Synthesise) -> None:
    """The node's own first; losing one zone leaves the other."""
    nodes = topology(node("sessions-0001-001", "us-east-1b"))
    two = synthesise(
        {"clusters": [{"replication_group_id": "sessions"}]}, haproxies_per_node="2", **{KEY: nodes}
    )
    (service,) = two.resources("nodes-0001", SERVICE).values()
    subnets = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]

    assert len(subnets) == 2


def test_services_of_a_shard_wait_for_each_other_zone_by_zone(spread: Synthesis) -> None:
    """CloudFormation updates a service when those it depends on are stable: never all of a shard at once."""
    found = services(spread, "nodes-0001")

    def waits_for(node_id: str) -> list[str]:
        keys = found[node_id].get("DependsOn", [])
        return [name for name, one in found.items() if one["key"] in keys]

    assert waits_for("sessions-0001-002") == []
    assert waits_for("sessions-0001-001") == ["sessions-0001-002"]
    assert waits_for("sessions-0001-003") == ["sessions-0001-001"]
    assert waits_for("sessions-0002-001") == []


def test_zone_and_resync_come_after_every_stack_of_nodes(spread: Synthesis) -> None:
    """The zone hides the true names, and the records need all HAProxies."""
    depends = {
        one.stack_name.removeprefix("nodeway-dev-sessions-"): {d.id for d in one.dependencies}
        for one in spread.assembly.stacks
    }
    both = {"nodeway-dev-sessions-nodes-0001", "nodeway-dev-sessions-nodes-0026"}

    assert both <= depends["dns"]
    assert "nodeway-dev-sessions-dns" in depends["resync"]


ids = st.builds(
    "sessions-{:04d}-{:03d}".format, st.integers(1, 9999), st.integers(1, 6)
) | st.builds("sessions-{:03d}".format, st.integers(1, 6))


@given(st.sets(ids, min_size=1, max_size=60), ids)
def test_a_node_more_moves_no_other(names: set[str], more: str) -> None:
    """Whatever ids a cluster has, also those of one that began without cluster mode."""

    def homes(of: set[str]) -> dict[str, str]:
        parts = group_by_stack(tuple(node(name) for name in of))
        return {one.cache_cluster_id: stack for stack, part in parts.items() for one in part}

    before, after = homes(names), homes(names | {more})

    assert {name: after[name] for name in names} == before
    assert set(before) == names


@given(st.sets(ids, min_size=1, max_size=60))
def test_no_stack_holds_more_shards_than_it_may(names: set[str]) -> None:
    """So 150 nodes and 300 resources at most."""
    for part in group_by_stack(tuple(node(name) for name in names)).values():
        assert len(
            {one.cache_cluster_id[:13] for one in part if len(one.cache_cluster_id) > 12}
        ) <= (SHARDS_PER_STACK)
        assert len(group_by_shard(part)) <= SHARDS_PER_STACK + 1


def test_by_stack_500_nodes_stay_small(synthesise: Synthesise) -> None:
    """ElastiCache's most: 84 shards with five replicas each."""
    names = [
        f"sessions-{shard:04d}-{member:03d}.{ZONE}"
        for shard in range(1, 85)
        for member in range(1, 7)
    ][:500]
    big = synthesise({"clusters": [{"replication_group_id": "sessions", "nodes": names}]})

    for name, template in big.templates.items():
        assert len(template["Resources"]) <= 300, name
    sizes = [Path(one.template_full_path).stat().st_size for one in big.assembly.stacks]
    assert max(sizes) < 700_000
    assert (
        sum(len(big.resources(n, SERVICE)) for n in big.templates if n.startswith("nodes")) == 500
    )
