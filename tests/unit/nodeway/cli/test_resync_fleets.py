"""`nodeway plan` and `explain` where one name leads to all proxies: each way to a cluster is a deployment."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nodeway_runtime.aws.clients import SingleName
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Hostname, record_name
from tests.support.blocks import DIRECT, ENVOY, SHARED
from tests.support.fakes import ONE, ZONE, World, environment_block, fleet, proxy, settings
from tests.support.ports import FakeZone, StubEcs, StubElastiCache
from tests.support.terminal import Cloud, Terminal

WILDCARD = record_name(f"*.{ZONE}")
ENVOY_NAME = record_name("redis.demo.dev.nodeway.internal")
ADDRESSES = ("10.20.1.5", "10.20.2.5")


@pytest.fixture
def both(nodeway: Terminal, empty_directory: Path) -> Terminal:
    """The command, in a project with shared HAProxies and with Envoys for one cluster."""
    project = {"context": {"environments": {"dev": environment_block(clusters=[SHARED, ENVOY])}}}
    (empty_directory / "cdk.json").write_text(json.dumps(project))
    return nodeway


def deployed(label: str, name: Hostname) -> tuple[World, Settings]:
    """A fleet of two."""
    zone = Hostname(name.partition(".")[2])
    tasks = (replace(proxy(ONE, one), node=name) for one in ADDRESSES)
    told = World(
        StubElastiCache(SingleName(name).topology(label)),
        StubEcs(fleet(*tasks)),
        FakeZone(zone),
    )
    chosen = replace(settings(), replication_group_id=label, zone_name=zone, fleet_name=name)
    return told, chosen


@pytest.fixture
def cloud() -> Cloud:
    """Both deployments, by the names of their stacks."""
    ways = {"demo-shared": WILDCARD, "demo-envoy": ENVOY_NAME}
    return Cloud({label: deployed(label, name) for label, name in ways.items()})


def settled(cloud: Cloud) -> Cloud:
    """The same after a run."""
    for found in cloud.deployed.values():
        assert not isinstance(found, str)
        told, chosen = found
        told.run(chosen)
    return cloud


def test_plan_covers_every_way_to_a_cluster(both: Terminal, cloud: Cloud) -> None:
    said = both(cloud, "plan", "--env", "dev")

    assert (said.code, said.err) == (0, "")
    for name in (WILDCARD, ENVOY_NAME):
        wanted = f"+ {name} A {','.join(ADDRESSES)} ttl=5  # 2 healthy proxy tasks"
        assert wanted in said.out.splitlines()
    assert [one.split()[0] for one in said.out.splitlines() if " in dev: " in one] == [
        "demo-shared",
        "demo-envoy",
    ]


def test_plan_of_one_way_is_asked_for_by_the_name_of_its_stacks(
    both: Terminal, cloud: Cloud
) -> None:
    said = both(cloud, "plan", "--env", "dev", "--cluster", "demo-shared")
    wrong = both(cloud, "plan", "--env", "dev", "--cluster", "demo-shard")

    assert said.out.startswith("demo-shared in dev: ")
    assert "demo-envoy" not in said.out
    assert wrong.err == (
        "nodeway: unknown cluster of dev: got 'demo-shard', did you mean 'demo-shared'?;"
        " there are: demo-envoy, demo-shared\n"
    )


def test_plan_counts_no_nodes_where_it_looks_at_none(both: Terminal, cloud: Cloud) -> None:
    said = both(settled(cloud), "plan", "--env", "dev")

    assert said.out.splitlines().count("nothing to do: every record is right") == 2


@pytest.mark.parametrize("asked", [ONE, f"{ONE}.{ZONE}", "clustercfg", "*", f"*.{ZONE}"])
def test_explain_says_that_the_wildcard_answers_for_any_node(
    both: Terminal, cloud: Cloud, asked: str
) -> None:
    said = both(settled(cloud), "explain", asked, "--env", "dev")

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == f"{WILDCARD} (demo-shared in dev)"
    assert lines[1].startswith("  answers   10.20.1.5  HAProxy 10.20.1.5 of all nodes in ")
    assert not [line for line in lines if line.startswith("  node ")]
    assert "  why       2 healthy proxy tasks" in lines
    assert lines[-1] == "  next run  changes nothing"


def test_environment_without_proxies_has_no_records(both: Terminal, cloud: Cloud) -> None:
    block = environment_block(**DIRECT)
    Path("cdk.json").write_text(json.dumps({"context": {"environments": {"dev": block}}}))

    said = both(cloud, "plan", "--env", "dev")

    assert said.err == "nodeway: no cluster of dev has proxies: there are no records\n"


def test_explain_finds_the_name_of_the_other_way(both: Terminal, cloud: Cloud) -> None:
    said = both(settled(cloud), "explain", str(ENVOY_NAME), "--env", "dev")

    assert said.out.startswith(f"{ENVOY_NAME} (demo-envoy in dev)\n")
