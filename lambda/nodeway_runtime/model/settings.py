"""What one deployment told its function: read from the environment once, checked whole. The only
reader of the environment.
"""

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
    """What a run may do: change records, only say what it would change, or nothing at all."""

    ON = "on"
    OBSERVE = "observe"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class StandInSettings:
    """How to start a stand-in: the task definition family, where it may run, and the zone of its backend's names."""

    task_definition: str
    subnets: tuple[str, ...]
    security_group: str
    parking_zone_id: str
    parking_zone_name: Hostname


@dataclass(frozen=True, slots=True)
class Settings:
    """One cluster's resync: what to read, where to write, and for how many seconds an answer holds."""

    replication_group_id: str
    hosted_zone_id: str
    zone_name: Hostname
    ecs_cluster: str
    ttl_seconds: int = 5
    mode: Mode = Mode.ON
    pins: Mapping[Hostname, tuple[Address, ...]] = field(default_factory=dict)
    owner: str = "nodeway"
    """Which deployment's marker its records have."""
    approve: str = ""
    """The checksum of the one guarded plan that a person lets through."""
    take_over: bool = False
    """Whether names with another's marker, or none, may be made ours."""
    proxy_vpc_id: str = ""
    """The VPC that the HAProxies run in."""
    max_stand_ins: int = 10
    """How many stand-ins may run at once."""
    stand_in: StandInSettings | None = None
    """How to start a stand-in; None: they are not used."""
    fleet_name: Hostname | None = None
    """The one name that leads to every proxy of the fleet, whatever nodes there are; None: each node has its own."""

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings of this function; raises BadSettings that names every variable that is wrong."""
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
    """What a run may do; raises ValueError with what is allowed."""
    if text not in set(Mode):
        msg = f"got {text!r}; allowed: {', '.join(Mode)}"
        raise ValueError(msg)
    return Mode(text)


def parse_count(text: str) -> int:
    """A whole number; raises ValueError for anything else."""
    if not text.isdecimal():
        msg = f"got {text!r}; allowed: a whole number"
        raise ValueError(msg)
    return int(text)


def parse_stand_in(text: str) -> StandInSettings | None:
    """A JSON object with a stand-in's settings, or null; raises ValueError for anything else."""
    loaded = json.loads(text)
    if loaded is None:
        return None
    try:
        return StandInSettings(
            task_definition=str(loaded["task_definition"]),
            subnets=tuple(loaded["subnets"]),
            security_group=str(loaded["security_group"]),
            parking_zone_id=str(loaded["parking_zone_id"]),
            parking_zone_name=hostname(loaded["parking_zone_name"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = (
            f"got {text!r}; allowed: an object with all of a stand-in's settings ({error} is wrong)"
        )
        raise ValueError(msg) from error


def parse_fleet_name(text: str) -> Hostname | None:
    """A record's name, or nothing; raises ValueError for anything else."""
    return record_name(text) if text else None


def parse_ttl(text: str) -> int:
    """Seconds as a whole number; raises ValueError with what is allowed."""
    if not text.isdecimal() or int(text) not in TTL_SECONDS_ALLOWED:
        msg = f"got {text!r}; allowed: whole seconds from 1 to {TTL_SECONDS_ALLOWED.stop - 1}"
        raise ValueError(msg)
    return int(text)


def parse_pins(text: str) -> dict[Hostname, tuple[Address, ...]]:
    """A JSON object of name to list of addresses; raises ValueError for anything else."""
    loaded = json.loads(text)
    lists = loaded.values() if isinstance(loaded, dict) else [None]
    if not all(
        isinstance(one, list) and one and all(isinstance(a, str) for a in one) for one in lists
    ):
        msg = f"got {text!r}; allowed: an object of name to a list of addresses"
        raise ValueError(msg)
    return {hostname(name): tuple(address(a) for a in values) for name, values in loaded.items()}
