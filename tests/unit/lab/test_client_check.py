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


def test_name_is_right_when_all_its_addresses_are_proxies_that_connect(port: int) -> None:
    assert check_name("localhost", port, LOOPBACK)["ok"] is True


def test_name_outside_the_proxies_range_is_wrong(port: int) -> None:
    found = check_name("localhost", port, IPv4Network("10.71.1.0/24"))

    assert (found["ok"], found["elsewhere"]) == (False, ["127.0.0.1"])


def test_name_whose_proxy_does_not_connect_is_wrong(port: int) -> None:
    found = check_name(NOBODY, port, LOOPBACK)

    assert (found["ok"], found["silent"]) == (False, [NOBODY])


def test_name_without_an_address_is_wrong(port: int) -> None:
    found = check_name("no-such-name.invalid", port, LOOPBACK)

    assert (found["ok"], found["addresses"]) == (False, [])


def test_error_of_the_client_is_a_result(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is there: the whole check still ends in a result."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        unused = closed.getsockname()[1]
    environment = {
        "LAB_ENDPOINT": "localhost",
        "LAB_PORT": str(unused),
        "LAB_USERNAME": "default",
        "LAB_PASSWORD": "never-printed",
        "LAB_CA_FILE": "/dev/null",
    }
    del port

    code = main(
        ["--through", "127.0.0.0/8", "--direct", "255.255.255.255", "--names", "localhost"],
        environment,
    )

    told = capsys.readouterr().out
    found = json.loads(told)
    assert (code, found["ok"], found["exercise"]["ok"]) == (1, False, False)
    assert found["direct"] == [{"address": "255.255.255.255", "ok": True, "answer": ""}]
    assert "never-printed" not in told


def test_nothing_to_look_at_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {
        "LAB_ENDPOINT": NOBODY,
        "LAB_PORT": "9",
        "LAB_USERNAME": "default",
        "LAB_PASSWORD": "x",
        "LAB_CA_FILE": "/dev/null",
    }

    assert main(["--through", "127.0.0.0/8"], environment) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
