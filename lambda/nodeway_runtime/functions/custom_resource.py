"""The resync as a CloudFormation custom resource, the last one of a deployment.

Create and Update reconcile until the records match and fail the deployment otherwise. Delete removes the records, so
that the zone can be deleted.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from nodeway_runtime.model.changes import Delete
from nodeway_runtime.model.errors import ApplyFailed, Conflict, NotConverged, ReadFailed
from nodeway_runtime.model.ownership import markers_by_name, subject
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Stop
from nodeway_runtime.model.topology import RecordType
from nodeway_runtime.planner.apply import apply
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import Outcome

REASON_LIMIT = 1000
"""Bytes of the reason. The whole response may have 4,096."""


def is_deployment(event: Mapping[str, Any]) -> bool:
    """Whether the event is a request of CloudFormation."""
    return "RequestType" in event and "ResponseURL" in event


def converge(
    run: Callable[[], Outcome], seconds_left: Callable[[], float], pause: Callable[[], None]
) -> Outcome:
    """Runs until a run has converged. Raises NotConverged, with what it waited for, when no time is left."""
    waiting_for = "the first run"
    while seconds_left() > 0:
        try:
            outcome = run()
        except (ReadFailed, Conflict, ApplyFailed) as error:
            waiting_for = str(error)
        else:
            if outcome.converged:
                return outcome
            waiting_for = outcome.waiting_for
        pause()
    msg = f"the records did not become true in time; still waiting for: {waiting_for}"
    raise NotConverged(msg)


def remove(ports: Ports, settings: Settings) -> None:
    """Removes what runs have created: stand-ins, their zone's records, our records and markers.

    Other records stay and prevent the deletion of the zone. Raises ReadFailed, Conflict or ApplyFailed.
    """
    for task in ports.ecs.fleet(settings.ecs_cluster).tasks:
        if task.stand_in:
            why = "the deployment is being deleted"
            ports.ecs.stop(Stop(task.task_arn, task.node, why), settings.ecs_cluster)
    ports.stand_in_zone.clear()
    records = ports.zone.records()
    mine = {
        name for name, marker in markers_by_name(records).items() if marker.owner == settings.owner
    }
    deletes = (
        Delete(record, "the deployment is being deleted")
        for record in records
        if record.type in {RecordType.A, RecordType.TXT} and subject(record.name) in mine
    )
    ordered = sorted(deletes, key=lambda delete: (delete.subject, delete.old.type))
    apply(Plan(tuple(ordered)), ports.zone, "nodeway: deployment deleted")


def respond(event: Mapping[str, Any], *, physical_id: str, failure: str | None) -> None:
    """Sends CloudFormation the response. `failure`: the reason, None for success."""
    body = {
        "Status": "FAILED" if failure else "SUCCESS",
        "Reason": (failure or "the records are true")
        .encode()[:REASON_LIMIT]
        .decode(errors="ignore"),
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310 (CloudFormation's own pre-signed address)
        event["ResponseURL"],
        data=json.dumps(body, ensure_ascii=False).encode(),
        method="PUT",
        headers={"Content-Type": ""},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (as above)
        answer.read()
