"""A fleet behind one name: every healthy proxy answers to it, whatever nodes there are, and nobody asks ElastiCache."""

from dataclasses import replace
from typing import Any

import pytest

from nodeway_runtime.aws.clients import SingleName
from nodeway_runtime.aws.ecs import FLEET_TAG, NODE_TAG, parse_task
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Fleet, Hostname, Proxy, RecordType, record_name
from nodeway_runtime.planner.reconcile import Outcome, applying_executor, reconcile
from tests.adapters.test_ecs import task
from tests.support.fakes import NOW, ZONE, MemoryJournal, proxy, settings
from tests.support.ports import FakeStandInZone, FakeZone, StubEcs

NAMES = (record_name(f"redis.{ZONE}"), record_name(f"*.{ZONE}"))


def run(name: Hostname, zone: FakeZone, *proxies: Proxy) -> Outcome:
    """One run of a fleet that has this name."""
    chosen = replace(settings(), fleet_name=name)
    ports = Ports(SingleName(name), StubEcs(Fleet(proxies)), zone, FakeStandInZone())
    return reconcile(
        ports, chosen, MemoryJournal(), applying_executor(ports, chosen, "test", NOW), NOW
    )


def addresses(zone: FakeZone, name: Hostname) -> tuple[str, ...]:
    """What the zone answers for a name."""
    return next(
        (r.values for r in zone.records() if r.key == (name, RecordType.A)),
        (),
    )


def tagged(key: str, value: str) -> Any:  # noqa: ANN401 (as DescribeTasks shows it)
    """A task with this tag."""
    return task(tags=[{"key": key, "value": value}])


def of_fleet(name: Hostname, address: str, *, healthy: bool = True) -> Proxy:
    """A task of the fleet."""
    return replace(proxy("0001-001", address, healthy=healthy), node=name)


@pytest.mark.parametrize("name", NAMES)
def test_one_name_leads_to_every_healthy_proxy(name: Hostname) -> None:
    """All that are healthy, with a marker beside them; the next run has nothing to do."""
    zone = FakeZone(Hostname(ZONE))
    fleet = (of_fleet(name, "10.20.1.5"), of_fleet(name, "10.20.2.5"))

    first = run(name, zone, *fleet, of_fleet(name, "10.20.3.5", healthy=False))
    again = run(name, zone, *fleet)

    assert addresses(zone, name) == ("10.20.1.5", "10.20.2.5")
    assert first.applied
    assert again.converged
    assert not again.plan.changes


@pytest.mark.parametrize("name", NAMES)
def test_one_name_follows_its_tasks_and_is_never_emptied(name: Hostname) -> None:
    """A task that was replaced leaves the record; with none healthy it stays as it was."""
    zone = FakeZone(Hostname(ZONE))
    run(name, zone, of_fleet(name, "10.20.1.5"), of_fleet(name, "10.20.2.5"))

    run(name, zone, of_fleet(name, "10.20.2.5"), of_fleet(name, "10.20.1.9"))
    followed = addresses(zone, name)
    refused = run(name, zone, of_fleet(name, "10.20.2.5", healthy=False))

    assert followed == ("10.20.1.9", "10.20.2.5")
    assert addresses(zone, name) == followed
    assert not refused.converged
    assert refused.nodes_without_proxy == (name,)


def test_task_of_a_fleet_is_known_by_its_tag() -> None:
    """The value of a tag cannot hold a wildcard, so the tag only says that the fleet's name is meant."""
    name = record_name(f"*.{ZONE}")
    shared = tagged(FLEET_TAG, "shared")
    foreign = tagged("team", "other")
    problems: list[str] = []

    found = parse_task(shared, problems, name)

    assert isinstance(found, Proxy)
    assert found.node == name
    assert parse_task(foreign, problems, name) is None
    assert parse_task(shared, problems) is None
    misnamed = tagged(NODE_TAG, "a b")
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


def test_fleet_name_is_read_from_the_environment() -> None:
    """Absent, it means that each node has its own name."""
    told = {
        "REPLICATION_GROUP_ID": "demo",
        "HOSTED_ZONE_ID": "Z0",
        "ZONE_NAME": ZONE,
        "ECS_CLUSTER": "c",
    }

    assert Settings.from_environment(told).fleet_name is None
    assert Settings.from_environment({**told, "FLEET_NAME": f"*.{ZONE}"}).fleet_name == f"*.{ZONE}"
