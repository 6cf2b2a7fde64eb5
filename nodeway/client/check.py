"""`python -m nodeway.client.check`: whether this host reaches the cache through HAProxies, and in no other way.

It reads what `nodeway.client` reads, and prints one line of JSON. It must never take silence for proof: an address that
does not answer counts only beside HAProxies that do.
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
    """Run it; 1 when anything was not as it should be."""
    options = _options(words)
    port = int(environment["LAB_PORT"])
    found: Figures = {
        "direct": [direct(str(address), port) for address in options.direct],
        "names": [named(name, port, options.through) for name in options.names],
        "exercise": exercised(environment, options.names, keys=options.keys),
    }
    parts = [*found["direct"], *found["names"], found["exercise"]]
    found["ok"] = bool(options.direct and options.names) and all(one["ok"] for one in parts)
    print(json.dumps(found), flush=True)  # noqa: T201 - this line is the result
    return int(not found["ok"])


def direct(address: str, port: int) -> Figures:
    """A node's own address, which must not even refuse: that would be an answer, too."""
    came = answer(address, port)
    return {"address": address, "ok": not came, "answer": came}


def named(name: str, port: int, through: IPv4Network) -> Figures:
    """A node's name: all of its addresses are HAProxies', and each takes a connection."""
    addresses = looked_up(name)
    elsewhere = [one for one in addresses if IPv4Address(one) not in through]
    silent = [one for one in addresses if answer(one, port) != "connected"]
    right = bool(addresses) and not elsewhere and not silent
    return {
        "name": name,
        "ok": right,
        "addresses": addresses,
        "elsewhere": elsewhere,
        "silent": silent,
    }


def exercised(environment: Mapping[str, str], names: Sequence[str], *, keys: int) -> Figures:
    """A day's work of a cluster client, and whether it met the nodes that there should be; an error is a result."""
    try:
        with open_cluster(environment) as cluster:
            figures = exercise(cluster, keys=keys)
    except Exception as error:  # noqa: BLE001 - whatever a user would have seen
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}
    met = {one.rpartition(":")[0] for one in figures["node_names"]}
    unmet = sorted(met.symmetric_difference(names))
    return {**figures, "ok": figures["ok"] and not unmet, "other_nodes": unmet}


def answer(address: str, port: int) -> str:
    """`connected`, `refused`, or nothing when nobody is there; any other error is as silence."""
    try:
        with socket.create_connection((address, port), timeout=CONNECT_SECONDS):
            return "connected"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return ""


def looked_up(name: str) -> list[str]:
    """The name's IPv4 addresses for this host, none when it has none."""
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(one[4][0]) for one in found})


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nodeway.client.check", description=__doc__)
    parser.add_argument("--direct", nargs="*", default=[], help="the nodes' own addresses")
    parser.add_argument("--names", nargs="*", default=[], help="the nodes' names")
    parser.add_argument("--through", type=IPv4Network, required=True, help="the HAProxies' range")
    parser.add_argument("--keys", type=int, default=10_000)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
