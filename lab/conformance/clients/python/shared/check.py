"""`python -m lab.conformance.clients.python.shared.check CLIENT MODE`: the conformance program of the Python clients.

It opens the client with the snippet of its directory for the way LAB_WAY, and prints lines of JSON. Modes: `commands`,
`connect`, `load`. It must never know of proxies.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.cluster import LoadBalancingStrategy

from lab.conformance.clients.python.shared import load
from lab.conformance.clients.python.shared.glide import Glide
from lab.conformance.clients.python.shared.keys import Keys
from lab.conformance.clients.python.shared.outcome import report
from lab.conformance.clients.python.shared.redis_py import RedisPy

CLIENTS = Path(__file__).parents[1]
BEHAVIOURS = (
    "all_slots",
    "pipeline_500",
    "multi_exec",
    "evalsha",
    "pubsub",
    "blpop",
    "scan",
    "replica_read",
)
"""The methods of RedisPy and Glide, in the order in which they are tried."""


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one mode; a behaviour that fails is a result, not an exit code."""
    name, mode = words
    way = environment["LAB_WAY"]
    keys = Keys.of(name, environment.get("LAB_SLOT_KEYS"))
    client = asked(name, snippet(CLIENTS / name, way), keys, in_cluster_mode="envoy" not in way)
    match mode:
        case "commands":
            for behaviour in BEHAVIOURS:
                report(behaviour, getattr(client, behaviour))
        case "connect":
            report("connect", client.connect)
        case "load":
            load.run(client.store, keys)
        case _:
            raise SystemExit(f"mode: got {mode!r}; allowed: commands, connect, load")
    return 0


def snippet(directory: Path, way: str) -> Callable[..., Any]:
    """The function `connect` of the very file that docs/clients.md shows."""
    description = json.loads((directory / "client.json").read_text(encoding="utf-8"))
    file = directory / description["snippets"][way]
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    connect: Callable[..., Any] = module.connect
    return connect


def asked(
    name: str, connect: Callable[..., Any], keys: Keys, *, in_cluster_mode: bool
) -> RedisPy | Glide:
    """The client with what is peculiar to it."""
    match name:
        case "redis-py":
            return RedisPy(
                connect,
                keys,
                in_cluster_mode,
                from_replicas={"load_balancing_strategy": LoadBalancingStrategy.RANDOM_REPLICA},
                transaction=lambda client, _: client.pipeline(transaction=True),
            )
        case "valkey-py":
            return RedisPy(
                connect,
                keys,
                in_cluster_mode,
                from_replicas={"read_from_replicas": True},
                transaction=node_transaction,
            )
        case "glide-python":
            return Glide(connect, keys, in_cluster_mode)
        case _:
            raise SystemExit(f"client: got {name!r}; allowed: redis-py, valkey-py, glide-python")


def node_transaction(cluster: Any, key: str) -> Any:
    """valkey-py's cluster client refuses transactions; its client of the key's own node has them."""
    node = cluster.get_node_from_key(key)
    return cluster.get_valkey_connection(node).pipeline(transaction=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
