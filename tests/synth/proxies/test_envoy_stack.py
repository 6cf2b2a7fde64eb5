"""The Envoys' template: who may connect, what they may read, and that no secret is in it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from lab.layout import ROOT
from nodeway.constructs.proxies.envoy import find_warnings
from nodeway.constructs.proxies.envoy_metrics import METRICS
from nodeway.constructs.proxies.task import STOP_TIMEOUT_SECONDS
from nodeway.envoy.render import EnvoySpec, Iam
from tests.support.pages.environments import NODES, environments
from tests.support.synth.checks import findings, without_hashes
from tests.support.synth.shapes import built, outputs, properties, statements
from tests.synth.conftest import Synthesis

SECRETS = "arn:aws:secretsmanager:us-east-1:111122223333:secret:sessions/"
STACKS = ("envoy-proxies", "envoy-dns", "envoy-resync")


def synthesis_of(**changes: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
    """The documented environment with nodes by hand, reviewed; `changes` are of its block `envoy`."""
    block = environments("envoy")["envoy"]
    (cluster,) = block["clusters"]
    envoy = {key: one for key, one in (cluster["envoy"] | changes).items() if one is not None}
    return built({**block, "clusters": [{**cluster, "nodes": NODES, "envoy": envoy}]})


@pytest.fixture(scope="module")
def documented() -> Synthesis:
    """As the page has it."""
    return synthesis_of()


@pytest.fixture(scope="module")
def iam() -> Synthesis:
    """With the task's role in place of a password, and without TLS for the clients."""
    return synthesis_of(
        upstream_secret_arn=None,
        upstream_iam=True,
        tls_secret_arn=None,
        downstream_username=None,
        downstream_secret_arns=[f"{SECRETS}one-AbCdEf", f"{SECRETS}two-AbCdEf"],
    )


def container(synthesis: Synthesis) -> dict[str, Any]:
    """The only container of the task."""
    (task,) = properties(synthesis, "envoy-proxies", "AWS::ECS::TaskDefinition")
    (one,) = task["ContainerDefinitions"]
    found: dict[str, Any] = one
    return found


def test_secrets_come_by_their_arns(documented: Synthesis, iam: Synthesis) -> None:
    """The snapshot has those of the page; nothing secret is a plain variable."""
    assert {one["Name"] for one in container(iam)["Secrets"]} == {
        "DOWNSTREAM_PASSWORD_1",
        "DOWNSTREAM_PASSWORD_2",
    }
    assert {one["Name"] for one in container(documented)["Environment"]} == {
        *("ENVOY_CONFIG", "ADMIN_PORT", "CLUSTER", "WORKERS"),
        *("REPORT_SECONDS", "GRACE_SECONDS", "DRAIN_SECONDS"),
    }


def test_execution_role_reads_exactly_these_secrets(documented: Synthesis) -> None:
    """By exact ARN; and the task itself may do nothing at all."""
    reads = [
        one
        for one in statements(documented, "envoy-proxies")
        if "secretsmanager:GetSecretValue" in one["Action"]
    ]

    assert reads == [
        {
            "Action": "secretsmanager:GetSecretValue",
            "Effect": "Allow",
            "Resource": [
                f"{SECRETS}certificate-AbCdEf",
                f"{SECRETS}clients-AbCdEf",
                f"{SECRETS}nodes-AbCdEf",
            ],
            "Sid": "ReadSecrets",
        }
    ]
    roles = [one["Roles"] for one in properties(documented, "envoy-proxies", "AWS::IAM::Policy")]
    assert len(roles) == 1


def test_task_logs_in_as_one_user_of_one_group_with_iam(iam: Synthesis) -> None:
    """elasticache:Connect needs both (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)."""
    (login,) = [one for one in statements(iam, "envoy-proxies") if one.get("Sid") == "LogIn"]

    assert login["Action"] == "elasticache:Connect"
    assert login["Resource"] == [
        "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:sessions",
        "arn:aws:elasticache:us-east-1:111122223333:user:app",
    ]


