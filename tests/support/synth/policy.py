"""A role's policy as IAM judges it: statements with values in place, and whether they let a request through.

It knows the few condition operators that our policies have, and fails on any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import eq
from typing import Any

from tests.synth.conftest import Synthesis

Context = Mapping[str, "str | list[str]"]
Known = Mapping[str, str]
"""What a reference is in the account where the template is deployed; `Name.Arn` for an attribute."""


def concrete(value: Any, synthesis: Synthesis, known: Known) -> Any:  # noqa: ANN401, C901, PLR0911 (any part of a template; a return a case)
    """A part of a template with its references replaced."""
    match value:
        case {"Fn::ImportValue": name}:
            return concrete(exported(synthesis, name), synthesis, known)
        case {"Fn::GetAtt": [name, attribute]}:
            return known.get(f"{name}.{attribute}", f"<{name}.{attribute}>")
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": name}:
            return known.get(name, f"<{name}>")
        case {"Fn::FindInMap": [name, first, second]}:
            return mapped(synthesis, name)[first][second]
        case {"Fn::Join": [separator, parts]}:
            return separator.join(concrete(part, synthesis, known) for part in parts)
        case {"Fn::Split": [separator, text]}:
            return concrete(text, synthesis, known).split(separator)
        case {"Fn::Select": [place, parts]}:
            return concrete(parts, synthesis, known)[int(place)]
        case dict():
            return {key: concrete(one, synthesis, known) for key, one in value.items()}
        case list():
            return [concrete(one, synthesis, known) for one in value]
        case _:
            return value


def mapped(synthesis: Synthesis, name: str) -> dict[str, dict[str, str]]:
    """The mapping of this name, of whichever stack: those of one name are the same."""
    found = [
        t["Mappings"][name] for t in synthesis.templates.values() if name in t.get("Mappings", {})
    ]
    assert all(one == found[0] for one in found)
    first: dict[str, dict[str, str]] = found[0]
    return first


def exported(synthesis: Synthesis, name: str) -> Any:  # noqa: ANN401 (any part of a template)
    """The value that a stack exports under this name."""
    outputs = [one for t in synthesis.templates.values() for one in t.get("Outputs", {}).values()]
    (value,) = [one["Value"] for one in outputs if one.get("Export", {}).get("Name") == name]
    return value


@dataclass(frozen=True, slots=True)
class Ask:
    """One permission that a request needs."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """The statements of a role."""

    statements: tuple[dict[str, Any], ...]

    def allows(self, ask: Ask) -> bool:
        """Whether one statement holds for the whole request."""
        return any(holds(one, ask) for one in self.statements)


def holds(statement: dict[str, Any], ask: Ask) -> bool:
    """Whether a statement allows it: action, resource and every condition."""
    assert statement["Effect"] == "Allow"
    return (
        any(fnmatchcase(ask.action, one) for one in several(statement["Action"]))
        and any(fnmatchcase(ask.resource, one) for one in several(statement["Resource"]))
        and all(
            agrees(operator, several(wanted), ask.context.get(key))
            for operator, conditions in statement.get("Condition", {}).items()
            for key, wanted in conditions.items()
        )
    )


def agrees(operator: str, wanted: list[str], given: "str | list[str] | None") -> bool:
    """A condition; one for all values holds when there are none, any other does not."""
    for_all = operator.startswith("ForAllValues:")
    compare: Callable[[str, str], bool] = {
        "StringEquals": eq,
        "ArnEquals": fnmatchcase,
        "StringLike": fnmatchcase,
    }[operator.removeprefix("ForAllValues:")]
    if given is None:
        return for_all
    assert for_all or isinstance(given, str)
    return all(any(compare(value, one) for one in wanted) for value in several(given))


def known(
    synthesis: Synthesis, account: str = "111122223333", fleet: str = "fleet"
) -> dict[str, str]:
    """What the references of an environment with one cluster are once it is deployed."""

    def only(stack: str, kind: str, prefix: str = "") -> str:
        (key,) = [one for one in synthesis.resources(stack, kind) if one.startswith(prefix)]
        return key

    cluster = only("haproxy", "AWS::ECS::Cluster")
    return {
        cluster: fleet,
        f"{cluster}.Arn": f"arn:aws:ecs:us-east-1:{account}:cluster/{fleet}",
        only("dns", "AWS::Route53::HostedZone"): "Z0CLIENTS",
        only("resync", "AWS::Route53::HostedZone"): "Z0PARKING",
        f"{only('haproxy', 'AWS::EC2::SecurityGroup')}.GroupId": "sg-0000000a",
        f"{only('haproxy', 'AWS::IAM::Role', 'Task')}.Arn": f"arn:aws:iam::{account}:role/task",
        f"{only('haproxy', 'AWS::IAM::Role', 'Exec')}.Arn": (
            f"arn:aws:iam::{account}:role/execution"
        ),
    }


def policy(synthesis: Synthesis, there: Known | None = None) -> Policy:
    """Everything that the resync function's role may do."""
    document = synthesis.only("resync", "AWS::IAM::Policy")["PolicyDocument"]
    return Policy(tuple(concrete(document["Statement"], synthesis, there or known(synthesis))))


def family(synthesis: Synthesis) -> str:
    """The family of the stand-in's task definition."""
    (found,) = [
        one["Properties"]["Family"]
        for key, one in synthesis.resources("resync", "AWS::ECS::TaskDefinition").items()
        if key.startswith("StandIn")
    ]
    return str(found)


def several(value: "str | list[str]") -> list[str]:
    """One or many, as many."""
    return [value] if isinstance(value, str) else list(value)
