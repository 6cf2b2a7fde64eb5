"""`nodeway explain` over the in-memory fakes, for a person and for a machine."""

import pytest

from nodeway_runtime.model.topology import address
from tests.support.fakes import (
    ONE,
    OWNER,
    STAND_IN,
    TWO,
    fleet,
    named,
    node,
    pending,
    proxy,
    record,
    topology,
    world,
)
from tests.support.terminal import Cloud, Terminal, cloud, gone, settled_world


@pytest.mark.parametrize("host", [ONE, str(named(ONE)), f"{named(ONE)}.".upper()])
def test_explain_tells_all_of_a_name(nodeway: Terminal, host: str) -> None:
    """Its answer, the task there, why, the node, the owner, and what comes next."""
    said = nodeway(cloud(settled_world()), "explain", host, "--env", "dev")

    assert said.code == 0
    assert said.out.splitlines() == [
        f"{named(ONE)} (demo in dev)",
        f"  answers   10.20.1.9  HAProxy 10.20.1.9 of {ONE} in us-east-1a, healthy",
        "  ttl       5 s",
        "  why       1 healthy proxy task",
        f"  node      {ONE}, available, us-east-1a",
        f"  owner     {OWNER} (this deployment)",
        "  next run  changes nothing",
    ]


def kind_of(nodeway: Terminal, there: Cloud) -> str:
    """Whose the first address of the first node is."""
    found = nodeway(there, "explain", ONE, "--env", "dev", "--json").json
    return str(found["answers"][0]["kind"])


def test_explain_tells_a_stand_in(nodeway: Terminal) -> None:
    told = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9", stand_in=True)))
    told.run()

    assert kind_of(nodeway, cloud(told)) == "stand-in"


def test_explain_tells_a_pin(nodeway: Terminal) -> None:
    told = settled_world()
    pins = {named(ONE): (address("10.20.1.9"),)}

    assert kind_of(nodeway, cloud(told, pins=pins)) == "pinned"


def test_explain_tells_another_node_s_task(nodeway: Terminal) -> None:
    """Two swapped names break every client, so this must be seen."""
    told = settled_world()
    told.ecs.answer = fleet(proxy(TWO, "10.20.1.9"), proxy(ONE, "10.20.2.4"))

    said = nodeway(cloud(told), "explain", ONE, "--env", "dev")

    assert kind_of(nodeway, cloud(told)) == "another node's"
    assert "ANOTHER NODE'S HAProxy" in said.out


def test_explain_tells_an_address_that_nobody_has(nodeway: Terminal) -> None:
    """And that the record stays all the same, by which rule."""
    told = settled_world()
    told.ecs.answer = fleet(pending(ONE), proxy(TWO, "10.20.2.4"))

    said = nodeway(cloud(told), "explain", ONE, "--env", "dev")

    assert "nobody's: no task has it" in said.out
    assert "why       last_address_of_a_live_node_stays" in said.out


def test_explain_tells_since_when_a_node_is_absent(nodeway: Terminal) -> None:
    found = nodeway(cloud(gone()), "explain", TWO, "--env", "dev", "--json").json

    assert (found["absent_reads"], found["absent_since"]) == (2, "2026-03-01T02:00:00Z")
    assert found["node"] is None
    assert {one["action"] for one in found["next_run"]["refused"]} == {"delete"}


def test_explain_tells_a_foreign_record(nodeway: Terminal) -> None:
    told = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9")), record(ONE, "10.9.9.9"))

    said = nodeway(cloud(told), "explain", ONE, "--env", "dev")

    assert "owner     nobody: no marker, so it is never changed" in said.out


def test_explain_tells_a_node_that_does_not_answer_yet(nodeway: Terminal) -> None:
    """A name that should be there and is not: what will be done about it."""
    told = world(topology(ONE, node(TWO)), fleet(proxy(ONE, "10.20.1.9")))
    told.run()

    said = nodeway(cloud(told, stand_in=STAND_IN), "explain", TWO, "--env", "dev")

    assert "answers   nothing: the name does not exist in the zone" in said.out
    assert f"next run  + stand-in for {named(TWO)}" in said.out


def test_explain_of_an_unknown_name_gives_the_nearest(nodeway: Terminal) -> None:
    said = nodeway(cloud(settled_world()), "explain", "demo-0001-01", "--env", "dev")

    assert said.code == 1
    assert said.err == "nodeway: unknown name: got 'demo-0001-01', did you mean 'demo-0001-001'?\n"


def test_explain_for_machines_has_every_key(nodeway: Terminal) -> None:
    found = nodeway(cloud(settled_world()), "explain", ONE, "--env", "dev", "--json").json

    assert set(found) == {
        *("environment", "cluster", "name", "ttl_seconds", "answers", "why", "node", "owner"),
        *("ours", "absent_since", "absent_reads", "next_run", "problems"),
    }
    assert set(found["answers"][0]["task"]) == {
        *("arn", "node", "availability_zone", "health", "stand_in")
    }
