"""`python -m lab.bench.load.connect_rate JSON`: opens one connection after the other, with TLS and one request on each.

redis-benchmark can do so, but leaves Nagle's algorithm on, which clients switch off: its first request would wait 40 ms
for the acknowledgement of a proxy that says nothing after the handshake. It must never use a connection twice.
"""

import json
import math
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab import layout

PATIENCE_SECONDS = 30.0
CHUNK = 65_536
MILLISECONDS = 1000


def dial(context: ssl.SSLContext, told: dict[str, Any]) -> float:
    """Milliseconds from the first packet to the answer of a request."""
    began = time.perf_counter()
    plain = socket.create_connection((told["address"], layout.PORT), timeout=PATIENCE_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_hostname=told["name"]) as connection:
        key = told["key"]
        connection.sendall(f"*2\r\n$3\r\nGET\r\n${len(key)}\r\n{key}\r\n".encode())
        if not connection.recv(CHUNK).startswith(b"$"):
            raise ConnectionError("the node refused a request")
        return MILLISECONDS * (time.perf_counter() - began)


def percentile(ordered: list[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def main() -> None:
    """Dials, and says what it took as JSON."""
    told = json.loads(sys.argv[1])
    context = ssl.create_default_context(cafile=told["authority"])
    began = time.perf_counter()
    with ThreadPoolExecutor(told["clients"]) as pool:
        took = sorted(pool.map(lambda _: dial(context, told), range(told["requests"])))
    seconds = time.perf_counter() - began
    figures = {
        "requests_per_second": len(took) / seconds,
        "p50": percentile(took, 50),
        "p99": percentile(took, 99),
        "p999": percentile(took, 99.9),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
