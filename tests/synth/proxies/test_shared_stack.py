"""The shared HAProxies' template: one service for all nodes, as harmless as one of a node, and a wildcard record."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from nodeway.constructs.proxies.haproxy import DRAIN_SECONDS, GRACE_SECONDS
from nodeway.constructs.proxies.task import STOP_TIMEOUT_SECONDS
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared
from nodeway_runtime.aws.ecs import FLEET_TAG, NODE_TAG
from nodeway_runtime.model.settings import Settings
from tests.support.pages.environments import NODES, environments, offline
from tests.support.synth.policy import Ask, holds
from tests.support.synth.shapes import built, outputs, properties, statements, types, waits_for
from tests.synth.conftest import Synthesis

STACKS = ("shared-proxies", "shared-dns", "shared-resync")
ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"
SERVICE, TASK = "AWS::ECS::Service", "AWS::ECS::TaskDefinition"


def synthesis_of(**changes: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
    """The documented environment with nodes by hand, reviewed; `changes` are of its cluster."""
    block = environments("shared")["shared"]
    (cluster,) = block["clusters"]
    return built({**block, "clusters": [{**cluster, "nodes": NODES, **changes}]})


@pytest.fixture(scope="module")
def documented() -> Synthesis:
    """As the page has it."""
    return synthesis_of()


def container(synthesis: Synthesis) -> dict[str, Any]:
    """The only container of the task."""
    (task,) = properties(synthesis, "shared-proxies", TASK)
    (one,) = task["ContainerDefinitions"]
    found: dict[str, Any] = one
    return found


def text_of(synthesis: Synthesis) -> str:
    """What HAProxy runs with; nothing else is in its environment but whose it is."""
    told = {one["Name"]: one["Value"] for one in container(synthesis)["Environment"]}
    assert told.keys() == {"HAPROXY_CFG", "CLUSTER"}
    assert told["CLUSTER"] == "sessions-shared"
    return str(told["HAPROXY_CFG"])


def test_cluster_has_these_stacks(documented: Synthesis) -> None:
    """However many nodes it has: none of them is one node's."""
    assert set(documented.templates) == {*STACKS, "monitoring"}
    assert set(synthesis_of(nodes=NODES[:1]).templates) == {*STACKS, "monitoring"}


def test_haproxies_are_one_service_of_two_tasks_over_the_zones(documented: Synthesis) -> None:
    """And the resync knows its tasks by their tag."""
    (service,) = properties(documented, "shared-proxies", SERVICE)
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    deployment = service["DeploymentConfiguration"]

    assert service["DesiredCount"] == 2
    assert network["Subnets"] == [
        one["subnet_id"] for one in environments("shared")["shared"]["proxy_vpc"]["subnets"]
    ]
    assert network["AssignPublicIp"] == "DISABLED"
    assert service["PropagateTags"] == "TASK_DEFINITION"
    assert service["AvailabilityZoneRebalancing"] == "ENABLED"
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    (task,) = documented.resources("shared-proxies", TASK).values()
    tags = {one["Key"]: one["Value"] for one in task["Properties"]["Tags"]}
    assert tags[FLEET_TAG] == "sessions-shared"
    assert NODE_TAG not in tags


def test_as_many_tasks_as_asked() -> None:
    (service,) = properties(synthesis_of(tasks=5), "shared-proxies", SERVICE)

    assert service["DesiredCount"] == 5


def test_task_is_of_the_asked_size_and_has_a_thread_for_each_vcpu(documented: Synthesis) -> None:
    (task,) = properties(documented, "shared-proxies", TASK)

    assert (task["Cpu"], task["Memory"]) == ("1024", "2048")
    block = {**environments("shared")["shared"], "cpu": 4096, "memory": 8192}
    assert "\n    nbthread 1\n" in text_of(documented)
    assert "\n    nbthread 4\n" in text_of(built(offline(block)))


def test_container_runs_the_rendered_configuration_with_the_files_it_needs(
    documented: Synthesis,
) -> None:
    """The text is what the template gives for the environment; a shell becomes HAProxy by `exec`."""
    spec = SharedSpec(
        ("10.40.0.0/16",),
        6379,
        2048,
        GRACE_SECONDS,
        DRAIN_SECONDS,
        replication_group_id="sessions",
        zone_name=ZONE,
        nodes=tuple(NODES),
        cache_cidrs=("10.60.1.0/24", "10.60.2.0/24"),
    )
    one = container(documented)

    assert text_of(documented) == render_shared(spec)
    assert one["Ulimits"] == [
        {"Name": "nofile", "HardLimit": spec.open_files, "SoftLimit": spec.open_files}
    ]
    assert (one["EntryPoint"], one["Command"]) == (["/bin/sh", "-c"], [START_COMMAND])


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

    text = text_of(built(offline({**block, "clusters": [shared]})))

    assert f"ipmask(32) -m ip {block['cache_vpc']['cidr']}\n" in text


