"""What a client should find, from what the resync sees; and how little of an event's map is believed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from nodeway_runtime.model.topology import Address, Hostname, Record, RecordType, Topology, hostname
from nodeway_runtime.paths.targets import (
    MAX_NAMES,
    BadTargets,
    Targets,
    parse_targets,
    targets_from_snapshot,
)
from tests.support.fakes import (
    ENDPOINT,
    ONE,
    THREE,
    TWO,
    ZONE,
    fleet,
    marked,
    named,
    node,
    proxy,
    record,
    settings,
    snapshot,
    soa,
    topology,
)
from tests.support.probing import targets, with_endpoint

ANYONE = Record(Hostname(f"*.{ZONE}"), RecordType.A, ("10.20.9.1",), 5)
PIN = {named("pinned"): (Address("10.9.0.1"),)}
RUNNING = fleet(
    proxy(ONE, "10.20.1.5"),
    proxy(TWO, "10.20.1.6", healthy=False, stand_in=True),
    proxy(TWO, "10.20.1.7", zone="us-east-1b", healthy=False, starting=True),
)


def of(nodes: Topology, *records: Record, pins: Any = None, **more: Any) -> Targets:  # noqa: ANN401 (any of their fields)
    fields = {key: more.pop(key) for key in ("zone_vpcs", "other_problems") if key in more}
    seen = snapshot(nodes, more.pop("running", RUNNING), *records, **fields)
    return targets_from_snapshot(seen, nodes, settings(pins=pins, **more), "demo")


def test_names_are_the_live_nodes_the_pins_and_last_the_endpoint() -> None:
    """A node that is being created has no name yet, and one that is asked for too early plants a negative answer."""
    nodes = topology(TWO, ONE, node(THREE, status="creating", endpoint=False))

    found = of(nodes, pins={**PIN, ENDPOINT: (Address("10.9.0.2"),)})

    assert found.names == (named(ONE), named(TWO), named("pinned"), ENDPOINT)
    assert found.endpoint == ENDPOINT
    bare = of(topology(ONE, endpoint=False))
    assert (bare.names, bare.endpoint) == ((named(ONE),), None)


def test_where_the_nodes_cannot_be_read_the_zone_s_own_names_are_walked() -> None:
    """Unknown is never empty: a run that walks nothing would find nothing broken."""
    records = (*marked(record(ONE, "10.20.1.5")), record("clustercfg", "10.20.1.5"), ANYONE)
    unread = topology(endpoint=False, problems=("ElastiCache did not answer",))

    found = of(unread, *records)

    assert (found.names, found.endpoint) == ((named(ONE), ENDPOINT), ENDPOINT)
    assert of(topology(TWO), *records).names == (named(TWO), ENDPOINT)
    assert of(unread).names == ()


def test_records_are_the_addresses_of_the_zone_and_nothing_else_that_is_in_it() -> None:
    records = (*marked(record(ONE, "10.20.1.5", "10.20.1.6")), soa())

    found = of(topology(ONE, TWO), *records)

    assert found.records == {named(ONE): ("10.20.1.5", "10.20.1.6")}
    assert found.record(named(ONE)) == ("10.20.1.5", "10.20.1.6")
    assert found.record(named(TWO)) == ()


def test_record_for_any_name_is_every_name_s_that_has_none_of_its_own() -> None:
    """As in DNS; where nobody could ask the zone, no name has one, and none lacks one."""
    found = of(topology(ONE, TWO), ANYONE, record(ONE, "10.20.1.5"))

    assert (found.record(named(ONE)), found.record(named(TWO))) == (("10.20.1.5",), ("10.20.9.1",))
    assert replace(found, records=None).record(named(ONE)) is None


def test_tasks_have_the_health_that_ecs_told() -> None:
    found = of(topology(ONE, TWO))

    assert [(one.address, one.health, one.stand_in) for one in found.proxies] == [
        ("10.20.1.5", "healthy", False),
        ("10.20.1.6", "unhealthy", True),
        ("10.20.1.7", "starting", False),
    ]
    assert found.proxy_at("10.20.1.7") == found.proxies[2]
    assert found.proxy_at("10.20.1.8") is None
    assert found.proxies[2].availability_zone == "us-east-1b"


@pytest.mark.parametrize(
    ("own", "associated", "sees"),
    [("vpc-1", {"vpc-1", "vpc-2"}, True), ("vpc-1", {"vpc-2"}, False), ("", {""}, False)],
)
def test_proxies_see_the_zone_when_their_vpc_is_one_of_its_own_and_share_a_name_when_told(
    own: str, associated: set[str], *, sees: bool
) -> None:
    found = of(topology(ONE), zone_vpcs=frozenset(associated), proxy_vpc_id=own)
    shared = of(topology(ONE), fleet_name=hostname("any"))

    assert found.proxies_see_zone is sees
    assert (found.one_name, shared.one_name) == (False, True)


def test_what_could_not_be_read_is_noted_once() -> None:
    nodes = topology(problems=("ElastiCache did not answer",))
    running = fleet(problems=("ECS did not answer", "ElastiCache did not answer"))

    found = of(nodes, running=running, other_problems=("no VPCs",))

    assert found.notes == ("ElastiCache did not answer", "ECS did not answer", "no VPCs")


FULL = replace(with_endpoint(), notes=("half was read",), proxies_see_zone=True, one_name=True)


@pytest.mark.parametrize("one", [FULL, targets(), targets(records=None), targets(names=())])
def test_map_is_the_same_after_it_was_sent(one: Targets) -> None:
    told = json.loads(json.dumps(one.document()))

    assert parse_targets(told, zone=ZONE, port=6379) == one


def told(**keys: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """A map as an event has it."""
    return {**json.loads(json.dumps(FULL.document())), **keys}


def test_zone_and_port_of_an_event_are_never_believed() -> None:
    """Whoever may invoke the function dials nothing else with it; its names are in their normal form."""
    event = told(zone="elsewhere.example", port=22, names=[f"{named(ONE).upper()}."])

    found = parse_targets(event, zone=ZONE, port=6379)

    assert (found.zone, found.port, found.names) == (ZONE, 6379, (named(ONE),))


FOREIGN = [
    *("elsewhere.example", "localhost", "169.254.169.254", f"x{ZONE}", str(ZONE)),
    f"{named(ONE)}.elsewhere.example",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_names_of_another_zone_are_never_looked_up(name: str) -> None:
    """Not the instance metadata, not a host of the client's own network."""
    with pytest.raises(BadTargets, match=f"names of {ZONE} are walked: {name} is not in it"):
        parse_targets(told(names=[named(ONE), name]), zone=ZONE, port=6379)


