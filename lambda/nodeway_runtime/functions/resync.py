"""The resync function: settings, ports, one run. Except for `approve`, an event only triggers a run."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nodeway_runtime.aws.clients import aws_ports
from nodeway_runtime.functions.custom_resource import converge, is_deployment, remove, respond
from nodeway_runtime.functions.resync_journal import LogJournal, SinceSuccess
from nodeway_runtime.model.errors import ResyncError
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Mode, Settings
from nodeway_runtime.planner.reconcile import DRY_RUN, Outcome, applying_executor, reconcile

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SECONDS_TO_ANSWER = 15
"""Reserved for the response to CloudFormation before the function times out."""
PAUSE_SECONDS = 2
"""Between two runs of one invocation: less than the TTL, and far below Route 53's 5 requests a second."""

ONE_SECOND = timedelta(seconds=1)
SETTLE_SECONDS = 40
"""Limit of the wait for a starting HAProxy's first health check; less than the schedule's minute."""

SINCE_SUCCESS = SinceSuccess()


class LastRun:
    """The start of this process' last complete run that succeeded."""

    started: datetime | None = None


LAST_RUN = LastRun()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """One invocation, by a deployment's custom resource or a trigger. Errors are raised, so that alarms fire."""
    settings = with_approval(Settings.from_environment(), event)
    ports = aws_ports(settings)
    request_id = context.aws_request_id
    journal = LogJournal(
        cluster=settings.replication_group_id, request_id=request_id, trigger=name_trigger(event)
    )

    if is_superseded(event, LAST_RUN.started):
        journal.skipped("a run that began after this event has seen what it tells")
        return {"outcome": "coalesced"}

    pause(remaining_of_second(event, datetime.now(UTC)))

    def run() -> Outcome:
        now = datetime.now(UTC)
        applying = applying_executor(ports, settings, f"nodeway resync {request_id}", now)
        executor = applying if settings.mode is Mode.ON else DRY_RUN
        outcome = reconcile(ports, settings, journal, executor, now)
        SINCE_SUCCESS.reset()
        if not outcome.snapshot.problems:
            LAST_RUN.started = now
        return outcome

    if is_deployment(event):
        return answer_deployment(event, context, settings, ports, run)
    if settings.mode is Mode.OFF:
        journal.skipped("resync=off")
        return {"outcome": "skipped"}
    try:
        deadline = time.monotonic() + SETTLE_SECONDS
        outcome = run_until_settled(
            run, seconds_left=lambda: deadline - time.monotonic(), pause=pause
        )
    except ResyncError as error:
        journal.failed(error, seconds_since_success=SINCE_SUCCESS.seconds)
        raise
    return {
        "outcome": "changed" if outcome.applied else "unchanged",
        "checksum": outcome.plan.checksum,
    }


def parse_event_time(event: Mapping[str, Any]) -> datetime | None:
    """The time of an event, in whole seconds; None for the schedule, a manual invocation, or a malformed time.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    if event.get("detail-type") in {None, "Scheduled Event"}:
        return None
    try:
        at = datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def is_superseded(event: Mapping[str, Any], last_run: datetime | None) -> bool:
    """Whether the last run started after the event. Never true for the schedule, which makes up for wrong times."""
    at = parse_event_time(event)
    return at is not None and last_run is not None and last_run - at >= ONE_SECOND


def remaining_of_second(event: Mapping[str, Any], now: datetime) -> float:
    """Seconds until the end of the event's second, at most 1, so that the run supersedes all events in it."""
    at = parse_event_time(event)
    left = (at - now + ONE_SECOND).total_seconds() if at is not None else 0
    return left if 0 < left <= 1 else 0


def run_until_settled(
    run: Callable[[], Outcome], *, seconds_left: Callable[[], float], pause: Callable[[], None]
) -> Outcome:
    """Runs again while a HAProxy waits for its first health check and time is left; the last outcome."""
    outcome = run()
    while not outcome.is_settled and seconds_left() > 0:
        pause()
        outcome = run()
    return outcome


def pause(seconds: float = PAUSE_SECONDS) -> None:
    """Sleeps between two runs."""
    time.sleep(seconds)  # noqa: TID251 (the callers have deadlines)


def answer_deployment(
    event: Mapping[str, Any],
    context: "LambdaContext",
    settings: Settings,
    ports: Ports,
    run: Callable[[], Outcome],
) -> dict[str, Any]:
    """Answers a request of CloudFormation: converge, or remove everything. A response is always sent."""
    failure: str | None = None
    try:
        if event["RequestType"] == "Delete":
            remove(ports, settings)
        elif settings.mode is Mode.ON:
            converge(
                run,
                seconds_left=lambda: (
                    context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
                ),
                pause=pause,
            )
    except Exception as error:  # noqa: BLE001 (without a response CloudFormation waits for an hour)
        failure = f"{type(error).__name__}: {error}"
    respond(event, physical_id=f"{settings.hosted_zone_id}-records", failure=failure)
    return {"outcome": "failed" if failure else "deployed"}


def with_approval(settings: Settings, event: Mapping[str, Any]) -> Settings:
    """The settings with the checksum in the event's `approve`, if there is one."""
    checksum = event.get("approve")
    return replace(settings, approve=checksum) if isinstance(checksum, str) else settings


def name_trigger(event: Mapping[str, Any]) -> str:
    """The trigger for the log: `deployment`, `sns`, the event's source, or `manual`."""
    if is_deployment(event):
        return "deployment"
    if "Records" in event:
        return "sns"
    return str(event.get("source", "manual"))[:64]
