"""The shared HAProxy is no open proxy: a real connection for each way in. And what it does when others fail.

Two of them live in a network that the nodes may be in, too, and from which clients may come: the worst case.
"""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from lab import layout
from lab.host import network
from lab.wait import wait_until
from tests.support.lab import shared_network
from tests.support.lab.room import Room
from tests.support.lab.shared_dialling import Reply, dial, hello, set_answers
from tests.support.lab.shared_network import (
    DEAD,
    ELSEWHERE,
    FIRST,
    GUARDS,
    ONE,
    OTHER_PORT,
    SECOND,
    STOPPED,
    TWO,
    connections,
    haproxy,
)

pytestmark = pytest.mark.lab

ZONE = layout.ZONE
AT_ONCE = 2.5
"""Half of the seconds for which HAProxy waits for a hello or a node."""


def of(label: str) -> str:
    """A name of the cluster's zone."""
    return f"{label}.{ZONE}"


ANSWERS = {
    # nodes, by each shape of their names
    of("demo-0001-001"): [ONE],
    of("demo-1-001"): [TWO],
    of("demo-001"): [TWO],
    of("shop"): [ONE],
    of("clustercfg"): [ONE, TWO],
    of("demo-0001-009"): ["2001:db8::1", TWO],
    # names that a node may have, and that lead where none is
    of("demo-0002-001"): [ELSEWHERE],
    of("demo-0003-001"): [FIRST],
    of("demo-0003-002"): [SECOND],
    of("demo-0003-003"): [SECOND, FIRST],
    of("demo-0004-001"): ["127.0.0.1"],
    of("demo-0004-002"): [layout.RESOLVER],
    of("demo-0004-003"): ["2001:db8::1"],
    # the cache's network in IPv6 as 6to4 has it
    of("demo-0004-004"): ["2002:a1e:010b::1"],
    of("demo-0005-001"): [DEAD],
    of("demo-0005-002"): ["10.30.1.99"],
    # names that no node has, which would lead to one
    "example.com": [ONE],
    ZONE: [ONE],
    of("evil"): [ONE],
    of("a.demo-0001-001"): [ONE],
    f"demo-0001-001.x{ZONE}": [ONE],
    f"demo-0001-001.{ZONE.replace('.', 'x', 1)}": [ONE],
}
NODE = hello(of("demo-0001-001"))
SERVED = {
    of("demo-0001-001"): ONE,
    of("demo-1-001"): TWO,
    of("demo-001"): TWO,
    of("shop"): ONE,
    of("DEMO-0001-001").upper(): ONE,
    of("demo-0001-009"): TWO,
}
"""A name, and the node that it leads to."""
NO_NODES_NAME: dict[str, bytes] = {
    "foreign name": b"example.com",
    "two labels": of("a.demo-0001-001").encode(),
    "bare zone": ZONE.encode(),
    "no node's label": of("evil").encode(),
    "longer label": of("xdemo-0001-001").encode(),
    "longer zone": f"demo-0001-001.x{ZONE}".encode(),
    "any character for a dot": f"demo-0001-001.{ZONE.replace('.', 'x', 1)}".encode(),
    "last dot": f"{of('demo-0001-001')}.".encode(),
    "first dot": f".{of('demo-0001-001')}".encode(),
    "line feed": f"{of('demo-0001-001')}\n".encode(),
    "zero byte": f"{of('demo-0001-001')}\0".encode(),
    "no name": b"",
}
"""What is closed without asking the resolver."""
WRONG_ADDRESS = {
    "outside the cache's networks": of("demo-0002-001"),
    "the HAProxy itself": of("demo-0003-001"),
    "another HAProxy": of("demo-0003-002"),
    "both HAProxies": of("demo-0003-003"),
    "loopback": of("demo-0004-001"),
    "link-local": of("demo-0004-002"),
    "IPv6": of("demo-0004-003"),
    "IPv6 that means an IPv4 node": of("demo-0004-004"),
}
"""What is closed for what the resolver said."""
PIECES = {
    "half a hello": (NODE[:100],),
    "two packets": (NODE[:100], NODE[100:]),
    "a byte a packet": (*(NODE[i : i + 1] for i in range(48)), NODE[48:]),
}


