"""The app as a whole: the same files give the same templates, and the templates are fit to be deployed."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from nodeway.constructs.nag import review
from nodeway.errors import ConfigError
from stacks.environment import build
from tests.support.synth.checks import findings, without_hashes
from tests.synth.conftest import CONTEXT, Synthesis, Synthesise

STACKS = ["dns", "haproxy", "monitoring", "nodes-0001", "resync"]
DEV = CONTEXT["environments"]["dev"]
KNOWN = {
    "zone_name": "sessions.a1b2c3.use1.cache.amazonaws.com",
    "port": 6379,
    "nodes": [
        {"cache_cluster_id": name.partition(".")[0], "hostname": name, "availability_zone": ""}
        for name in DEV["clusters"][0]["nodes"]
    ],
}
NAMES = re.compile(
    r"^(Bucket|Cluster|Function|Group|Layer|LogGroup|Queue|Role|Rule|Service|Table|Topic)Name$"
)


def test_app_has_these_stacks_a_cluster(dev: Synthesis) -> None:
    """What HAProxies share, the HAProxies, zone, resync, and what watches them: of one account and Region."""
    assert sorted(dev.templates) == STACKS
    assert {one.environment.name for one in dev.assembly.stacks} == {"aws://111122223333/us-east-1"}


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(dev: Synthesis, stack: str, snapshot: SnapshotAssertion) -> None:
    """A tripwire: every change is read by a person (`pytest --snapshot-update`)."""
    template = without_hashes(dev.templates[stack])

    assert template == snapshot(name=stack, extension_class=JSONSnapshotExtension)


def test_adding_a_node_changes_nothing_of_the_others(
    dev: Synthesis, synthesise: Synthesise
) -> None:
    """Its service and task definition come in; every other resource of the fleet stays as it is, to the letter."""
    node = "sessions-0001-000.sessions.a1b2c3.use1.cache.amazonaws.com"
    before = dev.templates["nodes-0001"]["Resources"]

    synthesis = synthesise(nodes=",".join([node, *DEV["clusters"][0]["nodes"]]))
    after = synthesis.templates["nodes-0001"]["Resources"]

    assert synthesis.templates["haproxy"] == dev.templates["haproxy"]
    # an order is no property: CloudFormation updates nothing for it
    order = {"DependsOn": None}
    assert {key: after[key] | order for key in before} == {k: before[k] | order for k in before}
    assert sorted(after[key]["Type"] for key in after.keys() - before.keys()) == [
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
    ]


def test_refresh_asks_although_the_answer_is_remembered(
    fake_aws: pytest.MonkeyPatch, empty_directory: Path
) -> None:
    """`-c refresh=true` does not take the file's word; without AWS it says so, and writes nothing."""
    fake_aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    block = {**DEV, "clusters": [{"replication_group_id": "sessions"}]}
    key = "nodeway:topology:account=111122223333:region=us-east-1:replication-group=sessions"
    context = {
        **CONTEXT,
        "env": "dev",
        "environments": {"dev": block},
        "refresh": "true",
        key: KNOWN,
    }

    with pytest.raises(ConfigError, match="cannot be asked"):
        build(cdk.App(context=context))

    assert list(empty_directory.iterdir()) == []


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(dev: Synthesis, rich: Synthesis, stack: str) -> None:
    assert findings(dev.templates[stack]) == findings(rich.templates[stack]) == []


def test_review_fails_a_synth_with_a_finding() -> None:
    """cdk-nag is not there for show: an unencrypted queue stops the synth."""
    app = cdk.App()
    review(app)
    sqs.Queue(cdk.Stack(app, "bad"), "Queue", encryption=sqs.QueueEncryption.UNENCRYPTED)

    with pytest.raises(
        RuntimeError,
        match="ValidationFailed: ERROR The SQS Queue does not have server-side encryption",
    ):
        app.synth()


@pytest.mark.parametrize("stack", STACKS)
def test_resources_have_no_physical_names(dev: Synthesis, stack: str) -> None:
    """CloudFormation names them, so they can be replaced and deployed twice."""
    for key, one in dev.templates[stack]["Resources"].items():
        named = {
            name: value for name, value in one.get("Properties", {}).items() if NAMES.match(name)
        }
        assert not [value for value in named.values() if isinstance(value, str)], key


@pytest.mark.parametrize("stack", STACKS)
def test_templates_hold_no_secret(dev: Synthesis, stack: str) -> None:
    """Nobody's password, token or key is in a template, and nothing reads one."""
    names = {name.lower() for name in keys(dev.templates[stack])} - {"servicetoken"}

    assert not [
        name for name in names if re.search(r"password|secret|token|credential|private_?key", name)
    ]
    assert not re.search(
        r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|resolve:(ssm|secretsmanager)",
        json.dumps(dev.templates[stack]),
    )


def keys(value: Any) -> set[str]:  # noqa: ANN401 (any JSON)
    """Every name in a template, at any depth, names of variables included."""
    match value:
        case dict():
            named = {str(value["Name"])} if isinstance(value.get("Name"), str) else set()
            return set(value) | named | {key for one in value.values() for key in keys(one)}
        case list():
            return {key for one in value for key in keys(one)}
        case _:
            return set()


def test_termination_protection_is_as_configured(dev: Synthesis, rich: Synthesis) -> None:
    """Off for dev, on where it is asked for."""
    assert {one.termination_protection for one in dev.assembly.stacks} == {False}
    assert {one.termination_protection for one in rich.assembly.stacks} == {True}
