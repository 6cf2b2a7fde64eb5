"""The line that HAProxy writes of a session that ended abnormally, by a real HAProxy on loopback."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.layout import ROOT
from lab.wait import wait_until
from tests.support.programs.haproxies import NODE, ZONE, Running, abrupt, ended, hello, running

PAGE = ROOT / "docs" / "operations.md"
FIELDS = {
    *("message", "cluster", "node", "client", "cause", "retries", "queue"),
    *("connect_milliseconds", "total_milliseconds", "bytes_in", "bytes_out"),
}
HOSTILE = {
    "a quote": b'","cause":"--","x":"',
    "a backslash": b"\\",
    "control characters": b"\0\x01\n\r\x1b\x7f",
    "no UTF-8": b"\xff\xc3",
    "all that must be escaped": b"\x01" * 255,
    "longer than any name": b"\x01" * 5000,
}
"""Names that a client may say in its TLS hello."""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Running]:
    """A node's HAProxy, its node up."""
    with running(tmp_path) as one:
        yield one


def test_session_that_ended_well_is_no_line(started: Running) -> None:
    """By whichever side, with or without a word. The one that a reset ends tells that the others were waited for."""
    started.talk().close()
    started.connect().close()
    with started.talk() as client:
        started.node.connections[-1].shutdown(socket.SHUT_RDWR)
        assert ended(client)
    with started.talk() as last:
        abrupt(last)

    assert [one["cause"] for one in started.sessions()] == ["CD"]


def test_line_says_who_and_how_much(started: Running) -> None:
    with started.talk() as client:
        abrupt(client)

    (line,) = started.sessions()
    assert line.keys() == FIELDS
    assert (line["cluster"], line["node"], line["client"]) == ("demo", NODE, "127.0.0.1")
    assert (line["bytes_in"], line["bytes_out"], line["retries"], line["queue"]) == (5, 5, "0", 0)
    assert 0 <= line["connect_milliseconds"] <= line["total_milliseconds"]


def test_node_that_dies_ends_each_of_its_sessions(started: Running) -> None:
    with started.talk(), started.talk():
        started.node.die()

        assert [one["cause"] for one in started.sessions(2)] == ["SD", "SD"]


def test_node_that_refuses_and_then_is_down(started: Running) -> None:
    """The first waits for its second try, and must not wait for ever; the next is refused at once."""
    started.node.die()
    with started.connect() as first:
        assert ended(first)
    started.node_is(up=False)
    with started.connect() as second:
        assert ended(second)

    told = started.sessions(2)
    assert [one["cause"] for one in told] == ["SC", "SC"]
    assert [one["connect_milliseconds"] for one in told] == [-1, -1]
    assert [one["retries"] for one in told] == ["+1", "0"]


def test_session_whose_node_is_lost_is_ended_when_the_checks_say_so(started: Running) -> None:
    """As when its host is gone: nothing closes the session but HAProxy."""
    with started.talk() as client:
        started.node.refuse()
        assert ended(client)

    (line,) = started.sessions()
    assert line["cause"] == "D-"


def test_no_storm_of_lines_when_all_clients_come_back_to_a_node_that_is_down(
    started: Running,
) -> None:
    """A hundred in a second are enough to be read; the counters tell of all."""
    started.node.die()
    started.node_is(up=False)
    began = time.monotonic()
    for _ in range(400):
        with started.connect() as client:
            assert ended(client)
    seconds = time.monotonic() - began
    wait_until(
        lambda: started.total("connect_failures") >= 400, timeout_seconds=15, what="the counters"
    )

    # and a hundred for what the second before does not know of
    assert 90 <= len(started.told("session")) <= 100 * (seconds + 1) + 20


@pytest.mark.parametrize("said", [b"\0" * 100, b'"}\n{"message":"session"}\n', b"\xff" * 70000])
def test_what_a_client_sends_is_in_no_line(started: Running, said: bytes) -> None:
    with started.connect() as client:
        client.sendall(said)
        assert client.recv(10)
        abrupt(client)

    (line,) = started.sessions()
    assert line.keys() == FIELDS
    assert line["cause"] == "CD"


def test_name_that_a_client_asks_a_shared_haproxy_for_is_text(tmp_path: Path) -> None:
    """A line each, of at most 255 bytes of the name, whatever is in it."""
    with running(tmp_path, shared=True) as started:
        for name in HOSTILE.values():
            with started.connect() as client:
                client.sendall(hello(name))
                assert ended(client)
        told = started.sessions(len(HOSTILE))

        assert [one["name"].encode("latin-1") for one in told] == [
            name[:255] for name in HOSTILE.values()
        ]
        for one in told:
            assert one.keys() == FIELDS | {"name", "address"}
            assert (one["cause"], one["node"], one["address"]) == ("PR", "*", "-")


def test_shared_haproxy_says_where_an_abnormal_session_went(tmp_path: Path) -> None:
    """Silence is no session; plaintext has no name."""
    with running(tmp_path, shared=True) as started:
        started.connect().close()
        with started.connect() as client:
            client.sendall(b"PING\r\n")
            assert ended(client)
        with started.connect() as client:
            client.sendall(hello(f"demo-0001-001.{ZONE}".encode()))
            assert ended(client)

        plain, unknown = started.sessions(2)
        assert (plain["name"], unknown["name"]) == ("-", f"demo-0001-001.{ZONE}")
        assert (plain["cause"], unknown["cause"]) == ("PR", "PR")


def test_page_explains_every_field_and_cause() -> None:
    page = PAGE.read_text()
    part = page[page.index("## What each HAProxy says") :]
    shown = set(re.findall(r"`(\S+?)`", part))

    assert shown >= FIELDS | {"name", "address", "CD", "SD", "SC", "sC", "D-", "K-", "PR"}


def test_page_shows_a_line_as_it_is() -> None:
    found = re.search(r'^\{"message":"session".*\}$', PAGE.read_text(), re.MULTILINE)

    assert found is not None
    assert json.loads(found[0]).keys() == FIELDS
