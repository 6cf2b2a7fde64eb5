"""The check of the sandbox's client host, on this machine's loopback."""

import json
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from nodeway.client.check import check_address, check_name, main, try_connection

LOOPBACK = IPv4Network("127.0.0.0/8")
NOBODY = "127.0.0.9"


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody listens on 127.0.0.1, and on no other address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_node_that_connects_or_refuses_is_reached(port: int) -> None:
    """A refusal came from somebody: there is a way."""
    assert check_address("127.0.0.1", port) == {
        "address": "127.0.0.1",
        "ok": False,
        "answer": "connected",
    }
    assert check_address(NOBODY, port)["answer"] == "refused"
    assert check_address(NOBODY, port)["ok"] is False


def test_node_that_no_route_leads_to_is_not_reached(port: int) -> None:
    """The broadcast address is nobody's: the kernel says so at once."""
    assert try_connection("255.255.255.255", port) == ""


@pytest.mark.parametrize(
    ("name", "proxies", "seen"),
    [
        ("localhost", LOOPBACK, {"ok": True}),
        ("localhost", IPv4Network("10.71.1.0/24"), {"ok": False, "elsewhere": ["127.0.0.1"]}),
        (NOBODY, LOOPBACK, {"ok": False, "silent": [NOBODY]}),
        ("no-such-name.invalid", LOOPBACK, {"ok": False, "addresses": []}),
    ],
    ids=["right", "outside-the-proxies", "silent", "no-address"],
)
def test_name_is_right_when_all_its_addresses_are_proxies_that_connect(
    port: int, name: str, proxies: IPv4Network, seen: dict[str, object]
) -> None:
    assert seen.items() <= check_name(name, port, proxies).items()


def test_error_of_the_client_is_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is there: the whole check still ends in a result."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        unused = closed.getsockname()[1]
    words = ["--through", "127.0.0.0/8", "--direct", "255.255.255.255", "--names", "localhost"]

    code = main(words, environment("localhost", unused))

    told = capsys.readouterr().out
    found = json.loads(told)
    assert (code, found["ok"], found["exercise"]["ok"]) == (1, False, False)
    assert found["direct"] == [{"address": "255.255.255.255", "ok": True, "answer": ""}]
    assert "never-printed" not in told


def test_nothing_to_look_at_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--through", "127.0.0.0/8"], environment(NOBODY, 9)) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def environment(endpoint: str, port: int) -> dict[str, str]:
    return {
        "LAB_ENDPOINT": endpoint,
        "LAB_PORT": str(port),
        "LAB_USERNAME": "default",
        "LAB_PASSWORD": "never-printed",
        "LAB_CA_FILE": "/dev/null",
    }
