"""`python -m lab.bench.load.connect_rate JSON`: opens new TLS connections, with one request on each.

redis-benchmark can do so, but leaves Nagle's algorithm on, which clients switch off. Its first request would wait 40 ms
for the acknowledgement of a proxy that sends nothing after the handshake.
"""

import json
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab.bench.load.connections import CHUNK, dial, get_command
from lab.report.figures import percentile

MILLISECONDS = 1000


def measure_request(context: ssl.SSLContext, options: dict[str, Any]) -> float:
    """Milliseconds from the first packet of a connection to the answer of its request."""
    began = time.perf_counter()
    with dial(context, options["address"], options["name"]) as connection:
        connection.sendall(get_command(options["key"]))
        if not connection.recv(CHUNK).startswith(b"$"):
            raise ConnectionError("the node refused a request")
        return MILLISECONDS * (time.perf_counter() - began)


def main(options: dict[str, Any]) -> None:
    """Opens all connections, `clients` at a time, and prints the figures as JSON."""
    context = ssl.create_default_context(cafile=options["ca_file"])
    began = time.perf_counter()
    with ThreadPoolExecutor(options["clients"]) as pool:
        latencies = list(
            pool.map(lambda _: measure_request(context, options), range(options["requests"]))
        )
    seconds = time.perf_counter() - began
    figures = {
        "requests_per_second": len(latencies) / seconds,
        "p50": percentile(latencies, 50),
        "p99": percentile(latencies, 99),
        "p999": percentile(latencies, 99.9),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
