"""Container health checks, as ECS and Docker run them.

Rules: the first check comes one interval after the start; failures within the start period do not count, a success
within it counts; `retries` failures in a row make a container unhealthy
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html). After a restart in the task the
health begins anew, as in Docker; what Fargate shows meanwhile is not documented.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.containers.container import Container


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A container's health check; times in seconds."""

    argv: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "HealthCheck":
        """From a container definition's healthCheck, with ECS's defaults."""
        form, *rest = definition["command"]
        match form:
            case "CMD":
                argv = tuple(rest)
            case "CMD-SHELL":
                argv = ("/bin/sh", "-c", " ".join(rest))
            case _:
                raise ValueError(
                    f"healthCheck command starts with {form!r}; allowed: CMD, CMD-SHELL"
                )
        return cls(
            argv=argv,
            interval=float(definition.get("interval") or 30),
            timeout=float(definition.get("timeout") or 5),
            retries=int(definition.get("retries") or 3),
            start_period=float(definition.get("startPeriod") or 0),
        )


def watch(container: Container, check: HealthCheck, report: Callable[[str], None]) -> None:
    """Check until the container ends, and report each change of its health."""
    began, status, failures = container.began, "UNKNOWN", 0
    pause = check.interval
    while not container.exited.wait(pause):
        now, pause = status, check.interval
        if container.began != began:
            began, failures, now = container.began, 0, "UNKNOWN"
            pause = max(0.0, began + check.interval - time.monotonic())
        elif container.run_inside(check.argv, check.timeout):
            failures, now = 0, "HEALTHY"
        elif time.monotonic() - began >= check.start_period or status != "UNKNOWN":
            failures += 1
            now = "UNHEALTHY" if failures >= check.retries else status
        if now != status and not container.exited.is_set():
            status = now
            report(status)