def dial_all() -> dict[str, Reply]:
    """Every connection, several at a time."""
    set_answers(ANSWERS)
    names = {**NO_NODES_NAME, **{what: name.encode() for what, name in WRONG_ADDRESS.items()}}
    calls = {what: partial(dial, FIRST, hello(name)) for what, name in names.items()}
    calls |= {name: partial(dial, FIRST, hello(name)) for name in SERVED}
    calls |= {
        what: partial(dial, FIRST, *parts, pause_seconds=0.005 if len(parts) > 9 else 0.2)
        for what, parts in PIECES.items()
    }
    calls |= {
        "clustercfg": partial(dial, FIRST, hello(of("clustercfg"))),
        "unknown node": partial(dial, FIRST, hello(of("demo-0009-001"))),
        "plaintext": partial(dial, FIRST, b"*1\r\n$4\r\nPING\r\n"),
        "silence": partial(dial, FIRST),
        "other port": partial(dial, FIRST, NODE, port=OTHER_PORT),
        "ops port": partial(dial, FIRST, b"GET /live HTTP/1.0\r\n\r\n", port=8405),
        "no client": partial(dial, FIRST, NODE, where="cache"),
        "dead node": partial(dial, FIRST, hello(of("demo-0005-001"))),
        "lost node": partial(dial, FIRST, hello(of("demo-0005-002"))),
    }
    with ThreadPoolExecutor(max_workers=6) as pool:
        running = {what: pool.submit(call) for what, call in calls.items()}
        return {what: one.result() for what, one in running.items()}


@pytest.fixture(scope="module")
def proxies(room: Room) -> Room:
    """The networks with the HAProxies in them."""
    room.call(shared_network.start)
    return room


@pytest.fixture(scope="module")
def replies(proxies: Room) -> dict[str, Reply]:
    """What became of every connection."""
    found: dict[str, Reply] = proxies.call(dial_all)
    return found


def log_of(room: Room, address: str) -> list[str]:
    """What a HAProxy wrote."""
    path = room.run_dir / "logs" / f"task-{address}-haproxy.log"
    return path.read_text().splitlines()


@pytest.mark.parametrize("name", SERVED)
def test_name_of_a_node_leads_to_it(replies: dict[str, Reply], name: str) -> None:
    """By each shape of name, in any case; to the cluster's own port, and with every byte of the hello."""
    expected = f"{SERVED[name]}:{layout.PORT} heard {len(hello(name))} bytes\n"

    assert (replies[name]["end"], replies[name]["heard"]) == ("answered", expected)


def test_configuration_endpoint_leads_to_a_node(replies: dict[str, Reply]) -> None:
    assert replies["clustercfg"]["heard"].startswith((f"{ONE}:", f"{TWO}:"))


@pytest.mark.parametrize("what", [*NO_NODES_NAME, "plaintext"])
def test_what_names_no_node_is_closed_at_once(replies: dict[str, Reply], what: str) -> None:
    assert (replies[what]["end"], replies[what]["heard"]) == ("closed", "")
    assert replies[what]["seconds"] < AT_ONCE


@pytest.mark.parametrize("what", WRONG_ADDRESS)
def test_name_that_leads_elsewhere_is_closed_at_once(replies: dict[str, Reply], what: str) -> None:
    assert (replies[what]["end"], replies[what]["heard"]) == ("closed", "")
    assert replies[what]["seconds"] < AT_ONCE


def test_node_that_does_not_exist_is_closed_when_the_resolver_said_so(
    replies: dict[str, Reply],
) -> None:
    """The wildcard leads every name here. HAProxy asks thrice, in both families."""
    assert replies["unknown node"]["end"] == "closed"
    assert replies["unknown node"]["seconds"] < 4.5


def test_only_names_of_nodes_are_looked_up(proxies: Room, replies: dict[str, Reply]) -> None:
    """Nobody can have this resolver asked for what he likes."""
    assert replies
    lines = (proxies.run_dir / "asked.txt").read_text().splitlines()
    asked = {name for who, name in map(str.split, lines) if who in {FIRST, SECOND, STOPPED}}

    assert asked >= set(WRONG_ADDRESS.values())
    assert not [name for name in asked if not name.endswith(f".{ZONE}")]
    assert not asked & {of("evil"), of("a.demo-0001-001"), of("xdemo-0001-001")}


