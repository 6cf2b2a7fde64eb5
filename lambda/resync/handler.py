"""The Lambda entry: settings, ports, one run. An event only says that it is time to look; nothing in it is believed."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from resync.deployment import converge, is_deployment, remove_records, respond
from resync.ecs import Ecs
from resync.elasticache import ElastiCache
from resync.errors import ResyncError
from resync.journal import LogJournal, SinceSuccess
from resync.route53 import Route53Zone
from resync.settings import Mode, Settings
from resync.source import Ports
from resync.sync import Outcome, apply_to, show_only, sync

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RETRIES = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10
)
SECONDS_TO_ANSWER = 15
"""Kept back from a deployment's run so that CloudFormation gets its answer before the function times out."""
PAUSE_SECONDS = 2
"""Between two looks of a deployment's run: half of the DNS TTL, and far below Route 53's 5 requests a second."""

SETTLE_SECONDS = 40
"""How long a run waits for a starting HAProxy's first health check; less than the schedule's minute."""

SINCE_SUCCESS = SinceSuccess()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """One invocation: a deployment's custom resource, or any of the triggers. Raises what went wrong,
    so that alarms fire.
    """
    settings = Settings.from_environment()
    ports = aws_ports(settings)
    journal = LogJournal(
        cluster=settings.replication_group_id,
        request_id=context.aws_request_id,
        trigger=trigger_of(event),
    )
    execute = (
        apply_to(ports, f"nodeway resync {context.aws_request_id}")
        if settings.mode is Mode.ON
        else show_only
    )

    def run() -> Outcome:
        outcome = sync(ports, settings, journal, execute)
        SINCE_SUCCESS.reset()
        return outcome

    if is_deployment(event):
        return deployment(event, context, settings, ports, run)
    if settings.mode is Mode.OFF:
        journal.skipped("resync=off")
        return {"outcome": "skipped"}
    try:
        deadline = time.monotonic() + SETTLE_SECONDS
        outcome = settled(run, seconds_left=lambda: deadline - time.monotonic(), pause=pause)
    except ResyncError as error:
        journal.failed(error, seconds_since_success=SINCE_SUCCESS.seconds)
        raise
    return {
        "outcome": "changed" if outcome.applied else "unchanged",
        "checksum": outcome.plan.checksum,
    }


def settled(
    run: Callable[[], Outcome], *, seconds_left: Callable[[], float], pause: Callable[[], None]
) -> Outcome:
    """Runs, and runs again while a HAProxy is about to become healthy and there is time left."""
    outcome = run()
    while not outcome.settled and seconds_left() > 0:
        pause()
        outcome = run()
    return outcome


def pause() -> None:
    """Lets a little time go by."""
    time.sleep(PAUSE_SECONDS)  # noqa: TID251 (between two looks, with a deadline)


def deployment(
    event: Mapping[str, Any],
    context: "LambdaContext",
    settings: Settings,
    ports: Ports,
    run: Callable[[], Outcome],
) -> dict[str, Any]:
    """CloudFormation's request: make the records true, or take them away; the answer always goes out."""
    failure: str | None = None
    try:
        if event["RequestType"] == "Delete":
            remove_records(ports.zone)
        elif settings.mode is Mode.ON:
            converge(
                run,
                seconds_left=lambda: (
                    context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
                ),
                pause=pause,
            )
    except Exception as error:  # noqa: BLE001 (whatever it is, CloudFormation must hear it or it waits for an hour)
        failure = f"{type(error).__name__}: {error}"
    respond(event, physical_id=f"{settings.hosted_zone_id}-records", failure=failure)
    return {"outcome": "failed" if failure else "deployed"}


def aws_ports(settings: Settings) -> Ports:
    """The three adapters over boto3 clients."""
    return Ports(
        elasticache=ElastiCache(boto3.client("elasticache", config=RETRIES)),
        ecs=Ecs(boto3.client("ecs", config=RETRIES)),
        zone=Route53Zone(boto3.client("route53", config=RETRIES), settings.hosted_zone_id),
    )


def trigger_of(event: Mapping[str, Any]) -> str:
    """What woke the function, for the log: a source's own name, or `manual`."""
    if is_deployment(event):
        return "deployment"
    if "Records" in event:
        return "sns"
    return str(event.get("source", "manual"))[:64]
