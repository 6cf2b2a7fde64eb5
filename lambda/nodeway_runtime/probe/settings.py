"""What a deployment told the probe's two functions: read from the environment once, checked whole."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.topology import Hostname, hostname

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class ProberSettings:
    """Of the function in the client's VPC: what it may walk, and as whom it logs in.

    `login_secret_arn`: of a JSON object with `username` and `password`; `iam_username`: an ElastiCache user with IAM
    authentication, of the group `replication_group_id`. Neither: nobody logs in.
    """

    zone_name: Hostname
    port: int
    client: str
    replication_group_id: str
    login_secret_arn: str = ""
    iam_username: str = ""

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "ProberSettings":
        """The settings of this function; raises BadSettings with every problem."""
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
    """Of the function that knows AWS, beside the resync's own settings, which it has too.

    `group`: the replication group, whose name the resync's label may only begin with; `walkers`: the functions in the
    clients' VPCs; `proxy_logs`: the log group of the proxies; `node_metrics`: whether each node has metrics of its own.
    """

    group: str
    walkers: tuple[str, ...]
    proxy_logs: str
    node_metrics: bool = True

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "CoordinatorSettings":
        """The settings of this function; raises BadSettings with every problem."""
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
