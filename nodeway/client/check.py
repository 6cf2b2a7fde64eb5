"""`python -m nodeway.client.check`: whether this host reaches the cache through HAProxies only.

It has the configuration of `nodeway.client`, and prints one line of JSON. A node that does not answer at its own
address proves something only if the HAProxies answer, so both are checked.
"""

import argparse
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from nodeway.client.__main__ import open_cluster
from nodeway.client.exercise import exercise

CONNECT_SECONDS = 3.0

Figures = dict[str, Any]


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs all checks. Returns 1 if one of them failed, or if there is nothing to check."""
    options = _options(words)
    port = int(environment["LAB_PORT"])
    result: Figures = {
        "direct": [check_address(str(address), port) for address in options.direct],
        "names": [check_name(name, port, options.through) for name in options.names],
        "exercise": check_cluster(environment, options.names, keys=options.keys),
    }
    parts = [*result["direct"], *result["names"], result["exercise"]]
    result["ok"] = bool(options.direct and options.names) and all(part["ok"] for part in parts)
    print(json.dumps(result), flush=True)  # noqa: T201 (the result)
    return int(not result["ok"])


def check_address(address: str, port: int) -> Figures:
    """Checks that a node's own address does not answer, not even with a refusal."""
    answer = try_connection(address, port)
    return {"address": address, "ok": not answer, "answer": answer}


def check_name(name: str, port: int, through: IPv4Network) -> Figures:
    """Checks that all addresses of a node's name are HAProxies', and that each accepts a connection."""
    addresses = resolve_name(name)
    elsewhere = [address for address in addresses if IPv4Address(address) not in through]
    silent = [address for address in addresses if try_connection(address, port) != "connected"]
    return {
        "name": name,
        "ok": bool(addresses) and not elsewhere and not silent,
        "addresses": addresses,
        "elsewhere": elsewhere,
        "silent": silent,
    }


def check_cluster(environment: Mapping[str, str], names: Sequence[str], *, keys: int) -> Figures:
    """Exercises a cluster client, and checks that it found exactly these nodes. An error is part of the result."""
    try:
        with open_cluster(environment) as cluster:
            figures = exercise(cluster, keys=keys)
    except Exception as error:  # noqa: BLE001 (any error that a user would get)
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}
    nodes = {node.rpartition(":")[0] for node in figures["node_names"]}
    other_nodes = sorted(nodes.symmetric_difference(names))
    return {**figures, "ok": figures["ok"] and not other_nodes, "other_nodes": other_nodes}


def try_connection(address: str, port: int) -> str:
    """Returns `connected` or `refused`; an empty string after the timeout or any other error."""
    try:
        with socket.create_connection((address, port), timeout=CONNECT_SECONDS):
            return "connected"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return ""


def resolve_name(name: str) -> list[str]:
    """Returns the name's IPv4 addresses, or none if it does not resolve."""
    try:
        addresses = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(sockaddr[0]) for *_, sockaddr in addresses})


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nodeway.client.check", description=__doc__)
    parser.add_argument("--direct", nargs="*", default=[], help="the nodes' own addresses")
    parser.add_argument("--names", nargs="*", default=[], help="the nodes' names")
    parser.add_argument("--through", type=IPv4Network, required=True, help="the HAProxies' range")
    parser.add_argument("--keys", type=int, default=10_000)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
