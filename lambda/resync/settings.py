"""What one deployment told its function: read from the environment once, checked whole. The only
reader of the environment.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from resync.errors import BadSettings
from resync.topology import Address, Hostname, address, hostname

REQUIRED = ("REPLICATION_GROUP_ID", "HOSTED_ZONE_ID", "ZONE_NAME", "ECS_CLUSTER")
TTL_SECONDS_ALLOWED = range(1, 3601)


class Mode(StrEnum):
    """What a run may do: change records, only say what it would change, or nothing at all."""

    ON = "on"
    OBSERVE = "observe"
    OFF = "off"


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

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings of this function; raises BadSettings that names every variable that is wrong."""
        env = os.environ if environment is None else environment
        problems = [f"{name} is missing" for name in REQUIRED if not env.get(name)]
        ttl, pins, mode = 5, dict[Hostname, tuple[Address, ...]](), Mode.ON
        zone_name = Hostname("")
        try:
            zone_name = hostname(env.get("ZONE_NAME") or "missing")
        except ValueError as error:
            problems.append(f"ZONE_NAME: {error}")
        try:
            ttl = parse_ttl(env.get("TTL_SECONDS", "5"))
        except ValueError as error:
            problems.append(f"TTL_SECONDS: {error}")
        try:
            pins = parse_pins(env.get("PINS", "{}"))
        except ValueError as error:
            problems.append(f"PINS: {error}")
        try:
            mode = Mode(env.get("RESYNC", "on"))
        except ValueError:
            problems.append(f"RESYNC: got {env['RESYNC']!r}; allowed: {', '.join(Mode)}")
        if problems:
            msg = f"the function's environment is wrong: {'; '.join(problems)}; deploy the stack again"
            raise BadSettings(msg)
        return Settings(
            replication_group_id=env["REPLICATION_GROUP_ID"],
            hosted_zone_id=env["HOSTED_ZONE_ID"],
            zone_name=zone_name,
            ecs_cluster=env["ECS_CLUSTER"],
            ttl_seconds=ttl,
            mode=mode,
            pins=pins,
        )


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
