"""HAProxy's start script with a real HAProxy on loopback: its log lines, and its end with HAProxy."""

import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from lab.wait import wait_until
from nodeway.constructs.proxies.haproxy_metrics import COUNTERS
from nodeway.haproxy.render import START_COMMAND
from tests.support.programs.haproxies import (
    DRAIN_SECONDS,
    GRACE_SECONDS,
    NODE,
    Running,
    abrupt,
    ended,
    running,
)

GAUGES = {"current", "limit", "connect_milliseconds", "queue", "backend_down", "uptime_seconds"}


def lines_more(started: Running, count: int = 1) -> None:
    """Waits for so many further lines of counters."""
    expected = len(started.told("haproxy")) + count
    wait_until(
        lambda: len(started.told("haproxy")) >= expected, timeout_seconds=15, what="more lines"
    )


def test_first_line_is_the_start(started: Running) -> None:
    """It counts restarts in the container."""
    assert started.output.read_text().splitlines()[0] == (
        '{"message":"started","cluster":"demo","node":"demo-0001-001"}'
    )
    assert len(started.told("started")) == 1


def test_line_has_a_number_for_each_metric(started: Running) -> None:
    lines_more(started)

    for line in started.told("haproxy"):
        assert (line["cluster"], line["node"]) == ("demo", NODE)
        assert line.keys() == {"message", "cluster", "node", *COUNTERS.values(), *GAUGES}
        assert {type(line[name]) for name in COUNTERS.values()} <= {int, float}
        assert (line["limit"], line["backend_down"]) == (682, 0)


def test_counters_are_differences_and_gauges_are_not(started: Running) -> None:
    """A session is counted at its begin, and its bytes during it."""
    with started.talk() as held:
        for _ in range(3):
            started.talk().close()
        # HAProxy counts the bytes of a session every five seconds
        wait_until(lambda: started.total("bytes_out") >= 20, timeout_seconds=20, what="all bytes")
        lines_more(started, 2)
        held.sendall(b"more")
        assert held.recv(10) == b"more"
        wait_until(lambda: started.total("bytes_out") >= 24, timeout_seconds=20, what="more bytes")
        lines_more(started)

        assert started.total("sessions") == 4
        assert (started.total("bytes_in"), started.total("bytes_out")) == (24, 24)
        last = started.told("haproxy")[-1]
        assert (last["sessions"], last["current"], last["refused"]) == (0, 1, 0)
    lines_more(started, 2)
    assert started.told("haproxy")[-1]["current"] == 0
    assert started.told("session") == []


def test_abnormal_ends_are_counted_by_cause(started: Running) -> None:
    with started.talk() as client:
        abrupt(client)
    wait_until(
        lambda: started.total("aborted_by_client") == 1, timeout_seconds=15, what="the client"
    )
    with started.talk(), started.talk():
        started.node.die()
        wait_until(
            lambda: started.total("aborted_by_server") == 2, timeout_seconds=15, what="the node"
        )
    started.node_is(up=False)
    with started.connect() as client:
        assert ended(client)
    wait_until(
        lambda: started.total("connect_failures") == 1, timeout_seconds=15, what="the failure"
    )
    lines_more(started)

    assert started.told("haproxy")[-1]["backend_down"] == 1
    assert started.total("sessions") == 4
    assert [line["cause"] for line in started.sessions(4)] == ["CD", "SD", "SD", "SC"]


def test_client_of_another_range_is_counted_as_refused(started: Running) -> None:
    """127.0.0.1 is the only address of clients."""
    # HAProxy can close the connection before it is established
    with (
        suppress(ConnectionResetError),
        socket.create_connection(
            ("127.0.0.1", started.port), timeout=10, source_address=("127.0.0.2", 0)
        ) as stranger,
    ):
        assert ended(stranger)

    wait_until(lambda: started.total("refused") == 1, timeout_seconds=15, what="the refusal")
    assert started.told("session") == []


def test_shared_haproxy_logs_the_same_metrics(tmp_path: Path) -> None:
    with running(tmp_path, shared=True) as started:
        lines_more(started)

        (start,) = started.told("started")
        line = started.told("haproxy")[-1]
        assert (start["cluster"], start["node"]) == (line["cluster"], line["node"]) == ("demo", "*")
        assert set(COUNTERS.values()) <= line.keys()


def test_stopped_haproxy_drains_and_the_script_ends_with_it(started: Running) -> None:
    """The signal reaches HAProxy itself, which accepts sessions for the grace period, and keeps those that exist."""
    held = started.talk()
    lines_more(started)
    assert started.others()
    began = time.monotonic()
    started.process.send_signal(signal.SIGUSR1)
    started.talk().close()

    def refuses() -> bool:
        try:
            started.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refuses, timeout_seconds=GRACE_SECONDS + 5, what="the end of the grace")
    assert time.monotonic() - began >= GRACE_SECONDS
    held.sendall(b"still there")
    assert held.recv(100) == b"still there"
    held.close()

    assert started.process.wait(timeout=DRAIN_SECONDS + 5) == 0
    wait_until(lambda: not started.others(), timeout_seconds=5, what="the script's end")


def test_killed_haproxy_leaves_no_process_behind(started: Running) -> None:
    """Also without a container. The exit code is HAProxy's own."""
    started.process.kill()

    assert started.process.wait(timeout=5) == -signal.SIGKILL
    wait_until(lambda: not started.others(), timeout_seconds=5, what="the script's end")


def test_script_needs_no_variable_but_the_configuration() -> None:
    """The other variables have defaults. The last command executes HAProxy."""
    assert "${CLUSTER:-}" in START_COMMAND
    assert "${REPORT_SECONDS:-60}" in START_COMMAND
    assert START_COMMAND.endswith(
        "\nexec haproxy -db -f /dev/stdin <<CONFIGURATION\n$HAPROXY_CFG\nCONFIGURATION\n"
    )
