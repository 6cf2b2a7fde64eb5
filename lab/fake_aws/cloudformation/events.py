"""The events of a stack, as AWS emits them, and when AWS emits them.

ministack emits events for every resource at each update, for a service before it is steady, and none for what an
update removes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from lab.fake_aws.cloudformation import stabilization as overlay_steady

_untouched: set[tuple[str, str]] = set()


def install() -> None:
    """Patch ministack.services.cloudformation.stacks."""
    stacks._add_event = _skip_unchanged(stacks._add_event)
    stacks._delete_resource = _record_removals(stacks._delete_resource)
    stacks._failed_operation = _record_all_failures(stacks._failed_operation)
    stacks._update_resource = _steady_after_rollback(stacks._update_resource)


def skip_event(stack: str, logical_id: str) -> None:
    """Note that an update leaves this resource as it is: it has no event."""
    stack_id = cloudformation._stacks[stack]["StackId"]
    events = cloudformation._stack_events[stack_id]
    if events and events[-1]["LogicalResourceId"] == logical_id:
        events.pop()
    _untouched.add((stack_id, logical_id))


def _skip_unchanged(add_event: Callable[..., None]) -> Callable[..., None]:
    def tell(
        stack_id: str, stack: str, logical_id: str, kind: str, status: str, *rest: Any, **more: Any
    ) -> None:
        verb, _, state = status.partition("_")
        operation = overlay_steady.current()
        if state == "COMPLETE" and (stack_id, logical_id) in _untouched:
            _untouched.discard((stack_id, logical_id))
            return
        service = kind == overlay_steady.SERVICE and verb in ("CREATE", "UPDATE")
        if service and operation is not None and not operation.rolls_back:
            if state == "IN_PROGRESS":
                operation.tell[logical_id] = overlay_steady.event_recorder(
                    add_event, stack_id, stack, logical_id, verb
                )
            elif logical_id in operation.watched or operation.failures:
                return  # told already, or to be told when the service is steady
        add_event(stack_id, stack, logical_id, kind, status, *rest, **more)

    return tell


def _record_removals(delete: Callable[..., None]) -> Callable[..., None]:
    """Record events for what an update removes or replaces, as for a deletion of the stack."""

    def removed(kind: str, physical_id: str, props: object, stack: str, logical_id: str) -> None:
        stack_id = cloudformation._stacks[stack]["StackId"]
        own = [
            event["ResourceStatus"]
            for event in cloudformation._stack_events.get(stack_id, [])
            if event["LogicalResourceId"] == logical_id
        ]
        if own[-1:] == ["DELETE_IN_PROGRESS"]:
            delete(kind, physical_id, props, stack, logical_id)
            return
        told = partial(
            stacks._add_event, stack_id, stack, logical_id, kind, physical_id=physical_id
        )
        told("DELETE_IN_PROGRESS")
        delete(kind, physical_id, props, stack, logical_id)
        told("DELETE_COMPLETE")

    return removed


def _record_all_failures(failed_operation: Callable[..., Any]) -> Callable[..., Any]:
    """Name every service that failed in a failed operation, which rolls back from here on."""

    def failed(*arguments: Any) -> Any:
        operation = overlay_steady.current()
        if operation is not None:
            operation.rolls_back = True
            if operation.failures:
                arguments = (*arguments[:4], ", ".join(operation.failures), *arguments[5:])
        return failed_operation(*arguments)

    return failed


def _steady_after_rollback(update: Callable[..., Any]) -> Callable[..., Any]:
    def updated(kind: str, *arguments: Any) -> Any:
        made = update(kind, *arguments)
        overlay_steady.wait_for_rollback(kind)
        return made

    return updated
