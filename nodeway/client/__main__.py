"""`python -m nodeway.client MODE`: an ordinary client program, to run in a client VPC.

It uses redis-py as its documentation shows for a cluster with TLS. Its configuration is LAB_ENDPOINT, LAB_PORT,
LAB_CA_FILE, LAB_USERNAME, LAB_PASSWORD and LAB_WAY, which for Envoy's listeners begins with `envoy-`. It prints one
line of JSON.
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
    """Connects with the client of the mode, and the options of `connection_options`; raises redis.RedisError."""
    mode = environment.get("LAB_WAY", "")
    if not mode.startswith("envoy-"):
        return open_cluster(environment, **options)
    client = redis.Redis(
        **connection_options(environment, **options),
        protocol=3 if mode == "envoy-resp3" else 2,
        socket_timeout=6,
        decode_responses=True,
    )
    client.ping()
    return client


def open_cluster(environment: Mapping[str, str], **options: Any) -> RedisCluster:
    """Connects with cluster mode, and the options of `connection_options`; raises redis.RedisError."""
    return RedisCluster(
        **connection_options(environment, **options),
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        socket_timeout=2,
        decode_responses=True,
    )


def connection_options(
    environment: Mapping[str, str],
    *,
    ca_file: str | None = None,
    password: str | None = None,
    connect_timeout: float = 4,
) -> dict[str, Any]:
    """Returns the options of every client. `connect_timeout` is in seconds for each address."""
    return {
        "host": environment["LAB_ENDPOINT"],
        "port": int(environment["LAB_PORT"]),
        "username": environment["LAB_USERNAME"],
        "password": password or environment["LAB_PASSWORD"],
        "ssl": True,
        "ssl_ca_certs": ca_file or environment["LAB_CA_FILE"],
        "socket_connect_timeout": connect_timeout,
    }


def connect(open_it: Callable[[], Client]) -> Figures:
    """Executes one SET and one GET. An error is part of the result."""
    try:
        with open_it() as cluster:
            cluster.set("lab:connect", "yes")
            return {"ok": cluster.get("lab:connect") == "yes"}
    except Exception as error:  # noqa: BLE001 (any error that a user would get)
        return {"ok": False, "error_type": type(error).__name__, "error": str(error) or repr(error)}


def read_redirect(environment: Mapping[str, str]) -> str:
    """Returns the first `MOVED slot host:port` with which the node behind the endpoint answers to 64 keys."""
    with redis.Redis(**connection_options(environment), socket_timeout=2) as node:
        for number in range(64):
            try:
                node.get(f"lab:moved:{number}")
            except redis.exceptions.MovedError as error:
                return f"MOVED {error.slot_id} {error.host}:{error.port}"
    return "no MOVED"


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one mode. Returns 1 for a wrong result of `exercise`, or one of `connect` that is not as expected."""
    options = _options(words)

    def open_it() -> Client:
        return open_client(
            environment,
            ca_file=options.ca,
            password="not-the-password" if options.wrong_password else None,
            connect_timeout=options.connect_timeout,
        )

    if options.mode == "connect":
        figures = connect(open_it)
        if options.moved:
            figures["moved"] = read_redirect(environment)
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
    print(json.dumps(figures), flush=True)  # noqa: T201 (the result)
    return int(failed)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nodeway.client", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    for name in ("connect", "exercise", "load"):
        mode = modes.add_parser(name)
        mode.add_argument("--wrong-password", action="store_true", help="log in with a wrong one")
        mode.add_argument("--ca", metavar="FILE", help="trust this CA in place of LAB_CA_FILE")
        mode.add_argument("--connect-timeout", type=float, default=4, help="seconds per address")
    modes.choices["connect"].add_argument(
        "--moved", action="store_true", help="also get a MOVED answer from one node"
    )
    modes.choices["connect"].add_argument("--expect", choices=("ok", "error"))
    modes.choices["exercise"].add_argument("--keys", type=int, default=10_000)
    load = modes.choices["load"]
    load.add_argument("--until-file", type=Path, required=True, help="stop when this file exists")
    load.add_argument("--progress", type=Path, help="write the counts to this file (JSON)")
    load.add_argument("--threads", type=int, default=4)
    load.add_argument("--rate", type=float, default=250, help="maximum writes per second, a thread")
    load.add_argument("--fresh", action="store_true", help="open a new client for each write")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
