"""The settings of the probe's two functions, read once from their environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.topology import Hostname, hostname

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class ProberSettings:
    """Settings of the prober, the function in a client's VPC.

    `client`: its name in reports. `login_secret_arn`: a secret with `username` and `password` as JSON. `iam_username`:
    an ElastiCache user with IAM authentication in the group `replication_group_id`. With neither it does not log in.
    """

    zone_name: Hostname
    port: int
    client: str
    replication_group_id: str
    login_secret_arn: str = ""
    iam_username: str = ""

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "ProberSettings":
        """Parses the environment variables; raises BadSettings that names every wrong one."""
        env = os.environ if environment is None else environment
        needed = ("ZONE_NAME", "PORT", "CLIENT", "REPLICATION_GROUP_ID")
        problems = [f"{name} is missing" for name in needed if not env.get(name)]
        port = env.get("PORT", "")
        if port and not (port.isdecimal() and 0 < int(port) <= HIGHEST_PORT):
            problems.append(f"PORT: got {port!r}; allowed: 1 to {HIGHEST_PORT}")
        if env.get("LOGIN_SECRET_ARN") and env.get("IAM_USERNAME"):
            problems.append("LOGIN_SECRET_ARN and IAM_USERNAME: allowed: one of them")
        zone = Hostname("")
        try:
            zone = hostname(env.get("ZONE_NAME") or "missing")
        except ValueError as error:
            problems.append(f"ZONE_NAME: {error}")
        if problems:
            raise BadSettings(_describe_problems(problems))
        return ProberSettings(
            zone_name=zone,
            port=int(port),
            client=env["CLIENT"],
            replication_group_id=env["REPLICATION_GROUP_ID"],
            login_secret_arn=env.get("LOGIN_SECRET_ARN", ""),
            iam_username=env.get("IAM_USERNAME", ""),
        )


@dataclass(frozen=True, slots=True)
class CoordinatorSettings:
    """Settings of the coordinator, which also has those of the resync.

    `group`: the id of the replication group. `walkers`: the names of the probers. `proxy_logs`: the proxies' log group.
    `node_metrics`: whether to publish metrics of each node.
    """

    group: str
    walkers: tuple[str, ...]
    proxy_logs: str
    node_metrics: bool = True

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "CoordinatorSettings":
        """Parses the environment variables; raises BadSettings that names every wrong one."""
        env = os.environ if environment is None else environment
        problems = [
            f"{name} is missing" for name in ("GROUP", "WALKERS", "PROXY_LOGS") if not env.get(name)
        ]
        if problems:
            raise BadSettings(_describe_problems(problems))
        return CoordinatorSettings(
            group=env["GROUP"],
            walkers=tuple(env["WALKERS"].split(",")),
            proxy_logs=env["PROXY_LOGS"],
            node_metrics=env.get("NODE_METRICS", "true") == "true",
        )


def _describe_problems(problems: list[str]) -> str:
    return f"the function's environment is wrong: {'; '.join(problems)}; deploy the stack again"
