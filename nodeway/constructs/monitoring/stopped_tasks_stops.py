"""Which ends of a task nobody meant, as a part of an event's pattern. Pure."""

from typing import Any

MEANT = ["ServiceSchedulerInitiated", "UserInitiated"]
"""Deployments, scaling and stand-ins that are retired: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html"""
BY_THEMSELVES: list[dict[str, Any]] = [
    {"stopCode": [{"anything-but": MEANT}]},
    # the scheduler stops these, but nobody meant it
    {"stoppedReason": [{"wildcard": "*health check*"}]},
]
