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
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import hostname
from nodeway_runtime.paths.report import Report, to_document
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.probe.settings import CoordinatorSettings
from tests.support.fakes import ENDPOINT, ONE, TWO, fleet, named, proxy, settings, topology, world
from tests.support.probing import targets
from tests.support.reports import report

WATCH = CoordinatorSettings("demo", ("walk-one",), "proxies")


def looked(ports: Ports, told: Settings, nodes: Any) -> Targets:  # noqa: ANN401 (an ElastiCache port)
    """The map that is made of these."""
    return collect_targets(ports, nodes, told, WATCH)


def test_map_of_shared_proxies_has_the_nodes_too() -> None:
    """Their resync knows no node at all: here somebody asks for them."""
    one_name = world(topology(), fleet(proxy(ONE, "10.20.9.1")))
    nodes = world(topology(ONE, TWO), fleet()).elasticache

    found = looked(one_name.ports, settings(fleet_name=hostname("any")), nodes)

    assert found.names == (named(ONE), named(TWO), ENDPOINT)
    assert found.one_name


def test_map_of_shared_proxies_whose_nodes_cannot_be_read_says_so() -> None:
    one_name = world(topology(), fleet())
    nodes = world(topology(), fleet()).elasticache
    nodes.error = "throttled"

    found = looked(one_name.ports, settings(fleet_name=hostname("any")), nodes)

    assert (found.names, found.notes) == ((), ("ElastiCache did not answer for demo: throttled",))


def test_tasks_that_cannot_be_read_are_a_note_of_the_map() -> None:
    there = world(topology(ONE), fleet())
    there.ecs.error = "throttled"

    found = looked(there.ports, settings(), there.elasticache)

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


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (
            Function({"errorType": "BadMap", "errorMessage": "2001 names"}, failed=True),
            "walk-one failed: BadMap: 2001 names",
        ),
        (
            Function({"errorMessage": "Task timed out after 60.00 seconds"}, failed=True),
            "walk-one failed: None: Task timed out after 60.00 seconds",
        ),
        (Function({}), "walk-one did not answer with a report: "),
        (Function(None), "walk-one did not answer with a report: "),
        (
            Function({**to_document(report()), "version": 9}),
            "walk-one did not answer with a report: ",
        ),
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
