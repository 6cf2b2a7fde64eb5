"""HAProxy's log line of a session that ended abnormally, by a real HAProxy on loopback."""

import json
import re
import socket
import time
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
    "none of the cluster's": f"demo-0001-001.{ZONE}".encode(),
}
"""Names that a client can send as SNI."""


def test_session_that_ended_normally_has_no_line(started: Running) -> None:
    """Whichever side ended it, with or without data. The line of the last session shows that the others have none."""
    started.talk().close()
    connections = len(started.node.connections)
    with started.connect():
        wait_until(
            lambda: len(started.node.connections) > connections,
            timeout_seconds=60,
            what="HAProxy's connection to the node",
        )
    with started.talk() as client:
        started.node.connections[-1].shutdown(socket.SHUT_RDWR)
        assert ended(client)
    with started.talk() as last:
        abrupt(last)

    assert [line["cause"] for line in started.sessions()] == ["CD"]


def test_line_has_the_client_and_the_bytes(started: Running) -> None:
    with started.talk() as client:
        abrupt(client)

    (line,) = started.sessions()
    assert line.keys() == FIELDS
    assert (line["cluster"], line["node"], line["client"]) == ("demo", NODE, "127.0.0.1")
    assert (line["bytes_in"], line["bytes_out"], line["retries"], line["queue"]) == (5, 5, "0", 0)
    assert 0 <= line["connect_milliseconds"] <= line["total_milliseconds"]


def test_node_that_refuses_and_then_is_down(started: Running) -> None:
    """The first session has a second try. The session after the failed health check has none."""
    started.node.die()
    with started.connect() as first:
        assert ended(first)
    started.node_is(up=False)
    with started.connect() as second:
        assert ended(second)

    lines = started.sessions(2)
    assert [line["cause"] for line in lines] == ["SC", "SC"]
    assert [line["connect_milliseconds"] for line in lines] == [-1, -1]
    assert [line["retries"] for line in lines] == ["+1", "0"]


def test_session_is_ended_by_a_failed_health_check(started: Running) -> None:
    """HAProxy closes the session of a lost host, as nothing else does."""
    with started.talk() as client:
        started.node.refuse()
        assert ended(client)

    (line,) = started.sessions()
    assert line["cause"] == "D-"


def test_lines_are_limited_to_a_hundred_a_second(started: Running) -> None:
    """The counters count all sessions."""
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

    # plus a hundred of the second before
    assert 90 <= len(started.told("session")) <= 100 * (seconds + 1) + 20


@pytest.mark.parametrize("data", [b"\0" * 100, b'"}\n{"message":"session"}\n', b"\xff" * 70000])
def test_data_of_a_client_is_in_no_line(started: Running, data: bytes) -> None:
    with started.connect() as client:
        client.sendall(data)
        assert client.recv(10)
        abrupt(client)

    (line,) = started.sessions()
    assert line.keys() == FIELDS
    assert line["cause"] == "CD"


def test_line_of_a_shared_haproxy_has_the_sni_escaped(tmp_path: Path) -> None:
    """A line has at most 255 bytes of the name. A connection without data has no line. Plaintext has no name."""
    with running(tmp_path, shared=True) as started:
        started.connect().close()
        with started.connect() as client:
            client.sendall(b"PING\r\n")
            assert ended(client)
        for name in HOSTILE.values():
            with started.connect() as client:
                client.sendall(hello(name))
                assert ended(client)
        lines = started.sessions(1 + len(HOSTILE))

        names = [line["name"].encode("latin-1") for line in lines]
        assert names == [b"-", *(name[:255] for name in HOSTILE.values())]
        for line in lines:
            assert line.keys() == FIELDS | {"name", "address"}
            assert (line["cause"], line["node"], line["address"]) == ("PR", "*", "-")


def test_page_explains_every_field_and_cause() -> None:
    page = PAGE.read_text()
    part = page[page.index("## What each HAProxy says") :]
    shown = set(re.findall(r"`(\S+?)`", part))

    assert shown >= FIELDS | {"name", "address", "CD", "SD", "SC", "sC", "D-", "K-", "PR"}


def test_page_shows_a_line() -> None:
    line = re.search(r'^\{"message":"session".*\}$', PAGE.read_text(), re.MULTILINE)

    assert line is not None
    assert json.loads(line[0]).keys() == FIELDS
