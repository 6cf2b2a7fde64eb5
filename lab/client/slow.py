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

from lab.client.connection import READ_BYTES, Access, command
from lab.client.idle import node
from lab.client.latency import Figures, Stage, times
from lab.errors import LabError

PACED_SECONDS = 3.0
REQUESTS_PER_SECOND = 250
FLAT_OUT_SECONDS = 2.0
ROUNDS = 5
GETS_A_ROUND = 5
ROUND_SECONDS = 1.0
VALUE_BYTES = 1_000_000
TRIES = 256
CONNECT_SECONDS = 10
BYTES_PER_MIB = 2**20
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
        memory = node_memory(other)
        stage({"before": before})
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(ask_for_much, slow, big)
            during = measure(access, name, small)
            asking.result()
        piled = node_memory(other)
        hanging = sum(is_connected(sock) for sock in slow)
        figures: Figures = {
            "before": before,
            "during": during,
            "slow_clients": clients,
            "slow_clients_still_connected": hanging,
            "asked_mib": clients * ROUNDS * GETS_A_ROUND * VALUE_BYTES // BYTES_PER_MIB,
            "node_output_buffer_limit": output_buffer_limit(other),
            "node_memory_mib": {"before": memory, "during": piled},
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
    """PING and GET in turn: first at a steady pace for the latency, then as fast as it goes for the throughput."""
    errors: Counter[str] = Counter()
    with node(access, name) as client:
        client.ping()
        took = at_a_pace(client, key, errors)
        began = time.monotonic()
        asked = 0
        while time.monotonic() - began < FLAT_OUT_SECONDS:
            asked += 1
            ask(client, key, asked, errors)
        seconds = time.monotonic() - began
    return {
        **times(took),
        "requests_per_second": round(asked / seconds),
        "errors": sum(errors.values()),
        "errors_by_type": dict(errors),
    }


def at_a_pace(client: redis.Redis, key: str, errors: Counter[str]) -> list[float]:
    """Seconds of each request since it was due, so that a long wait counts for all requests that it delays."""
    began = time.monotonic()
    took: list[float] = []
    for number in range(round(PACED_SECONDS * REQUESTS_PER_SECOND)):
        due = began + number / REQUESTS_PER_SECOND
        _pause(max(0.0, due - time.monotonic()))
        ask(client, key, number, errors)
        took.append(time.monotonic() - due)
    return took


def ask(client: redis.Redis, key: str, number: int, errors: Counter[str]) -> None:
    """Send one request; an error is counted."""
    try:
        client.ping() if number % 2 else client.get(key)
    except (redis.RedisError, OSError) as error:
        errors[type(error).__name__] += 1


def node_memory(connection: redis.Redis) -> Figures:
    """The node's memory, and its share for unread answers of clients, in MiB."""
    memory = connection.info("memory")
    return {
        "used": memory["used_memory"] // BYTES_PER_MIB,
        "clients": memory["mem_clients_normal"] // BYTES_PER_MIB,
    }


def output_buffer_limit(connection: redis.Redis) -> str:
    """The node's limit of unread answers for ordinary clients; `normal 0 0 0` is none."""
    value = str(connection.config_get("client-output-buffer-limit")["client-output-buffer-limit"])
    return value[: value.index(" slave")]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
