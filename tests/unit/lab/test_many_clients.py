"""What the crowd's scenarios compute: who goes where, how long to wait, what a figure means."""

import resource
import struct
from collections import Counter

import pytest

from lab.client.connection import (
    BACKOFF_CAP_SECONDS,
    RETRIES,
    backoff,
    check_room,
    command,
    distribute,
)
from lab.errors import LabError
from lab.observe.haproxies import Usage, queued_kib, sessions_in

METRICS = """\
# TYPE haproxy_frontend_current_sessions gauge
haproxy_frontend_current_sessions{proxy="ops"} 1
haproxy_frontend_current_sessions{proxy="redis"} 1667
haproxy_backend_current_sessions{proxy="node"} 1600
"""


def test_connections_are_distributed_evenly_over_the_names() -> None:
    counts = Counter(one.name for one in distribute(["a", "b", "c", "d", "e", "f"], 10_000))
    assert counts.total() == 10_000
    assert set(counts.values()) == {1666, 1667}


def test_a_command_is_an_array_of_bulk_strings_counted_in_bytes() -> None:
    assert command(["AUTH", "app", "pä"]) == b"*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$3\r\np\xc3\xa4\r\n"


def test_a_backoff_doubles_up_to_its_cap_and_differs_between_clients() -> None:
    longest = [backoff(retry, chance=lambda: 1.0) for retry in range(1, RETRIES + 1)]

    assert longest[:5] == [1, 2, 4, 8, BACKOFF_CAP_SECONDS]
    assert max(longest) == BACKOFF_CAP_SECONDS
    assert backoff(3, chance=lambda: 0.5) == 2


def test_a_limit_that_is_too_low_is_said_with_what_is_needed() -> None:
    for enough in (10_200, resource.RLIM_INFINITY):
        check_room(10_000, enough)
    with pytest.raises(LabError, match=r"need 10200 open files, and this user may have 4096"):
        check_room(10_000, 4096)


def test_sessions_are_the_clients_alone() -> None:
    assert sessions_in(METRICS) == 1667
    with pytest.raises(LabError, match="have no haproxy_frontend_current_sessions"):
        sessions_in('haproxy_frontend_current_sessions{proxy="ops"} 1\n')


def test_sockets_hold_what_they_received_and_what_waits_to_be_sent() -> None:
    received = struct.pack("=9I", 4096, 131072, 0, 87040, 0, 0, 0, 0, 0)
    waiting = struct.pack("=9I", 0, 131072, 999, 87040, 0, 6144, 0, 0, 0)
    assert queued_kib([received, waiting]) == 10.0


def test_what_came_on_top_is_the_difference() -> None:
    assert Usage(610, 9000, 64.0).since(Usage(10, 8000, 4.0)) == Usage(600, 1000, 60.0)
