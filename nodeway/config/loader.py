"""An environment's configuration out of the CDK's context: cdk.json's block plus `-c` overrides, checked once, whole.

`load` gives a frozen object or one ConfigError that lists every problem.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from nodeway.config.model import EnvironmentConfig
from nodeway.config.rules import find_problems as problems_between
from nodeway.config.sandbox import with_sandbox
from nodeway.errors import ConfigError
from nodeway.suggestions import suggest_nearest
from nodeway_runtime.model.topology import Address, Hostname, address, hostname

OVERRIDES = (
    "approve",
    "take_over",
    "max_stand_ins",
    "env",
    "nodes",
    "refresh",
    "pin",
    "resync",
    "haproxies_per_node",
    "ttl",
    "cpu",
    "memory",
)
"""The context variables that `-c` takes."""
CDK_OWN = (
    "environments",
    "acknowledged-issue-numbers",
    "path-metadata",
)
"""Context keys of the CDK itself and of cdk.json."""
CDK_OWN_PREFIXES = ("@", "aws:", "aws-cdk:", "availability-zones:", "cli:", "nodeway:")
"""How other context keys begin that belong to the CDK or to our own look-ups."""


def load(context: Mapping[str, Any]) -> EnvironmentConfig:
    """The environment that `-c env=NAME` chose, with the overrides applied; raises ConfigError with every problem."""
    refuse_unknown(context)
    environments = context.get("environments")
    if not isinstance(environments, dict) or not environments:
        msg = 'cdk.json has no "environments" under "context"; add a block for each environment (docs/configuration.md)'
        raise ConfigError(msg)
    name = context.get("env")
    if name not in environments:
        got = (
            "none was chosen"
            if name is None
            else f"got {name!r}{suggest_nearest(str(name), environments)}"
        )
        msg = f"unknown environment: {got}; allowed: {', '.join(sorted(environments))}; choose one with -c env=NAME"
        raise ConfigError(msg)
    problems: list[str] = []
    written = environments[name]
    if not isinstance(written, dict):
        msg = f"environment {name}: got {written!r}; allowed: an object (docs/configuration.md)"
        raise ConfigError(msg)
    block = with_sandbox(apply_overrides({**written, "name": name}, context, problems), problems)
    config = validate_block(block, problems)
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        msg = f"environment {name} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}"
        raise ConfigError(msg)
    return config


def validate_block(block: dict[str, Any], problems: list[str]) -> EnvironmentConfig:
    """The block as values; whatever is wrong, in a key or between keys, is added to the problems."""
    fields = EnvironmentConfig.model_fields
    try:
        config, valid = EnvironmentConfig.model_validate(block), frozenset(fields)
    except ValidationError as error:
        problems += describe_errors(error)
        wrong = {str(one["loc"][0]) for one in error.errors()}
        valid = frozenset(fields) - wrong
        parts = {
            key: TypeAdapter(cast("Any", fields[key].annotation)).validate_python(block[key])
            for key in sorted(valid)
            if key in block
        }
        config = EnvironmentConfig.model_construct(**parts)
    problems += problems_between(config, valid)
    return config


def apply_overrides(
    block: dict[str, Any], context: Mapping[str, Any], problems: list[str]
) -> dict[str, Any]:
    """The block with what `-c` says instead; what cannot be read is added to the problems."""
    changed = dict(block)
    for variable in ("haproxies_per_node", "ttl", "cpu", "memory", "max_stand_ins"):
        text = str(context.get(variable, "0"))
        if not text.isdecimal():
            problems.append(f"-c {variable}: got {text!r}; allowed: a whole number")
        elif variable in context:
            changed[variable] = int(text)
    changed |= {
        name: context[name] for name in ("resync", "approve", "take_over") if name in context
    }
    if "pin" in context:
        written = block.get("pins", {})
        try:
            more = parse_pins(str(context["pin"]))
            changed["pins"] = {**written, **more} if isinstance(written, dict) else written
        except ValueError as error:
            problems.append(f"-c pin: {error}")
    if "nodes" in context:
        changed["clusters"] = override_nodes(block.get("clusters"), str(context["nodes"]), problems)
    return changed


def override_nodes(clusters: object, text: str, problems: list[str]) -> object:
    """The one cluster of an environment with these nodes, given as names with commas between."""
    match clusters:
        case [{**cluster}]:
            names = [name.strip() for name in text.split(",") if name.strip()]
            return [{**cluster, "nodes": names}]
        case list() if len(clusters) > 1:
            problems.append(
                f"-c nodes: this environment has {len(clusters)} clusters; set `nodes` in each one's block"
            )
    # what else is wrong with it, the model says
    return clusters


def parse_pins(text: str) -> dict[Hostname, tuple[Address, ...]]:
    """`HOST=IP[,IP][;HOST=IP…]` as a mapping; raises ValueError with what is allowed."""
    found: dict[Hostname, tuple[Address, ...]] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        name, equals, addresses = part.partition("=")
        if not equals or not addresses:
            msg = f"got {part!r}; allowed: HOST=IP[,IP], more than one with ; between"
            raise ValueError(msg)
        found[hostname(name)] = tuple(address(one) for one in addresses.split(","))
    return found


def refuse_unknown(context: Mapping[str, Any]) -> None:
    """Raises ConfigError for a context variable that nobody reads, with the nearest that somebody does."""
    unknown = [
        key
        for key in context
        if key not in {*OVERRIDES, *CDK_OWN} and not key.startswith(CDK_OWN_PREFIXES)
    ]
    if unknown:
        listed = "; ".join(f"{key!r}{suggest_nearest(key, OVERRIDES)}" for key in sorted(unknown))
        msg = f"unknown context variable: {listed}; allowed with -c: {', '.join(OVERRIDES)}"
        raise ConfigError(msg)


def describe_errors(error: ValidationError) -> list[str]:
    """A pydantic error as lines for a person: where, what, got."""
    found = error.errors()
    places = [one["loc"] for one in found]
    return [
        describe_error(dict(one))
        for one in found
        # a list is not too short because one of its items is wrong
        if one["type"] != "too_short"
        or not any(place[: len(one["loc"])] == one["loc"] != place for place in places)
    ]


def describe_error(error: dict[str, Any]) -> str:
    """One pydantic error as a line."""
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{where}: is missing"
    # somebody may have written a password where its secret's ARN belongs
    got = "what is not shown here" if "secret_arn" in where else repr(error["input"])
    return f"{where}: {text[0].lower()}{text[1:]}; got {got}"