def test_synth_says_what_a_person_should_have_decided() -> None:
    """Clients without TLS, nodes without, and the price of IAM; a whole configuration gives no warning."""
    whole = EnvoySpec("clustercfg.x", 6379, 512, ("DOWNSTREAM_PASSWORD_1",), downstream_tls=True)

    def told(**changes: Any) -> list[str]:  # noqa: ANN401 (any field)
        return [name for name, _ in find_warnings(replace(whole, **changes))]

    assert told() == []
    assert told(downstream_tls=False) == ["clients-without-tls"]
    assert told(upstream_tls=False) == ["nodes-without-tls"]
    assert told(iam=Iam("demo", "us-east-1")) == ["iam"]


def test_envoy_has_the_time_to_let_its_clients_go(documented: Synthesis) -> None:
    """Grace and drain end before ECS kills it."""
    told = {one["Name"]: one["Value"] for one in container(documented)["Environment"]}

    assert int(told["GRACE_SECONDS"]) + int(told["DRAIN_SECONDS"]) < STOP_TIMEOUT_SECONDS


def test_cache_s_own_group_lets_in_the_envoys(documented: Synthesis) -> None:
    (to_cache,) = properties(documented, "envoy-proxies", "AWS::EC2::SecurityGroupIngress")

    assert (to_cache["GroupId"], to_cache["FromPort"]) == ("sg-0e1f2031425364758", 6379)


def test_name_is_in_a_zone_of_ours(documented: Synthesis) -> None:
    """The cluster's own names stay as they are; the resync has one name to care for, and no node to look at."""
    (zone,) = properties(documented, "envoy-dns", "AWS::Route53::HostedZone")
    (function,) = properties(documented, "envoy-resync", "AWS::Lambda::Function")
    told = function["Environment"]["Variables"]

    assert zone["Name"] == "sessions.shape.nodeway.internal."
    assert told["FLEET_NAME"] == "redis.sessions.shape.nodeway.internal"
    assert told["REPLICATION_GROUP_ID"] == "sessions-envoy"
    assert not {"STAND_IN", "PROXY_VPC_ID"} & told.keys()
    assert outputs(documented, "envoy-dns")["Endpoint"] == f"{told['FLEET_NAME']}:6379"
    assert outputs(documented, "envoy-dns")["ClientSettings"] == "docs/clients.md#envoy"


def test_page_lists_every_metric() -> None:
    """tests/unit/nodeway/templates/test_envoy_start.py has their fields logged."""
    page = (ROOT / "docs" / "envoy.md").read_text()

    assert re.findall(r"^\| `(Envoy\w+)` \|", page, re.MULTILINE) == list(METRICS)


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(documented: Synthesis, iam: Synthesis, stack: str) -> None:
    assert findings(documented.templates[stack]) == findings(iam.templates[stack]) == []


def test_template_of_the_envoys_is_as_reviewed(
    documented: Synthesis, snapshot: SnapshotAssertion
) -> None:
    template = without_hashes(documented.templates["envoy-proxies"])

    assert template == snapshot(name="envoy-proxies", extension_class=JSONSnapshotExtension)


def test_both_ways_to_one_cluster_are_beside_each_other() -> None:
    """A cluster may have HAProxies for cluster clients and Envoys for the others."""
    block = environments("envoy")["envoy"]
    (cluster,) = block["clusters"]
    haproxy = {"replication_group_id": "sessions", "nodes": NODES}
    both = built({**block, "clusters": [haproxy, {**cluster, "nodes": NODES}]})

    assert {"haproxy", "nodes-0001", "dns", "resync", "monitoring", *STACKS} == set(both.templates)
    names = {
        next(iter(properties(both, stack, "AWS::Route53::HostedZone")))["Name"]
        for stack in ("dns", "envoy-dns")
    }
    assert len(names) == 2
