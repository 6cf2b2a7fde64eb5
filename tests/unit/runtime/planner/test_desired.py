"""Stage 2: what should be there, from what was read."""

import pytest

from nodeway_runtime.model.ownership import parse_marker, subject
from nodeway_runtime.model.topology import Proxy, RecordType, address
from nodeway_runtime.planner.desired import (
    CONFIGURATION_ENDPOINT_PROXIES,
    NEGATIVE_TTL_SECONDS,
    compute_desired,
    lower_soa,
    spread_over_zones,
)
from tests.support.fakes import (
    ENDPOINT,
    NOW,
    ONE,
    OWNER,
    THREE,
    TWO,
    creating,
    fleet,
    marked,
    named,
    only_addresses,
    proxy,
    record,
    settings,
    soa,
    topology,
)


def test_desired_gives_each_node_its_own_proxy() -> None:
    """The mapping is by the task's own node, whatever the order; a proxy that outlived its node gives no record."""
    running = fleet(proxy(TWO, "10.20.2.6"), proxy(ONE, "10.20.1.5"), proxy(THREE, "10.20.1.7"))

    wanted = compute_desired(topology(ONE, TWO), running, None, settings())

    assert only_addresses(wanted.records) == {
        record(ONE, "10.20.1.5"),
        record(TWO, "10.20.2.6"),
        record("clustercfg", "10.20.1.5", "10.20.2.6"),
    }
    assert wanted.nodes_without_proxy == ()


def test_desired_gives_a_node_all_its_healthy_proxies() -> None:
    """Several proxies of a node are one record set; no configuration endpoint where the group shows none."""
    running = fleet(
        proxy(ONE, "10.20.1.5"), proxy(ONE, "10.20.2.5"), proxy(ONE, "10.20.3.5", healthy=False)
    )

    wanted = compute_desired(topology(ONE, endpoint=False), running, None, settings(ttl=7))

    assert only_addresses(wanted.records) == {record(ONE, "10.20.1.5", "10.20.2.5", ttl=7)}
    assert wanted.why[named(ONE)] == "2 healthy proxy tasks"


def test_desired_names_a_node_without_healthy_proxy_and_states_nothing_about_it() -> None:
    """Not known is not a record, and not a reason to drop one: the guard decides."""
    wanted = compute_desired(
        topology(ONE, TWO),
        fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.1.6", healthy=False)),
        None,
        settings(),
    )

    assert wanted.nodes_without_proxy == (named(TWO),)
    assert named(TWO) not in {one.name for one in wanted.records}


def test_desired_configuration_endpoint_has_at_most_eight_addresses_over_all_zones() -> None:
    """Twelve nodes in three zones: eight addresses, one of a node, no zone with more than one over its share."""
    labels = [f"demo-{shard:04}-001" for shard in range(1, 13)]
    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
    running = fleet(
        *(proxy(label, f"10.20.{i % 3}.{i}", zone=zones[i % 3]) for i, label in enumerate(labels))
    )

    wanted = compute_desired(topology(*labels), running, None, settings())

    (values,) = [one.values for one in only_addresses(wanted.records) if one.name == ENDPOINT]
    shares = [sum(value.startswith(f"10.20.{zone}.") for value in values) for zone in range(3)]
    assert len(values) == CONFIGURATION_ENDPOINT_PROXIES
    assert sorted(shares) == [2, 3, 3]
    few = fleet(proxy(ONE, "10.20.1.5"), proxy(ONE, "10.20.2.5"), proxy(TWO, "10.20.1.6"))
    wanted = compute_desired(topology(ONE, TWO), few, None, settings())
    assert record("clustercfg", "10.20.1.5", "10.20.1.6") in wanted.records


def test_spread_takes_zones_in_turn_and_is_stable() -> None:
    """The same proxies in any order give the same list, one zone after the other."""
    proxies = [
        proxy(ONE, "10.20.1.5", zone="us-east-1a"),
        proxy(TWO, "10.20.1.6", zone="us-east-1a"),
        proxy(THREE, "10.20.2.7", zone="us-east-1b"),
    ]

    assert spread_over_zones(proxies) == ["10.20.1.5", "10.20.2.7", "10.20.1.6"]
    assert spread_over_zones(proxies[::-1]) == spread_over_zones(proxies)


