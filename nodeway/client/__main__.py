"""`python -m nodeway.client MODE`: an ordinary client program, for the client VPC's network.

It is redis-py as its documentation tells to use it with a cluster and TLS. All that it knows are
LAB_ENDPOINT, LAB_PORT, LAB_CA_FILE, LAB_USERNAME and LAB_PASSWORD, and by LAB_WAY whether it speaks with a cluster or
with one endpoint that hides it. It prints one line of JSON. It must never know of proxies.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis
from redis.cluster import RedisCluster

from nodeway.client import exercise as client_exercise
from nodeway.client import exercise_plain as client_plain
from nodeway.client import load as client_load

Figures = dict[str, Any]
Client = RedisCluster | redis.Redis


def open_client(environment: Mapping[str, str], **options: Any) -> Client:
    """Connect in the manner of the way; raises redis.RedisError when that fails."""
    hidden = environment.get("LAB_WAY", "").startswith("envoy-")
    return (open_plain if hidden else open_cluster)(environment, **options)


def open_plain(
    environment: Mapping[str, str],
    *,
    ca_file: str | None = None,
    password: str | None = None,
    connect_timeout: float = 4,
) -> redis.Redis:
    """A client without cluster mode, which speaks what its listener speaks; raises redis.RedisError."""
    client = redis.Redis(
        host=environment["LAB_ENDPOINT"],
        port=int(environment["LAB_PORT"]),
        username=environment["LAB_USERNAME"],
        password=password or environment["LAB_PASSWORD"],
        ssl=True,
        ssl_ca_certs=ca_file or environment["LAB_CA_FILE"],
        protocol=3 if environment["LAB_WAY"] == "envoy-resp3" else 2,
        socket_timeout=6,
        socket_connect_timeout=connect_timeout,
        decode_responses=True,
    )
    client.ping()
    return client


def open_cluster(
    environment: Mapping[str, str],
    *,
    ca_file: str | None = None,
    password: str | None = None,
    connect_timeout: float = 4,
) -> RedisCluster:
    """Connect as the environment says; raises redis.RedisError when that fails."""
    return RedisCluster(
        host=environment["LAB_ENDPOINT"],
        port=int(environment["LAB_PORT"]),
        username=environment["LAB_USERNAME"],
        password=password or environment["LAB_PASSWORD"],
        ssl=True,
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        ssl_ca_certs=ca_file or environment["LAB_CA_FILE"],
        socket_timeout=2,
        socket_connect_timeout=connect_timeout,
        decode_responses=True,
    )


def connect(open_it: Callable[[], Client]) -> Figures:
    """Try one SET and one GET; an error is a result too."""
    try:
        with open_it() as cluster:
            cluster.set("lab:connect", "yes")
            return {"ok": cluster.get("lab:connect") == "yes"}
    except Exception as error:  # noqa: BLE001 - whatever a user would have seen
        return {"ok": False, "error_type": type(error).__name__, "error": str(error) or repr(error)}


def moved(environment: Mapping[str, str]) -> str:
    """What the node behind the endpoint says to a client that asks it for other nodes' keys: `MOVED slot host:port`."""
    node = redis.Redis(
        host=environment["LAB_ENDPOINT"],
        port=int(environment["LAB_PORT"]),
        username=environment["LAB_USERNAME"],
        password=environment["LAB_PASSWORD"],
        ssl=True,
        ssl_ca_certs=environment["LAB_CA_FILE"],
        socket_timeout=2,
    )
    with node:
        for number in range(64):
            try:
                node.get(f"lab:moved:{number}")
            except redis.exceptions.MovedError as error:
                return f"MOVED {error.slot_id} {error.host}:{error.port}"
    return "no MOVED"


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one mode; 1 when `exercise` found a wrong result or `connect` was not as expected."""
    options = _options(words)

    def open_it() -> Client:
        wrong = "not-the-password" if options.wrong_password else None
        return open_client(
            environment,
            ca_file=options.ca,
            password=wrong,
            connect_timeout=options.connect_timeout,
        )

    if options.mode == "connect":
        figures = connect(open_it)
        if options.moved:
            figures["moved"] = moved(environment)
        failed = options.expect is not None and figures["ok"] != (options.expect == "ok")
    elif options.mode == "exercise":
        with open_it() as client:
            figures = (
                client_exercise.exercise(client, keys=options.keys)
                if isinstance(client, RedisCluster)
                else client_plain.exercise(client)
            )
        failed = not figures["ok"]
    else:
        load = client_load.Load(
            options.threads, options.rate, options.until_file, options.progress, options.fresh
        )
        figures = load.run(open_it)
        failed = False
    print(json.dumps(figures), flush=True)  # noqa: T201 - this line is the result
    return int(failed)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nodeway.client", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    for name in ("connect", "exercise", "load"):
        mode = modes.add_parser(name)
        mode.add_argument("--wrong-password", action="store_true", help="log in with another one")
        mode.add_argument("--ca", metavar="FILE", help="trust this CA in place of LAB_CA_FILE")
        mode.add_argument("--connect-timeout", type=float, default=4, help="seconds an address")
    modes.choices["connect"].add_argument(
        "--moved", action="store_true", help="also ask one node for others' keys"
    )
    modes.choices["connect"].add_argument("--expect", choices=("ok", "error"))
    modes.choices["exercise"].add_argument("--keys", type=int, default=10_000)
    load = modes.choices["load"]
    load.add_argument("--until-file", type=Path, required=True, help="stop when this file exists")
    load.add_argument("--progress", type=Path, help="keep the count so far in this file (JSON)")
    load.add_argument("--threads", type=int, default=4)
    load.add_argument("--rate", type=float, default=250, help="writes a second and thread at most")
    load.add_argument("--fresh", action="store_true", help="a client of its own for each write")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
