"""A fleet behind one name: every healthy proxy answers to it, whatever nodes there are, and nobody asks ElastiCache."""

from dataclasses import replace
from typing import Any, cast

import pytest

from nodeway_runtime.aws.clients import SingleName
from nodeway_runtime.aws.ecs import FLEET_TAG, NODE_TAG, parse_task
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.topology import Fleet, Hostname, Proxy, record_name
from nodeway_runtime.planner.reconcile import Outcome, applying_executor, reconcile
from tests.adapters.test_ecs import task
from tests.support.fakes import NOW, ZONE, MemoryJournal, addresses, proxy, settings
from tests.support.ports import FakeStandInZone, FakeZone, StubEcs

NAMES = (record_name(f"redis.{ZONE}"), record_name(f"*.{ZONE}"))


def run(name: Hostname, zone: FakeZone, *proxies: Proxy) -> Outcome:
    chosen = replace(settings(), fleet_name=name)
    ports = Ports(SingleName(name), StubEcs(Fleet(proxies)), zone, FakeStandInZone())
    return reconcile(
        ports, chosen, MemoryJournal(), applying_executor(ports, chosen, "test", NOW), NOW
    )


def of_fleet(name: Hostname, address: str) -> Proxy:
    return replace(proxy("0001-001", address), node=name)


@pytest.mark.parametrize("name", NAMES)
def test_one_name_leads_to_every_healthy_proxy_and_is_never_emptied(name: Hostname) -> None:
    """With a marker beside it; a task that was replaced leaves it, and with none healthy it stays as it was."""
    zone, label = FakeZone(Hostname(ZONE)), name.partition(".")[0]
    first, second, third = (of_fleet(name, f"10.20.{n}.5") for n in (1, 2, 3))

    filled = run(name, zone, first, second, replace(third, healthy=False))
    assert (addresses(zone)[label], bool(filled.applied)) == (("10.20.1.5", "10.20.2.5"), True)

    again = run(name, zone, first, second)
    assert (again.converged, again.plan.changes) == (True, ())

    run(name, zone, second, third)
    refused = run(name, zone, replace(second, healthy=False))
    assert addresses(zone)[label] == ("10.20.2.5", "10.20.3.5")
    assert (refused.converged, refused.nodes_without_proxy) == (False, (name,))


def test_task_of_a_fleet_is_known_by_its_tag() -> None:
    """The value of a tag cannot hold a wildcard, so the tag only says that the fleet's name is meant."""
    name = record_name(f"*.{ZONE}")
    shared, foreign, misnamed = (
        cast("Any", task(tags=[{"key": key, "value": value}]))
        for key, value in ((FLEET_TAG, "shared"), ("team", "other"), (NODE_TAG, "a b"))
    )
    problems: list[str] = []

    found = parse_task(shared, problems, name)

    assert isinstance(found, Proxy)
    assert found.node == name
    assert parse_task(foreign, problems, name) is None
    assert parse_task(shared, problems) is None
    assert parse_task(misnamed, problems, name) is None
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r"\052.Demo.Example.", "*.demo.example"),
        (r"_nodeway.\052.demo.example.", "_nodeway.*.demo.example"),
        ("redis.demo.example", "redis.demo.example"),
    ],
)
def test_record_name_is_in_normal_form(text: str, name: str) -> None:
    """As Route 53 tells it, or as a person writes it."""
    assert record_name(text) == name


@pytest.mark.parametrize("text", ["", "a b", "x*.demo", r"\053.demo", "-.demo"])
def test_record_name_refuses_what_is_none(text: str) -> None:
    """A label is a host's, or `*` alone."""
    with pytest.raises(ValueError, match="not a host name"):
        record_name(text)