@pytest.mark.parametrize("what", ["other port", "ops port"])
def test_nobody_listens_elsewhere(replies: dict[str, Reply], what: str) -> None:
    """The nodes' other ports are not reached, and HAProxy's own figures are not shown."""
    assert replies[what]["end"] == "refused"


def test_only_clients_may_connect(replies: dict[str, Reply]) -> None:
    """Not even with a node's name."""
    assert replies["no client"]["end"] == "closed"
    assert replies["no client"]["seconds"] < AT_ONCE


@pytest.mark.parametrize("what", ["silence", "half a hello"])
def test_who_does_not_go_on_is_let_go(replies: dict[str, Reply], what: str) -> None:
    """It holds a session for five seconds, and no longer."""
    assert replies[what]["end"] == "closed"
    assert 4.5 < replies[what]["seconds"] < 20


@pytest.mark.parametrize("what", ["two packets", "a byte a packet"])
def test_hello_may_come_in_pieces(replies: dict[str, Reply], what: str) -> None:
    """A hello with a post-quantum key does not fit one packet."""
    assert replies[what]["heard"] == f"{ONE}:{layout.PORT} heard {len(NODE)} bytes\n"


def test_what_a_node_refuses_is_refused_at_once(replies: dict[str, Reply]) -> None:
    """Nobody is kept waiting for a node that is down; one whose host is lost costs the time to connect."""
    assert (replies["dead node"]["end"], replies["lost node"]["end"]) == ("closed", "closed")
    assert replies["dead node"]["seconds"] < AT_ONCE
    assert 1.5 < replies["lost node"]["seconds"] < 10


def test_refused_are_logged_by_the_name_that_they_asked_for(
    proxies: Room, replies: dict[str, Reply]
) -> None:
    """A line each, whatever is in the name; none for those that were served well."""
    assert replies
    told = [json.loads(line) for line in log_of(proxies, FIRST)]
    lines = [one for one in told if one["message"] == "session"]
    refused = {(one["name"], one["address"]) for one in lines if one["cause"] == "PR"}

    assert layout.CLIENT_ADDRESS in {one["client"] for one in lines}
    assert refused >= {
        ("example.com", "-"),
        ("-", "-"),
        (f"{of('demo-0001-001')}\n", "-"),
        (of("demo-0002-001"), ELSEWHERE),
        (of("demo-0003-001"), FIRST),
    }
    # nobody listens there, or it is no more
    lost = {(one["name"], one["cause"]) for one in lines}
    assert lost >= {(of("demo-0005-001"), "SC"), (of("demo-0005-002"), "sC")}
    assert not {of("shop"), of("demo-1-001")} & {one["name"] for one in lines}
    assert {one["message"] for one in told} <= {"started", "haproxy", "session"}


def loops() -> dict[str, list[int]]:
    """How many connections each HAProxy has taken after one of a client to a name that leads to them."""
    set_answers(ANSWERS)
    counted = {}
    for what in ("the HAProxy itself", "another HAProxy", "both HAProxies"):
        before = [connections(address) for address in (FIRST, SECOND)]
        dial(FIRST, hello(WRONG_ADDRESS[what]))
        after = [connections(address) for address in (FIRST, SECOND)]
        counted[what] = [now - then for now, then in zip(after, before, strict=True)]
    return counted


def test_one_connection_of_a_client_makes_no_loop(proxies: Room, replies: dict[str, Reply]) -> None:
    """One that leads to another HAProxy ends there, although that one may take it for a client's."""
    assert replies
    assert proxies.call(loops) == {
        "the HAProxy itself": [1, 0],
        "another HAProxy": [1, 1],
        "both HAProxies": [1, 1],
    }


def without_a_guard() -> dict[str, Any]:
    """What a HAProxy does that lacks one of the lines."""
    loop = GUARDS["itself"]
    set_answers({**ANSWERS, of("demo-0003-004"): [loop]})
    dial(loop, hello(of("demo-0003-004")))
    return {
        "from_clients": dial(GUARDS["from_clients"], NODE, where="cache")["heard"],
        "of_the_cluster": dial(GUARDS["of_the_cluster"], hello(of("evil")))["heard"],
        "in_the_cache": dial(GUARDS["in_the_cache"], hello(of("demo-0002-001")))["heard"],
        "itself": connections(loop),
    }


