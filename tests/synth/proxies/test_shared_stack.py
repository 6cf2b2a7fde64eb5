"""The shared HAProxies' template: one service for all nodes, as harmless as one of a node, and a wildcard record."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from nodeway_runtime.model.settings import Settings
from tests.support.pages.environments import NODES, environments
from tests.support.synth.checks import findings, without_hashes
from tests.support.synth.policy import Ask, holds
from tests.support.synth.shapes import built, properties, statements, waits_for
from tests.synth.conftest import Synthesis

STACKS = ("shared-proxies", "shared-dns", "shared-resync")
ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"
SERVICE = "AWS::ECS::Service"


def synthesis_of(**changes: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
    """The documented environment with nodes by hand, reviewed; `changes` are of its cluster."""
    block = environments("shared")["shared"]
    (cluster,) = block["clusters"]
    return built({**block, "clusters": [{**cluster, "nodes": NODES, **changes}]})


@pytest.fixture(scope="module")
def documented() -> Synthesis:
    """As the page has it."""
    return synthesis_of()


def text_of(synthesis: Synthesis) -> str:
    """What HAProxy runs with."""
    (task,) = properties(synthesis, "shared-proxies", "AWS::ECS::TaskDefinition")
    (container,) = task["ContainerDefinitions"]
    told = {one["Name"]: one["Value"] for one in container["Environment"]}
    return str(told["HAPROXY_CFG"])


def test_cluster_has_these_stacks(documented: Synthesis) -> None:
    """However many nodes it has: none of them is one node's."""
    assert set(documented.templates) == {*STACKS, "monitoring"}
    assert set(synthesis_of(nodes=NODES[:1]).templates) == {*STACKS, "monitoring"}


def test_as_many_tasks_as_asked_with_a_thread_for_each_vcpu() -> None:
    block = {**environments("shared")["shared"], "cpu": 4096, "memory": 8192}
    (cluster,) = block["clusters"]
    large = built({**block, "clusters": [{**cluster, "tasks": 5}]})
    (service,) = properties(large, "shared-proxies", SERVICE)

    assert service["DesiredCount"] == 5
    assert "\n    nbthread 4\n" in text_of(large)


def test_node_that_is_new_changes_no_template_of_the_proxies(documented: Synthesis) -> None:
    """Its name is one that ElastiCache makes: it was served before this deploy."""
    more = synthesis_of(nodes=[*NODES, f"sessions-0009-001.{ZONE}"])

    assert more.templates["shared-proxies"] == documented.templates["shared-proxies"]
    assert more.templates["shared-dns"] == documented.templates["shared-dns"]


def test_networks_are_the_peered_vpc_s_unless_told() -> None:
    """`access: peering` knows where the caches are."""
    block = environments()["made"]
    (cluster,) = block["clusters"]
    shared = {**cluster, "proxy": "shared", "clients": ["lettuce"]}

    text = text_of(built({**block, "clusters": [shared]}))

    assert f"ipmask(32) -m ip {block['cache_vpc']['cidr']}\n" in text


def test_cache_s_own_group_lets_in_the_haproxies(documented: Synthesis) -> None:
    (to_cache,) = properties(documented, "shared-proxies", "AWS::EC2::SecurityGroupIngress")

    assert (to_cache["GroupId"], to_cache["FromPort"]) == ("sg-0e1f2031425364758", 6379)


def test_resync_is_told_of_the_wildcard_and_of_the_vpc_to_keep_out(documented: Synthesis) -> None:
    """The HAProxies' resolver would lead every name back to them."""
    (zone,) = properties(documented, "shared-dns", "AWS::Route53::HostedZone")
    (function,) = properties(documented, "shared-resync", "AWS::Lambda::Function")
    found = Settings.from_environment(function["Environment"]["Variables"])

    assert [vpc["VPCId"] for vpc in zone["VPCs"]] == ["vpc-0c1d2e3f405162738"]
    assert found.fleet_name == f"*.{ZONE}"
    assert found.proxy_vpc_id == "vpc-0a1b2c3d4e5f60718"
    assert found.stand_in is None


def test_resync_may_write_the_wildcard_and_its_marker(documented: Synthesis) -> None:
    """Route 53 gives IAM a name with the octal escape of its `*`."""
    (write,) = [
        one for one in statements(documented, "shared-resync") if one.get("Sid") == "WriteAddresses"
    ]
    key = "route53:ChangeResourceRecordSets"
    for name, kind in ((f"\\052.{ZONE}", "A"), (f"_nodeway.\\052.{ZONE}", "TXT")):
        asked = {
            f"{key}NormalizedRecordNames": [name],
            f"{key}RecordTypes": [kind],
            f"{key}Actions": ["CREATE"],
        }
        assert holds({**write, "Resource": "*"}, Ask(key, "*", asked))


def test_zone_comes_when_the_haproxies_run(documented: Synthesis) -> None:
    """It hides the true names as soon as it exists."""
    assert waits_for(documented, "-shared-dns") >= {"shared-proxies"}
    assert waits_for(documented, "-shared-resync") >= {"shared-dns"}


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(documented: Synthesis, stack: str) -> None:
    assert findings(documented.templates[stack]) == []


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(
    documented: Synthesis, stack: str, snapshot: SnapshotAssertion
) -> None:
    template = without_hashes(documented.templates[stack])

    assert template == snapshot(name=stack, extension_class=JSONSnapshotExtension)
