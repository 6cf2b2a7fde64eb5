"""The app for each shape of network in docs/networks.md, reviewed, and its API calls and commands for people."""

import json
import shlex
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel, StructureShape
from botocore.validate import ParamValidator

from tests.support.pages.environments import environments, offline
from tests.support.synth.policy import concrete, several
from tests.synth.conftest import Synthesis, part, synth

GLOBAL_OPTIONS = {"region", "query", "output"}
Properties = dict[str, Any]


@cache
def shape(name: str) -> Synthesis:
    """A documented environment as it stands there."""
    return built(environments()[name])


def built(block: dict[str, Any]) -> Synthesis:
    """The templates of an environment; a finding of the review is an error."""
    with tempfile.TemporaryDirectory() as outdir:
        return synth(Path(outdir), environments={"shape": offline(block)}, env="shape")


def properties(synthesis: Synthesis, stack: str, kind: str) -> list[Properties]:
    """The properties of all resources of a type, without tags, with `<Name>` for what a reference gives."""
    return [
        {
            key: value
            for key, value in concrete(one["Properties"], synthesis, {}).items()
            if key != "Tags"
        }
        for one in synthesis.resources(stack, kind).values()
    ]


def outputs(synthesis: Synthesis, stack: str) -> dict[str, str]:
    """What a person is told after the deployment."""
    return {
        key: concrete(one["Value"], synthesis, {})
        for key, one in synthesis.templates[stack].get("Outputs", {}).items()
        if "Export" not in one
    }


@dataclass(frozen=True, slots=True)
class Made:
    """A call that the stack's function makes."""

    action: str
    parameters: dict[str, Any]
    physical_id: str
    ignored: str | None


def calls(synthesis: Synthesis, stack: str, kind: str, event: str = "Create") -> list[Made]:
    """The calls of the custom resources of a kind, each checked against the service's own model."""
    made = []
    for one in properties(synthesis, stack, f"Custom::{kind}"):
        if event not in one:
            continue
        told = json.loads(one[event])
        name = told["action"][0].upper() + told["action"][1:]
        report = ParamValidator().validate(
            told["parameters"], taken(operation(told["service"], name))
        )
        assert not report.has_errors(), report.generate_report()
        made.append(
            Made(
                f"{told['service']}:{name}",
                told["parameters"],
                told.get("physicalResourceId", {}).get("id", ""),
                told.get("ignoreErrorCodesMatching"),
            )
        )
    return made


def operation(service: str, name: str) -> OperationModel:
    """An operation of AWS; fails for a name that there is not."""
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def taken(model: OperationModel) -> StructureShape:
    """What an operation takes."""
    assert model.input_shape is not None
    return model.input_shape


def check_command(command: str) -> None:
    """The command line names an operation, and options, that there are; every required one is given."""
    words = shlex.split(command.replace(";", " ; "))
    at = words.index("aws")
    end = words.index(";", at) if ";" in words[at:] else len(words)
    service, verb, *rest = words[at + 1 : end]
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [one for one in model.operation_names if xform_name(one, "-") == verb]
    shape_ = taken(model.operation_model(name))
    members = {xform_name(one, "-") for one in shape_.members} | GLOBAL_OPTIONS
    given = {one.removeprefix("--") for one, _ in pairwise([*rest, ""]) if one.startswith("--")}
    assert given <= members, given - members
    assert {xform_name(one, "-") for one in shape_.required_members} <= given


def statements(synthesis: Synthesis, stack: str) -> list[dict[str, Any]]:
    """Every statement of every policy of the stack."""
    return [
        statement
        for one in properties(synthesis, stack, "AWS::IAM::Policy")
        for statement in one["PolicyDocument"]["Statement"]
    ]


def actions(synthesis: Synthesis, stack: str) -> set[str]:
    """Every action that a policy of the stack names."""
    return {one for rule in statements(synthesis, stack) for one in several(rule["Action"])}


def types(synthesis: Synthesis, stack: str) -> set[str]:
    """The types of the stack's resources."""
    return {one["Type"] for one in synthesis.templates[stack]["Resources"].values()}


def waits_for(synthesis: Synthesis, suffix: str) -> set[str]:
    """The parts of the stacks that come before the one with this name's end."""
    (stack,) = [one for one in synthesis.assembly.stacks if one.stack_name.endswith(suffix)]
    return {part(one.id) for one in stack.dependencies if one.id.startswith("nodeway-")}
