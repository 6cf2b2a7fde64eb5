"""Reads one environment's configuration from the CDK context: its block in cdk.json plus the `-c` overrides.

`load` returns a frozen, validated object, or raises one ConfigError that lists every problem.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from nodeway.config.model import EnvironmentConfig
from nodeway.config.rules import find_problems
from nodeway.config.sandbox import expand_sandbox
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
"""Context variables that a user sets with `-c`."""
OTHER_KEYS = ("environments", "acknowledged-issue-numbers", "path-metadata")
"""Context keys of cdk.json and of the CDK itself."""
OTHER_PREFIXES = ("@", "aws:", "aws-cdk:", "availability-zones:", "cli:", "nodeway:")
"""Prefixes of the context keys of the CDK and of Nodeway's look-ups."""


def load(context: Mapping[str, Any]) -> EnvironmentConfig:
    """Returns the environment that `-c env=NAME` selects, with the overrides applied.

    Raises ConfigError with every problem of its block.
    """
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
    block = environments[name]
    if not isinstance(block, dict):
        msg = f"environment {name}: got {block!r}; allowed: an object (docs/configuration.md)"
        raise ConfigError(msg)
    problems: list[str] = []
    overridden = apply_overrides({**block, "name": name}, context, problems)
    config = validate_block(expand_sandbox(overridden, problems), problems)
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        msg = f"environment {name} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}"
        raise ConfigError(msg)
    return config


def validate_block(block: dict[str, Any], problems: list[str]) -> EnvironmentConfig:
    """Returns the block as values. Appends each invalid key and each conflict between keys to `problems`."""
    fields = EnvironmentConfig.model_fields
    try:
        config, valid = EnvironmentConfig.model_validate(block), frozenset(fields)
    except ValidationError as error:
        problems += describe_errors(error)
        valid = frozenset(fields) - {str(detail["loc"][0]) for detail in error.errors()}
        values = {
            key: TypeAdapter(cast("Any", fields[key].annotation)).validate_python(block[key])
            for key in sorted(valid)
            if key in block
        }
        config = EnvironmentConfig.model_construct(**values)
    problems += find_problems(config, valid)
    return config


def apply_overrides(
    block: dict[str, Any], context: Mapping[str, Any], problems: list[str]
) -> dict[str, Any]:
    """Returns the block with the values of `-c` in place of its own. Appends unreadable values to `problems`."""
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
        pins = block.get("pins", {})
        try:
            extra_pins = parse_pins(str(context["pin"]))
            changed["pins"] = {**pins, **extra_pins} if isinstance(pins, dict) else pins
        except ValueError as error:
            problems.append(f"-c pin: {error}")
    if "nodes" in context:
        changed["clusters"] = override_nodes(block.get("clusters"), str(context["nodes"]), problems)
    return changed


def override_nodes(clusters: object, text: str, problems: list[str]) -> object:
    """Returns the clusters, with the comma-separated host names of `text` as the nodes of the only cluster.

    Appends a problem if there is more than one cluster.
    """
    match clusters:
        case [{**cluster}]:
            names = [name.strip() for name in text.split(",") if name.strip()]
            return [{**cluster, "nodes": names}]
        case list() if len(clusters) > 1:
            problems.append(
                f"-c nodes: this environment has {len(clusters)} clusters; set `nodes` in the block of each"
            )
    # the model reports any other problem of the key
    return clusters


def parse_pins(text: str) -> dict[Hostname, tuple[Address, ...]]:
    """Parses `HOST=IP[,IP][;HOST=IP…]`; raises ValueError with the allowed form."""
    pins: dict[Hostname, tuple[Address, ...]] = {}
    for pin in filter(None, (part.strip() for part in text.split(";"))):
        name, _, addresses = pin.partition("=")
        if not addresses:
            msg = f"got {pin!r}; allowed: HOST=IP[,IP], separated by ;"
            raise ValueError(msg)
        pins[hostname(name)] = tuple(map(address, addresses.split(",")))
    return pins


def refuse_unknown(context: Mapping[str, Any]) -> None:
    """Raises ConfigError for unknown context variables; the message suggests the closest known one."""
    unknown = [
        key
        for key in context
        if key not in {*OVERRIDES, *OTHER_KEYS} and not key.startswith(OTHER_PREFIXES)
    ]
    if unknown:
        listed = "; ".join(f"{key!r}{suggest_nearest(key, OVERRIDES)}" for key in sorted(unknown))
        msg = f"unknown context variable: {listed}; allowed with -c: {', '.join(OVERRIDES)}"
        raise ConfigError(msg)


def describe_errors(error: ValidationError) -> list[str]:
    """Returns a line for each problem of a pydantic error: the key, the rule, the value found."""
    details = error.errors()
    keys = [detail["loc"] for detail in details]
    return [
        describe_error(detail)
        for detail in details
        # pydantic also reports a list with an invalid item as too short
        if detail["type"] != "too_short"
        or not any(key[: len(detail["loc"])] == detail["loc"] != key for key in keys)
    ]


def describe_error(detail: ErrorDetails) -> str:
    """Returns one pydantic problem as a line."""
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "missing":
        return f"{key}: is missing"
    rule = detail["msg"].removeprefix("Value error, ")
    rule = f"{rule[0].lower()}{rule[1:]}"
    if detail["type"] == "json_invalid":
        # without a key, and the value is the whole file
        return rule
    # the value may be a password that was entered in place of its secret's ARN
    got = "a value that is not shown" if "secret_arn" in key else repr(detail["input"])
    return f"{key}: {rule}; got {got}"
