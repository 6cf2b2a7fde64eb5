"""`python -m lab.bench.load.connections JSON`: many TLS connections from the client's network, idle or subscribed.

Says `ready` when all are there. Subscribers then count bytes, and say how many seconds lay between the first and the
last; idle ones stay until the process is killed. It must never parse what it counts: that would be its own speed.
"""

import json
import selectors
import socket
import ssl
import sys
import time
from typing import Any

from lab import layout

PATIENCE_SECONDS = 60.0
CHUNK = 65_536
MESSAGE_BYTES = 1024


def message_bytes(channel: str, size: int) -> int:
    """How long a message of a shard channel is on a RESP2 connection."""
    parts = ["smessage", channel, "x" * size]
    return len("*3\r\n") + sum(len(f"${len(part)}\r\n{part}\r\n") for part in parts)


def connect(told: dict[str, Any]) -> ssl.SSLSocket:
    """A connection with its handshake done and the node's certificate verified."""
    context = ssl.create_default_context(cafile=told["authority"])
    plain = socket.create_connection((told["address"], layout.PORT), timeout=PATIENCE_SECONDS)
    return context.wrap_socket(plain, server_hostname=told["name"])


def subscribe(connection: ssl.SSLSocket, channel: str) -> None:
    """Subscribes and reads the answer: what comes after it are messages."""
    connection.sendall(f"SSUBSCRIBE {channel}\r\n".encode())
    answer = b""
    while not answer.endswith(b":1\r\n"):
        answer += connection.recv(CHUNK)


def seconds_for(connections: list[ssl.SSLSocket], expected: int) -> float:
    """Reads until so many bytes came on all of them together; seconds between the first and the last."""
    left, began = expected, 0.0
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.settimeout(0)
            selector.register(connection, selectors.EVENT_READ)
        while left > 0:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"{left} of {expected} bytes did not come")
            began = began or time.perf_counter()
            for key, _ in ready:
                left -= drained(key.fileobj)  # type: ignore[arg-type]
    return time.perf_counter() - began


def drained(connection: ssl.SSLSocket) -> int:
    """Reads what there is; gives how much it was."""
    count = 0
    try:
        while piece := connection.recv(CHUNK):
            count += len(piece)
    except ssl.SSLWantReadError:
        return count
    raise ConnectionError("a subscriber was cut off")


def main() -> None:
    """Connects, says so, and does its part."""
    told = json.loads(sys.argv[1])
    connections = [connect(told) for _ in range(told["connections"])]
    for connection in connections if told["channel"] else ():
        subscribe(connection, told["channel"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if told["channel"]:
        size = message_bytes(told["channel"], MESSAGE_BYTES)
        seconds = seconds_for(connections, size * told["messages"] * len(connections))
        sys.stdout.write(f"{seconds}\n")
        sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
