"""`python -m lab.bench.load.connections JSON`: many TLS connections from the client's network.

With `requests` it opens so many one after the other, `clients` at a time, with one request on each, and prints the
figures as JSON. redis-benchmark can do so, but leaves Nagle's algorithm on, which clients switch off. Its first request
would wait 40 ms for the acknowledgement of a proxy that sends nothing after the handshake.

Else it opens all `connections` and prints `ready`. Subscribers of `channel` then count bytes, and print the seconds
between the first and the last; idle connections stay until the process is killed. Messages are not parsed, as that
would limit the speed.
"""

import json
import selectors
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab import layout
from lab.report.figures import percentile

TIMEOUT_SECONDS = 60.0
CHUNK = 65_536
MILLISECONDS = 1000


def dial(context: ssl.SSLContext, address: str, name: str) -> ssl.SSLSocket:
    """A TLS connection to a node or proxy, verified for the name. Raises OSError."""
    plain = socket.create_connection((address, layout.PORT), timeout=TIMEOUT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=name)


def get(context: ssl.SSLContext, address: str, name: str, key: str) -> bytes:
    """The beginning of the answer to a GET on a connection of its own. Raises OSError.

    The command is RESP2: Envoy knows no inline commands, and answers PING itself.
    """
    with dial(context, address, name) as connection:
        connection.sendall(f"*2\r\n$3\r\nGET\r\n${len(key)}\r\n{key}\r\n".encode())
        return connection.recv(CHUNK)


def measure_requests(context: ssl.SSLContext, options: dict[str, Any]) -> dict[str, float]:
    """Requests per second, and milliseconds from the first packet of a connection to the answer of its request."""

    def measure(_: int) -> float:
        began = time.perf_counter()
        if not get(context, options["address"], options["name"], options["key"]).startswith(b"$"):
            raise ConnectionError("the node refused a request")
        return MILLISECONDS * (time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(options["clients"]) as pool:
        latencies = list(pool.map(measure, range(options["requests"])))
    return {
        "requests_per_second": len(latencies) / (time.perf_counter() - began),
        "p50": percentile(latencies, 50),
        "p99": percentile(latencies, 99),
        "p999": percentile(latencies, 99.9),
    }


def message_bytes(channel: str, size: int) -> int:
    """The length of a message of a shard channel on a RESP2 connection."""
    parts = ["smessage", channel, "x" * size]
    return len("*3\r\n") + sum(len(f"${len(part)}\r\n{part}\r\n") for part in parts)


def subscribe(connection: ssl.SSLSocket, channel: str) -> None:
    """Subscribes and reads the answer: all later bytes are messages."""
    connection.sendall(f"SSUBSCRIBE {channel}\r\n".encode())
    answer = b""
    while not answer.endswith(b":1\r\n"):
        answer += connection.recv(CHUNK)


def measure_delivery(connections: list[ssl.SSLSocket], expected: int) -> float:
    """Reads so many bytes on all connections together; gives the seconds from the first to the last."""
    left, began = expected, 0.0
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.settimeout(0)
            selector.register(connection, selectors.EVENT_READ)
        while left > 0:
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise TimeoutError(f"{left} of {expected} bytes did not come")
            began = began or time.perf_counter()
            for key, _ in ready:
                left -= drain(key.fileobj)  # type: ignore[arg-type]
    return time.perf_counter() - began


def drain(connection: ssl.SSLSocket) -> int:
    """Reads all available bytes; gives their number."""
    count = 0
    try:
        while piece := connection.recv(CHUNK):
            count += len(piece)
    except ssl.SSLWantReadError:
        return count
    raise ConnectionError("a subscriber was cut off")


def main(options: dict[str, Any]) -> None:
    """Makes the requests, or holds the connections and reads the messages if there is a channel."""
    context = ssl.create_default_context(cafile=options["ca_file"])
    if "requests" in options:
        _say(json.dumps(measure_requests(context, options)))
        return
    connections = [
        dial(context, options["address"], options["name"]) for _ in range(options["connections"])
    ]
    channel = options["channel"]
    for connection in connections if channel else ():
        subscribe(connection, channel)
    _say("ready")
    if channel:
        size = message_bytes(channel, options["message_bytes"])
        expected = size * options["messages"] * len(connections)
        _say(str(measure_delivery(connections, expected)))
    sys.stdin.read()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
