"""Two clusters in one environment: nothing of one knows anything of the other, so that neither stops the other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.synth.conftest import CONTEXT, Synthesis, Synthesise

CARTS = [f"carts-{shard:04}-001.carts.x9y8z7.use1.cache.amazonaws.com" for shard in range(1, 3)]
SESSIONS = CONTEXT["environments"]["dev"]["clusters"][0]
KINDS = ["haproxy", "nodes-0001", "dns", "resync"]

Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def both(synthesise: Synthesise) -> Templates:
    """The templates by stack name."""
    clusters = [SESSIONS, {"replication_group_id": "carts", "nodes": CARTS}]
    made = synthesise({"clusters": clusters})
    return {
        one.stack_name: json.loads(Path(one.template_full_path).read_text())
        for one in made.assembly.stacks
    }


def of(both: Templates, cluster: str) -> Templates:
    """The stacks of a cluster."""
    return {name: one for name, one in both.items() if name.startswith(f"nodeway-dev-{cluster}-")}


def of_clusters(both: Templates) -> set[str]:
    """The stacks of either cluster."""
    return {*of(both, "carts"), *of(both, "sessions")}


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of the only resource of a type."""
    (one,) = [one for one in template["Resources"].values() if one["Type"] == kind]
    properties: dict[str, Any] = one["Properties"]
    return properties


def test_each_cluster_has_its_own_stacks(both: Templates) -> None:
    """Four each, and what watches both: nothing that could fail for both is shared, since no other stack needs that."""
    assert sorted(both) == sorted(
        ["nodeway-dev-monitoring"]
        + [f"nodeway-dev-{c}-{k}" for c in ("carts", "sessions") for k in KINDS]
    )
    others = json.dumps([both[name] for name in sorted(of_clusters(both))])
    assert "nodeway-dev-monitoring" not in others


def test_each_cluster_has_its_own_function_zone_and_fleet(both: Templates) -> None:
    """Of each kind one, and each is told of its own."""
    for cluster, zone in (("sessions", "a1b2c3"), ("carts", "x9y8z7")):
        stacks = of(both, cluster)
        told = only(stacks[f"nodeway-dev-{cluster}-resync"], "AWS::Lambda::Function")
        variables = told["Environment"]["Variables"]
        name = f"{cluster}.{zone}.use1.cache.amazonaws.com"
        assert (
            only(stacks[f"nodeway-dev-{cluster}-dns"], "AWS::Route53::HostedZone")["Name"]
            == f"{name}."
        )
        parking = only(stacks[f"nodeway-dev-{cluster}-resync"], "AWS::Route53::HostedZone")
        assert parking["Name"] == f"{cluster}.dev.nodeway.internal."
        only(stacks[f"nodeway-dev-{cluster}-haproxy"], "AWS::ECS::Cluster")
        assert (variables["ZONE_NAME"], variables["OWNER"]) == (name, f"nodeway/dev/{cluster}")
        assert variables["REPLICATION_GROUP_ID"] == cluster
        assert told["ReservedConcurrentExecutions"] == 1


def test_no_cluster_refers_to_the_other(both: Templates) -> None:
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


def test_a_second_cluster_changes_nothing_of_the_first(both: Templates, dev: Synthesis) -> None:
    """But for the run at the end of its deploy, which is about the whole environment's configuration."""
    for kind in KINDS:
        alone, beside = (
            re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(one, sort_keys=True))
            for one in (dev.templates[kind], both[f"nodeway-dev-sessions-{kind}"])
        )
        assert beside == alone