def test_no_more_names_are_walked_than_a_cluster_has() -> None:
    names = [f"demo-{n:04}-001.{ZONE}" for n in range(MAX_NAMES + 1)]

    assert len(parse_targets(told(names=names[1:]), zone=ZONE, port=6379).names) == MAX_NAMES
    with pytest.raises(BadTargets, match=f"only up to {MAX_NAMES} names"):
        parse_targets(told(names=names), zone=ZONE, port=6379)


PROXY = FULL.document()["proxies"][0]


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        [],
        "map",
        7,
        told(names=None),
        told(names=[7]),
        told(names=["a b"]),
        told(names=[f"*.{ZONE}"]),
        told(names=f"{named(ONE)}"),
        told(endpoint="a b"),
        told(records=[]),
        told(records={named(ONE): "10.20.1.1"}),
        told(records={named(ONE): ["localhost"]}),
        told(records={named(ONE): [7]}),
        told(proxies=[{}]),
        told(proxies=["10.20.1.1"]),
        told(proxies=[{**PROXY, "address": ["10.20.1.1"]}]),
        told(proxies=[{**PROXY, "address": "localhost"}]),
        told(notes=7),
        {key: value for key, value in told().items() if key != "one_name"},
    ],
)
def test_what_is_no_map_is_refused_as_such(garbage: Any) -> None:  # noqa: ANN401 (any JSON)
    with pytest.raises(BadTargets, match=r"not a map|is not in it"):
        parse_targets(garbage, zone=ZONE, port=6379)