def test_each_guard_is_what_closes_its_way_in(proxies: Room) -> None:
    """The same connections through HAProxies that each lack one line: an open proxy, or one that is full of itself."""
    seen = proxies.call(without_a_guard)

    assert seen["from_clients"].startswith(f"{ONE}:")
    assert seen["of_the_cluster"].startswith(f"{ONE}:")
    assert seen["in_the_cache"].startswith(f"{ELSEWHERE}:")
    assert seen["itself"] > 50


def sick_resolver() -> dict[str, Any]:
    """The resolver falls silent under a live connection, and comes back."""
    name = of("demo-0006-001")
    set_answers({name: [ONE]})
    live = network.in_network("client", partial(socket.create_connection, (FIRST, layout.PORT)))
    with live:
        live.sendall(hello(name))
        live.recv(1000)
        set_answers({})
        known = dial(FIRST, hello(name))
        unknown = dial(FIRST, hello(of("demo-0006-002")))
        wait_until(
            lambda: dial(FIRST, hello(name))["end"] == "closed", timeout_seconds=60, what="the hold"
        )
        live.sendall(b"still there")
        heard = live.recv(1000).decode()
        set_answers({name: [TWO]})
        began = time.monotonic()
        back = wait_until(
            lambda: dial(FIRST, hello(name))["heard"], timeout_seconds=60, what="an answer"
        )
        seconds = time.monotonic() - began
    return {
        "known": known["end"],
        "unknown": unknown,
        "live": heard,
        "back": back,
        "seconds": seconds,
    }


def test_sick_resolver_ends_no_connection_and_refuses_new_ones(proxies: Room) -> None:
    """What was just asked for is still known; else a connection is closed in less than two seconds, and none waits."""
    seen = proxies.call(sick_resolver)

    assert seen["known"] == "answered"
    assert seen["unknown"]["end"] == "closed"
    assert 1 < seen["unknown"]["seconds"] < 10
    assert seen["live"] == f"{ONE}:{layout.PORT} heard 11 bytes\n"
    assert seen["back"].startswith(f"{TWO}:")
    assert seen["seconds"] < 4.5


def replaced_node() -> float:
    """Seconds until new connections find the new address of a node."""
    name = of("demo-0007-001")
    set_answers({name: [ONE]})
    assert dial(FIRST, hello(name))["heard"].startswith(ONE)
    set_answers({name: [TWO]})
    began = time.monotonic()
    wait_until(
        lambda: dial(FIRST, hello(name))["heard"].startswith(TWO),
        timeout_seconds=60,
        what="the new address",
    )
    return time.monotonic() - began


def test_new_address_of_a_node_is_found(proxies: Room) -> None:
    assert proxies.call(replaced_node) < 3


def stopping() -> dict[str, Any]:
    """A HAProxy is asked to stop, as ECS asks it; each new connection is for a name that it does not know yet."""
    names = [of(f"demo-0008-{number:03}") for number in range(1, 1000)]
    set_answers({name: [ONE] for name in names})
    live = network.in_network("client", partial(socket.create_connection, (STOPPED, layout.PORT)))
    with live:
        live.sendall(hello(names[0]))
        live.recv(1000)
        os.kill(haproxy(STOPPED), signal.SIGUSR1)
        began = time.monotonic()
        ends = []
        for name in names[1:]:
            ends.append(dial(STOPPED, hello(name))["end"])
            if ends[-1] != "answered":
                break
        accepted = time.monotonic() - began
        live.sendall(b"still there")
        heard = live.recv(1000).decode()
        live.settimeout(20)
        rest = live.recv(1000).decode()
        return {
            "ends": sorted(set(ends)),
            "accepted": accepted,
            "live": heard,
            "rest": rest,
            "drained": time.monotonic() - began,
        }


def test_stopping_haproxy_serves_on_while_dns_moves_and_then_drains(proxies: Room) -> None:
    """Also names that it must still look up; what is connected lives on until the time to drain is over."""
    seen = proxies.call(stopping)

    assert seen["ends"] == ["answered", "refused"]
    assert 1.5 < seen["accepted"] < 3.5
    assert (seen["live"], seen["rest"]) == (f"{ONE}:{layout.PORT} heard 11 bytes\n", "")
    assert 6 < seen["drained"] < 9
