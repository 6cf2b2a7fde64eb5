"""How the function that knows AWS makes the map, and how it has it walked."""

import io
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from nodeway_runtime.functions.coordinator import (
    ProbeFailed,
    collect_targets,
    probe_all,
    remote_probe,
)
from nodeway_runtime.model.topology import hostname
from nodeway_runtime.paths.report import Report, to_document
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.probe.settings import CoordinatorSettings
from tests.support.fakes import ENDPOINT, ONE, TWO, fleet, named, proxy, settings, topology, world
from tests.support.probing import targets
from tests.support.reports import report

WATCH = CoordinatorSettings("demo", ("walk-one",), "proxies")


def test_map_of_shared_proxies_has_the_nodes_too() -> None:
    """Their resync knows no node at all: here somebody asks for them, and says so where nobody answers."""
    one_name = world(topology(), fleet(proxy(ONE, "10.20.9.1")))
    nodes = world(topology(ONE, TWO), fleet()).elasticache
    told = settings(fleet_name=hostname("any"))

    found = collect_targets(one_name.ports, nodes, told, WATCH)
    nodes.error = "throttled"
    unread = collect_targets(one_name.ports, nodes, told, WATCH)

    assert (found.names, found.one_name) == ((named(ONE), named(TWO), ENDPOINT), True)
    assert unread.names == ()
    assert unread.notes == ("ElastiCache did not answer for demo: throttled",)


def test_tasks_that_cannot_be_read_are_a_note_of_the_map() -> None:
    there = world(topology(ONE), fleet())
    there.ecs.error = "throttled"

    found = collect_targets(there.ports, there.elasticache, settings(), WATCH)

    assert found.names == (named(ONE), ENDPOINT)
    assert found.notes == ("ECS did not answer for cluster nodeway: throttled",)


@dataclass(slots=True)
class Function:
    """A function in a client's VPC, as boto3 tells what became of it."""

    payload: object
    failed: bool = False
    asked: dict[str, Any] = field(default_factory=dict)

    def invoke(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 (its parameters)
        """One invocation."""
        self.asked = asked
        error = {"FunctionError": "Unhandled"} if self.failed else {}
        return {
            "StatusCode": 200,
            "Payload": io.BytesIO(json.dumps(self.payload).encode()),
            **error,
        }


@pytest.mark.parametrize("keep", [True, False])
def test_function_gets_the_map_and_gives_the_report(*, keep: bool) -> None:
    function = Function(to_document(report()))

    found = remote_probe(function, "walk-one", keep=keep)(targets())

    assert found == replace(report(), rows=report().worst_first)
    assert function.asked["FunctionName"] == "walk-one"
    assert json.loads(function.asked["Payload"]) == {
        "map": json.loads(json.dumps(targets().document())),
        "keep": keep,
    }


NO_REPORT = "walk-one did not answer with a report: "
BAD_MAP = {"errorType": "BadMap", "errorMessage": "2001 names"}
TIMED_OUT = {"errorMessage": "Task timed out after 60.00 seconds"}


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (Function(BAD_MAP, failed=True), "walk-one failed: BadMap: 2001 names"),
        (Function(TIMED_OUT, failed=True), "walk-one failed: None: Task timed out after 60.00 sec"),
        (Function({}), NO_REPORT),
        (Function(None), NO_REPORT),
        (Function({**to_document(report()), "version": 9}), NO_REPORT),
    ],
    ids=["error", "timeout", "nothing", "null", "another release"],
)
def test_function_without_a_report_is_a_failed_run(function: Function, why: str) -> None:
    with pytest.raises(ProbeFailed) as caught:
        remote_probe(function, "walk-one", keep=True)(targets())

    assert str(caught.value).startswith(why)


def test_one_vpc_without_a_report_fails_the_run() -> None:
    """An alarm fires; a map that leaves one client's VPC out would read as if all were well."""

    def fails(_: Targets) -> Report:
        raise ProbeFailed("walk-two failed")

    with pytest.raises(ProbeFailed, match="walk-two"):
        probe_all([lambda _: report(), fails], targets())


def test_reports_are_in_the_order_of_the_vpcs() -> None:
    walks = [lambda _, n=n: replace(report(), client=f"vpc-{n}") for n in range(3)]

    assert [one.client for one in probe_all(walks, targets())] == ["vpc-0", "vpc-1", "vpc-2"]