def test_containers_can_do_no_harm(documented: Synthesis) -> None:
    """Read-only root, no root user, no capability, no secret, one port; started again when it dies."""
    one = container(documented)

    assert one["ReadonlyRootFilesystem"] is True
    assert one["User"] == "haproxy"
    assert one["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
    assert [port["ContainerPort"] for port in one["PortMappings"]] == [6379]
    assert not {"Secrets", "MountPoints", "Privileged"} & one.keys()
    assert one["RestartPolicy"]["Enabled"] is True
    assert one["StopTimeout"] == STOP_TIMEOUT_SECONDS > GRACE_SECONDS + DRAIN_SECONDS
    assert one["HealthCheck"]["Command"][1].startswith("wget -q -O /dev/null http://127.0.0.1:8405")


def test_service_starts_when_its_logs_can_be_written(documented: Synthesis) -> None:
    """A task whose role may not write logs yet fails to start, and counts for the circuit breaker."""
    (service,) = documented.resources("shared-proxies", SERVICE).values()
    (policy,) = documented.resources("shared-proxies", "AWS::IAM::Policy")

    assert policy in service["DependsOn"]


def test_clients_connect_to_the_nodes_port_and_to_nothing_else(documented: Synthesis) -> None:
    """Out to nodes, image and logs; the cache's own group lets in the HAProxies' group."""
    (group,) = properties(documented, "shared-proxies", "AWS::EC2::SecurityGroup")
    (to_cache,) = properties(documented, "shared-proxies", "AWS::EC2::SecurityGroupIngress")

    ingress = [
        (one["CidrIp"], one["FromPort"], one["ToPort"]) for one in group["SecurityGroupIngress"]
    ]
    assert ingress == [("10.40.0.0/16", 6379, 6379)]
    assert {(one["FromPort"], one["ToPort"]) for one in group["SecurityGroupEgress"]} == {
        (6379, 6379),
        (443, 443),
    }
    assert (to_cache["GroupId"], to_cache["FromPort"]) == ("sg-0e1f2031425364758", 6379)


def variables(synthesis: Synthesis) -> dict[str, str]:
    """What the resync function is told."""
    (function,) = [
        one
        for one in properties(synthesis, "shared-resync", "AWS::Lambda::Function")
        if "FLEET_NAME" in one.get("Environment", {}).get("Variables", {})
    ]
    told: dict[str, str] = function["Environment"]["Variables"]
    return told


def test_zone_is_the_cluster_s_own_and_its_record_is_a_wildcard(documented: Synthesis) -> None:
    """For the clients' VPCs only, as the resync checks: the HAProxies' resolver would lead every name back to them."""
    (zone,) = properties(documented, "shared-dns", "AWS::Route53::HostedZone")
    told = variables(documented)
    found = Settings.from_environment(told)

    assert zone["Name"] == f"{ZONE}."
    assert [vpc["VPCId"] for vpc in zone["VPCs"]] == ["vpc-0c1d2e3f405162738"]
    assert found.fleet_name == f"*.{ZONE}"
    assert found.proxy_vpc_id == "vpc-0a1b2c3d4e5f60718"
    assert found.stand_in is None
    assert (told["REPLICATION_GROUP_ID"], told["OWNER"]) == (
        "sessions-shared",
        "nodeway/shape/sessions-shared",
    )
    assert outputs(documented, "shared-dns")["ConfigurationEndpoint"] == f"clustercfg.{ZONE}:6379"


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


def test_resync_reads_no_topology_and_runs_no_task(documented: Synthesis) -> None:
    """Least privilege follows the way: no ElastiCache, no RunTask, no PassRole, no topic, no second zone."""
    actions = {
        action
        for one in statements(documented, "shared-resync")
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }

    assert not [
        one for one in actions if one.startswith(("elasticache:", "iam:", "ecs:Run", "ecs:Stop"))
    ]
    assert not {"AWS::SNS::Topic", "AWS::Route53::HostedZone"} & types(documented, "shared-resync")


def test_zone_comes_when_the_haproxies_run(documented: Synthesis) -> None:
    """It hides the true names as soon as it exists."""
    assert waits_for(documented, "-shared-dns") >= {"shared-proxies"}
    assert waits_for(documented, "-shared-resync") >= {"shared-dns"}


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_has_nothing_to_say(documented: Synthesis, stack: str) -> None:
    """W3005 is left out: the CDK itself states dependencies twice."""
    found = lint(
        json.dumps(documented.templates[stack]),
        config=ManualArgs(regions=["us-east-1"], ignore_checks=["W3005"]),
    )

    assert [str(match) for match in found] == []


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(
    documented: Synthesis, stack: str, snapshot: SnapshotAssertion
) -> None:
    """A tripwire: hashes of files are left out."""
    text = re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(documented.templates[stack]))

    assert json.loads(text) == snapshot(name=stack, extension_class=JSONSnapshotExtension)
