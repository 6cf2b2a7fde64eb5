"""Asynchronous invocations of Lambda as on AWS: permission first, then a queue for each function.

Rules: a throttled event waits in the queue, for up to MaximumEventAgeInSeconds; a failed one is retried
MaximumRetryAttempts times; a discarded one goes to the dead-letter queue
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html). AWS waits one minute, then two,
between tries; the lab waits seconds, so that scenarios are short.
"""

import json
import logging
import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc, sns

from lab import layout

RETRY_SECONDS = (1.0, 2.0)
THROTTLED_SECONDS = 0.25
DEFAULT_RETRIES = 2
DEFAULT_AGE_SECONDS = 21_600
UNRESERVED_POLLERS = 4

Event = dict[str, Any]
logger = logging.getLogger("lambda-async")


@dataclass(slots=True)
class Waiting:
    """An event in a function's queue."""

    event: Event
    since: float
    failures: int = 0


_queues: dict[str, "queue.Queue[Waiting]"] = {}
_guard = threading.Lock()


def install() -> None:
    """Patch the paths by which events reach functions."""
    invoke = eventbridge._invoke_target

    def invoke_target(target: Event, event: Event, rule: Event, view: object = None) -> None:
        arn = target["Arn"]
        if ":lambda:" not in arn or _permitted(arn, "events.amazonaws.com", rule["Arn"]):
            invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_lambda = lambda arn, payload: put(arn, json.loads(payload))
    lambda_svc.invoke_async_with_retry = lambda func, event: put(
        func["config"]["FunctionArn"], event
    )
    sns._deliver_to_lambda = _from_topic


def put(function_arn: str, event: Event) -> None:
    """Queue an event for a function, and start the function's pollers with the first."""
    name = function_arn.split(":")[6]
    with _guard:
        if name not in _queues:
            _queues[name] = queue.Queue()
            for _ in range(_reserved(name) or UNRESERVED_POLLERS):
                spawn_background(_poll, name, thread_name=f"lambda-async-{name[:16]}")
    _queues[name].put(Waiting(event, time.monotonic()))


def _reserved(name: str) -> int:
    return int((lambda_svc._functions.get(name) or {}).get("concurrency") or 0)


def _poll(name: str) -> None:
    with request_scope(layout.ACCOUNT, layout.REGION):
        while True:
            waiting = _queues[name].get()
            if (function := lambda_svc._functions.get(name)) is not None:
                _try(name, function, waiting)


def _try(name: str, function: Event, waiting: Waiting) -> None:
    settings = (
        (function.get("event_invoke_configs") or {}).get("$LATEST")
        or function.get("event_invoke_config")
        or {}
    )
    result = lambda_svc._execute_function(function, waiting.event)
    if not result.get("error"):
        return
    if result.get("throttle"):
        delay = THROTTLED_SECONDS
    else:
        delay = RETRY_SECONDS[min(waiting.failures, len(RETRY_SECONDS) - 1)]
        waiting.failures += 1
        logger.warning("%s failed (attempt %d): %s", name, waiting.failures, result["body"])
    age = time.monotonic() - waiting.since
    retries = settings.get("MaximumRetryAttempts", DEFAULT_RETRIES)
    if waiting.failures > retries or age + delay > settings.get(
        "MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS
    ):
        destination = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
            "Destination"
        )
        dead_letters = (function["config"].get("DeadLetterConfig") or {}).get("TargetArn")
        for target in filter(None, (destination, dead_letters)):
            lambda_svc._route_async_failure(target, name, waiting.event, result)
        return
    timer = threading.Timer(delay, _queues[name].put, (waiting,))
    timer.daemon = True
    timer.start()


def _from_topic(
    endpoint: str, envelope: str, topic_arn: str, subscription_arn: str, *_rest: object
) -> None:
    if _permitted(endpoint, "sns.amazonaws.com", topic_arn):
        message = {
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription_arn,
            "EventSource": "aws:sns",
            "Sns": json.loads(envelope),
        }
        put(endpoint, {"Records": [message]})


def _permitted(function_arn: str, service: str, source_arn: str) -> bool:
    """Whether the function's own policy lets this service invoke it for this source (AWS::Lambda::Permission)."""
    found = lambda_svc.function_policy_for_arn(function_arn)
    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=layout.ACCOUNT,
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=layout.REGION,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": layout.ACCOUNT},
    )
    allowed = (
        found is not None
        and evaluate_resource_policy(found[0], context, service=service).decision == "Allow"
    )
    if not allowed:
        logger.error(
            "%s may not invoke %s for %s: the event is lost, as on AWS",
            service,
            function_arn,
            source_arn,
        )
    return allowed
