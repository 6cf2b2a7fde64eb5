"""Clients that request much of one node and never read, and a client beside them that measures latency.

The unread answers stay in the buffers between the node and the client.
"""

# mypy: disallow-untyped-calls=False
# redis-py's connections are half typed

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import redis

from lab.client.connection import READ_BYTES, Access, Figures, Stage, command
from lab.client.idle import node
from lab.errors import LabError
from lab.report.figures import percentile

PACED_SECONDS = 5.0
REQUESTS_PER_SECOND = 250
ROUNDS = 5
GETS_A_ROUND = 5
ROUND_SECONDS = 1.0
VALUE_BYTES = 1_000_000
TRIES = 256
CONNECT_SECONDS = 10
MILLISECONDS = 1000
ESTABLISHED = 1  # <linux/tcp_states.h>, the first byte of struct tcp_info


def run(access: Access, name: str, clients: int, stage: Stage) -> Figures:
    """Measure alone, then beside the slow ones; `stage` is told before they ask, and while they hang."""
    with node(access, name) as other:
        big = key_of(other)
        other.set(big, b"x" * VALUE_BYTES)
        small = f"{{{big}}}:small"
        other.set(small, b"y" * 64)
        slow = [connect_silently(access, name) for _ in range(clients)]
        before = measure(access, name, small)
        stage({"before": before})
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(ask_for_much, slow, big)
            during = measure(access, name, small)
            asking.result()
        figures: Figures = {
            "before": before,
            "during": during,
            "slow_clients": clients,
            "slow_clients_still_connected": sum(is_connected(sock) for sock in slow),
        }
        stage(figures)
        for sock in slow:
            sock.close()
        other.delete(big, small)
    return figures


def key_of(connection: redis.Redis) -> str:
    """A key that this node owns; raises LabError when it owns none of those tried."""
    for number in range(TRIES):
        key = f"lab:crowd:{number}"
        try:
            connection.delete(key)
        except redis.exceptions.MovedError:
            continue
        return key
    raise LabError("the node owns no slot of the keys tried: name a primary")


def connect_silently(access: Access, name: str) -> ssl.SSLSocket:
    """A connection, logged in, whose answers nobody will read; raises LabError when the node does not let it in."""
    plain = socket.create_connection((name, access.port), timeout=CONNECT_SECONDS)
    sock = access.tls.wrap_socket(plain, server_hostname=name)
    sock.sendall(command(["AUTH", access.username, access.password]))
    answer = sock.recv(READ_BYTES)
    if answer != b"+OK\r\n":
        raise LabError(f"AUTH was answered {answer!r}")
    return sock


def ask_for_much(slow: Sequence[ssl.SSLSocket], key: str) -> None:
    """Each client requests values at once, in rounds; raises OSError when a connection was cut.

    GETRANGE makes a new answer each time; some servers send a whole value without a copy for each client.
    """
    for _ in range(ROUNDS):
        for sock in slow:
            sock.sendall(command(["GETRANGE", key, "0", "-1"]) * GETS_A_ROUND)
        _pause(ROUND_SECONDS)


def is_connected(sock: ssl.SSLSocket) -> bool:
    """Whether neither side has closed it, as the kernel says, with unread data or without."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED


def measure(access: Access, name: str, key: str) -> Figures:
    """PING and GET in turn, at a steady pace.

    The latency counts since a request was due, so that a long wait counts for all requests that it delays.
    """
    errors: Counter[str] = Counter()
    took: list[float] = []
    with node(access, name) as client:
        client.ping()
        began = time.monotonic()
        for number in range(round(PACED_SECONDS * REQUESTS_PER_SECOND)):
            due = began + number / REQUESTS_PER_SECOND
            _pause(max(0.0, due - time.monotonic()))
            try:
                client.ping() if number % 2 else client.get(key)
            except (redis.RedisError, OSError) as error:
                errors[type(error).__name__] += 1
            took.append(time.monotonic() - due)
    return {
        "p99_ms": round(MILLISECONDS * percentile(took, 99), 2),
        "errors": errors.total(),
        "errors_by_type": dict(errors),
    }


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