def test_desired_pin_stands_instead_of_what_was_read() -> None:
    """A pinned name keeps its pin even when its node has a healthy proxy."""
    pins = {named(ONE): (address("10.99.0.1"),), named("other"): (address("10.99.0.2"),)}

    wanted = compute_desired(
        topology(ONE), fleet(proxy(ONE, "10.20.1.5")), None, settings(pins=pins)
    )

    assert record(ONE, "10.99.0.1") in wanted.records
    assert record("other", "10.99.0.2") in wanted.records
    assert wanted.why[named(ONE)] == "pinned"


def test_desired_has_a_marker_of_ours_beside_each_address_and_no_other() -> None:
    """Whose a name is stands beside it, pins and the configuration endpoint included; the TTL is the same."""
    pins = {named("other"): (address("10.99.0.2"),)}

    wanted = compute_desired(
        topology(ONE), fleet(proxy(ONE, "10.20.1.5")), soa(), settings(pins=pins, ttl=7)
    )

    texts = [one for one in wanted.records if one.type is RecordType.TXT]
    assert {subject(one.name) for one in texts} == {
        one.name for one in only_addresses(wanted.records)
    }
    assert {one.owner for text in texts if (one := parse_marker(text))} == {OWNER}
    assert {one.ttl for one in texts} == {7}
    assert set(wanted.records) == {
        *marked(record(ONE, "10.20.1.5", ttl=7)),
        *marked(record("clustercfg", "10.20.1.5", ttl=7)),
        *marked(record("other", "10.99.0.2", ttl=7)),
        lower_soa(soa()),
    }


OWN = proxy(ONE, "10.20.1.5")
SICK = proxy(ONE, "10.20.1.5", healthy=False)
FIRST, SECOND = (proxy(ONE, ip, stand_in=True) for ip in ("10.20.8.1", "10.20.8.2"))
RETIRED = proxy(ONE, "10.20.8.1", stand_in=True, retired_at=NOW)


@pytest.mark.parametrize(
    ("running", "ips", "why"),
    [
        pytest.param((FIRST,), ["10.20.8.1"], "1 healthy stand-in", id="only a stand-in"),
        pytest.param((OWN, FIRST), ["10.20.1.5"], "1 healthy proxy task", id="both"),
        pytest.param((SICK, FIRST), ["10.20.8.1"], "1 healthy stand-in", id="own is sick"),
        pytest.param((SECOND, FIRST), ["10.20.8.1"], "1 healthy stand-in", id="two stand-ins"),
        pytest.param((RETIRED, SECOND), ["10.20.8.2"], "1 healthy stand-in", id="one is retired"),
        pytest.param((RETIRED,), [], "", id="only a retired one"),
    ],
)
def test_desired_prefers_the_nodes_own_proxy_to_its_stand_in(
    running: tuple[Proxy, ...], ips: list[str], why: str
) -> None:
    """A stand-in is offered until the node's own is healthy; one at a time, and none that was retired."""
    wanted = compute_desired(topology(ONE), fleet(*running), None, settings())

    assert [
        list(one.values) for one in only_addresses(wanted.records) if one.name == named(ONE)
    ] == ([ips] if ips else [])
    assert wanted.why.get(named(ONE), "") == why


def test_desired_has_a_node_that_is_being_created_once_its_stand_in_is_healthy() -> None:
    """Its name answers before slots move to it; it is not missed while it has none."""
    seen = topology(ONE, creating(TWO))

    early = compute_desired(
        seen, fleet(OWN, proxy(TWO, "10.20.8.2", stand_in=True)), None, settings()
    )
    before = compute_desired(seen, fleet(OWN), None, settings())

    assert record(TWO, "10.20.8.2") in only_addresses(early.records)
    assert named(TWO) not in {one.name for one in before.records}
    assert before.nodes_without_proxy == ()


def test_desired_lowers_the_soa_so_that_negative_answers_are_short() -> None:
    """TTL and minimum, the two numbers that rule negative answers; whoever set them lower keeps that."""
    wanted = compute_desired(topology(ONE), fleet(), soa(), settings())

    (low,) = [one for one in wanted.records if one.type is RecordType.SOA]
    assert low.ttl == NEGATIVE_TTL_SECONDS
    assert lower_soa(low) == low
    lower_still = soa(ttl=2, text="ns. host. 1 7200 900 1209600 1")
    assert lower_soa(lower_still) == lower_still
    assert low.values == ("ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5",)
