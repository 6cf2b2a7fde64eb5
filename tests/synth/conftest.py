"""The app, built in process from cdk.json; no AWS, no network, no file of this machine but the checkout's."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.cx_api import CloudAssembly

from lab.layout import ROOT
from nodeway.constructs.nag import review
from stacks.environment import build

CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What a synth gave: an assembly, and each stack's template by its `part`."""

    assembly: CloudAssembly
    templates: dict[str, dict[str, Any]]

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type, by logical id."""
        return {
            key: one
            for key, one in self.templates[stack]["Resources"].items()
            if one["Type"] == kind
        }

    def only(self, stack: str, kind: str) -> dict[str, Any]:
        """The properties of the only resource of a type."""
        (one,) = self.resources(stack, kind).values()
        properties: dict[str, Any] = one["Properties"]
        return properties


def part(stack_name: str) -> str:
    """Which stack it is: `dns` of nodeway-dev-sessions-dns, `network` of nodeway-dev-network."""
    _nodeway, _environment, *rest = stack_name.split("-")
    return "-".join(rest[1:] or rest)


def synth(outdir: Path, *, reviewed: bool = True, **context: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
    """The app with these keys of its context; `reviewed`: a finding of cdk-nag is an error."""
    app = cdk.App(outdir=str(outdir), context={**CONTEXT, **context})
    if reviewed:
        review(app)
    build(app)
    assembly = app.synth()
    files = {part(one.stack_name): Path(one.template_full_path) for one in assembly.stacks}
    return Synthesis(assembly, {name: json.loads(one.read_text()) for name, one in files.items()})


Synthesise = Callable[..., Synthesis]


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Builds and synthesises the app: `block` changes the environment, the rest are `-c` variables."""

    def run(block: dict[str, Any] | None = None, **variables: Any) -> Synthesis:  # noqa: ANN401 (any JSON)
        name = variables.setdefault("env", "dev")
        environments = CONTEXT["environments"]
        changed = {**environments, name: {**environments[name], **(block or {})}}
        outdir = tmp_path_factory.mktemp("cdk.out")
        return synth(outdir, reviewed=False, environments=changed, **variables)

    return run


@pytest.fixture(scope="session")
def dev(synthesise: Synthesise) -> Synthesis:
    """The environment `dev` of cdk.json, as it is."""
    return synthesise()


@pytest.fixture(scope="session")
def rich(synthesise: Synthesise) -> Synthesis:
    """`dev` with everything that is optional: client VPCs, one with two ranges, a cache security group, pins."""
    cluster = {
        **CONTEXT["environments"]["dev"]["clusters"][0],
        "cache_security_group_id": "sg-0e1f2031425364758",
    }
    clients = [
        {"vpc_id": "vpc-0c1d2e3f405162738", "cidr": "10.40.0.0/16"},
        {"vpc_id": "vpc-0c1d2e3f405162738", "cidr": "10.41.0.0/16"},
        {"vpc_id": "vpc-0c1d2e3f405162739", "cidr": "10.42.0.0/16", "region": "eu-west-1"},
    ]
    zone = "sessions.a1b2c3.use1.cache.amazonaws.com"
    return synthesise(
        {
            "client_vpcs": clients,
            "clusters": [cluster],
            "termination_protection": True,
            "alarm_topic_arn": "arn:aws:sns:us-east-1:111122223333:pager",
        },
        haproxies_per_node="2",
        ttl="9",
        cpu="512",
        memory="2048",
        resync="observe",
        approve="0123456789ab",
        take_over="true",
        max_stand_ins="3",
        pin=f"sessions-0001-001.{zone}=10.9.0.1",
    )
