"""Two clusters in one environment: nothing of one knows anything of the other, so that neither stops the other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.synth.checks import without_hashes
from tests.synth.conftest import CONTEXT, Synthesis, Synthesise

CARTS = [f"carts-{shard:04}-001.carts.x9y8z7.use1.cache.amazonaws.com" for shard in range(1, 3)]
SESSIONS = CONTEXT["environments"]["dev"]["clusters"][0]
KINDS = ["haproxy", "nodes-0001", "dns", "resync"]


@pytest.fixture(scope="session")
def both(synthesise: Synthesise) -> Synthesis:
    """Both clusters, with the templates by stack name."""
    clusters = [SESSIONS, {"replication_group_id": "carts", "nodes": CARTS}]
    assembly = synthesise({"clusters": clusters}).assembly
    files = {one.stack_name: Path(one.template_full_path) for one in assembly.stacks}
    return Synthesis(assembly, {name: json.loads(one.read_text()) for name, one in files.items()})


def of(both: Synthesis, cluster: str) -> dict[str, dict[str, Any]]:
    """The stacks of a cluster."""
    start = f"nodeway-dev-{cluster}-"
    return {name: one for name, one in both.templates.items() if name.startswith(start)}


def test_each_cluster_has_its_own_stacks(both: Synthesis) -> None:
    """Four each, and what watches both: nothing that could fail for both is shared, since no other stack needs that."""
    own = {
        f"nodeway-dev-{c}-{k}": both.templates[f"nodeway-dev-{c}-{k}"]
        for c in ("carts", "sessions")
        for k in KINDS
    }

    assert both.templates.keys() == {"nodeway-dev-monitoring", *own}
    assert "nodeway-dev-monitoring" not in json.dumps(own)


def test_each_cluster_has_its_own_function_zone_and_fleet(both: Synthesis) -> None:
    """Of each kind one, and each is told of its own."""
    for cluster, zone in (("sessions", "a1b2c3"), ("carts", "x9y8z7")):
        stack = f"nodeway-dev-{cluster}"
        told = both.only(f"{stack}-resync", "AWS::Lambda::Function")
        variables = told["Environment"]["Variables"]
        name = f"{cluster}.{zone}.use1.cache.amazonaws.com"
        served = both.only(f"{stack}-dns", "AWS::Route53::HostedZone")
        parking = both.only(f"{stack}-resync", "AWS::Route53::HostedZone")
        assert served["Name"] == f"{name}."
        assert parking["Name"] == f"{cluster}.dev.nodeway.internal."
        assert both.only(f"{stack}-haproxy", "AWS::ECS::Cluster")
        assert (variables["ZONE_NAME"], variables["OWNER"]) == (name, f"nodeway/dev/{cluster}")
        assert variables["REPLICATION_GROUP_ID"] == cluster
        assert told["ReservedConcurrentExecutions"] == 1


def test_no_cluster_refers_to_the_other(both: Synthesis) -> None:
    """No import, no name, no ARN, no dependency: one may fail, or go, and the other does not notice."""
    for cluster, other, zone in (
        ("sessions", "carts", ".x9y8z7."),
        ("carts", "sessions", ".a1b2c3."),
    ):
        text = json.dumps(of(both, cluster))
        names = (f"dev-{other}", f"dev/{other}", f"dev{other}", f"{other}.dev", f":{other}", zone)
        assert not [name for name in names if name in text]
        imports = re.findall(r'"Fn::ImportValue": "([^"]+)"', text)
        assert imports
        assert all(name.startswith(f"nodeway-dev-{cluster}-") for name in imports)


def test_a_second_cluster_changes_nothing_of_the_first(both: Synthesis, dev: Synthesis) -> None:
    """But for the run at the end of its deploy, which is about the whole environment's configuration."""
    for kind in KINDS:
        beside = both.templates[f"nodeway-dev-sessions-{kind}"]
        assert without_hashes(beside) == without_hashes(dev.templates[kind])
