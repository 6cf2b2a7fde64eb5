"""`python -m lab.bench.load.connections JSON`: many TLS connections from the client's network, idle or subscribed.

Prints `ready` when all are there. Subscribers then count bytes, and print the seconds between the first and the last;
idle connections stay until the process is killed. Messages are not parsed, as that would limit the speed.
"""

import json
import selectors
import socket
import ssl
import sys
import time
from typing import Any

from lab import layout

TIMEOUT_SECONDS = 60.0
CHUNK = 65_536
MESSAGE_BYTES = 1024


def dial(context: ssl.SSLContext, address: str, name: str) -> ssl.SSLSocket:
    """A TLS connection to a node or proxy, verified for the name. Raises OSError."""
    plain = socket.create_connection((address, layout.PORT), timeout=TIMEOUT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=name)


def get_command(key: str) -> bytes:
    """GET as RESP2: Envoy knows no inline commands, and answers PING itself."""
    return f"*2\r\n$3\r\nGET\r\n${len(key)}\r\n{key}\r\n".encode()


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
    """Connects, says so, and reads the messages if there is a channel."""
    context = ssl.create_default_context(cafile=options["ca_file"])
    connections = [
        dial(context, options["address"], options["name"]) for _ in range(options["connections"])
    ]
    for connection in connections if options["channel"] else ():
        subscribe(connection, options["channel"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if options["channel"]:
        size = message_bytes(options["channel"], MESSAGE_BYTES)
        seconds = measure_delivery(connections, size * options["messages"] * len(connections))
        sys.stdout.write(f"{seconds}\n")
        sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
