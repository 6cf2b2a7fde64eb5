"""The settings of the resync function, read once from its environment variables."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.topology import Address, Hostname, address, hostname, record_name

T = TypeVar("T")
REQUIRED = ("REPLICATION_GROUP_ID", "HOSTED_ZONE_ID", "ZONE_NAME", "ECS_CLUSTER")
TTL_SECONDS_ALLOWED = range(1, 3601)


class Mode(StrEnum):
    """What a run may do: ON changes records, OBSERVE only logs the plan, OFF does nothing."""

    ON = "on"
    OBSERVE = "observe"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class StandInSettings:
    """How to start a stand-in: task definition family, network, and the stand-in zone's id and name."""

    task_definition: str
    subnets: tuple[str, ...]
    security_group: str
    zone_id: str
    zone_name: Hostname


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one cluster's resync.

    `ttl_seconds`: of the A records and markers. `pins`: names with fixed addresses. `owner`: the owner in this
    deployment's markers. `approve`: checksum of the deletes that a person approved. `take_over`: whether names with
    another owner's marker, or with none, may become ours. `proxy_vpc_id`: the VPC of the HAProxies. `max_stand_ins`:
    limit of stand-ins at the same time. `stand_in`: how to start a stand-in, None to use none. `fleet_name`: the one
    name of a fleet whose proxies serve all nodes, None when each node has its own.
    """

    replication_group_id: str
    hosted_zone_id: str
    zone_name: Hostname
    ecs_cluster: str
    ttl_seconds: int = 5
    mode: Mode = Mode.ON
    pins: Mapping[Hostname, tuple[Address, ...]] = field(default_factory=dict)
    owner: str = "nodeway"
    approve: str = ""
    take_over: bool = False
    proxy_vpc_id: str = ""
    max_stand_ins: int = 10
    stand_in: StandInSettings | None = None
    fleet_name: Hostname | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Settings":
        """Parses the environment variables; raises BadSettings that names every wrong one."""
        env = os.environ if environment is None else environment
        problems = [f"{name} is missing" for name in REQUIRED if not env.get(name)]

        def parsed(name: str, default: str, parse: Callable[[str], T], otherwise: T) -> T:
            try:
                return parse(env.get(name) or default)
            except ValueError as error:
                problems.append(f"{name}: {error}")
                return otherwise

        settings = Settings(
            replication_group_id=env.get("REPLICATION_GROUP_ID", ""),
            hosted_zone_id=env.get("HOSTED_ZONE_ID", ""),
            zone_name=parsed("ZONE_NAME", "missing", hostname, Hostname("")),
            ecs_cluster=env.get("ECS_CLUSTER", ""),
            ttl_seconds=parsed("TTL_SECONDS", "5", parse_ttl, 5),
            mode=parsed("RESYNC", "on", parse_mode, Mode.ON),
            pins=parsed("PINS", "{}", parse_pins, {}),
            owner=env.get("OWNER") or "nodeway",
            approve=env.get("APPROVE", ""),
            take_over=env.get("TAKE_OVER") == "true",
            proxy_vpc_id=env.get("PROXY_VPC_ID", ""),
            max_stand_ins=parsed("MAX_STAND_INS", "10", parse_count, 10),
            stand_in=parsed("STAND_IN", "null", parse_stand_in, None),
            fleet_name=parsed("FLEET_NAME", "", parse_fleet_name, None),
        )
        if problems:
            msg = f"the function's environment is wrong: {'; '.join(problems)}; deploy the stack again"
            raise BadSettings(msg)
        return settings


def parse_mode(text: str) -> Mode:
    """Parses RESYNC; raises ValueError with the allowed values."""
    if text not in set(Mode):
        msg = f"got {text!r}; allowed: {', '.join(Mode)}"
        raise ValueError(msg)
    return Mode(text)


def parse_count(text: str) -> int:
    """Parses a whole number; raises ValueError."""
    if not text.isdecimal():
        msg = f"got {text!r}; allowed: a whole number"
        raise ValueError(msg)
    return int(text)


def parse_stand_in(text: str) -> StandInSettings | None:
    """Parses STAND_IN: a JSON object with all of a stand-in's settings, or null; raises ValueError."""
    loaded = json.loads(text)
    if loaded is None:
        return None
    try:
        return StandInSettings(
            task_definition=str(loaded["task_definition"]),
            subnets=tuple(loaded["subnets"]),
            security_group=str(loaded["security_group"]),
            zone_id=str(loaded["parking_zone_id"]),
            zone_name=hostname(loaded["parking_zone_name"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = (
            f"got {text!r}; allowed: an object with all of a stand-in's settings ({error} is wrong)"
        )
        raise ValueError(msg) from error


def parse_fleet_name(text: str) -> Hostname | None:
    """Parses FLEET_NAME: a record's name, or empty; raises ValueError."""
    return record_name(text) if text else None


def parse_ttl(text: str) -> int:
    """Parses TTL_SECONDS; raises ValueError with the allowed range."""
    if not text.isdecimal() or int(text) not in TTL_SECONDS_ALLOWED:
        msg = f"got {text!r}; allowed: whole seconds from 1 to {TTL_SECONDS_ALLOWED.stop - 1}"
        raise ValueError(msg)
    return int(text)


def parse_pins(text: str) -> dict[Hostname, tuple[Address, ...]]:
    """Parses PINS: a JSON object of name to list of IPv4 addresses; raises ValueError."""
    loaded = json.loads(text)
    lists = loaded.values() if isinstance(loaded, dict) else [None]
    if not all(
        isinstance(one, list) and one and all(isinstance(a, str) for a in one) for one in lists
    ):
        msg = f"got {text!r}; allowed: an object of name to a list of addresses"
        raise ValueError(msg)
    return {hostname(name): tuple(address(a) for a in values) for name, values in loaded.items()}
