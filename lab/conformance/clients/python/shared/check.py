"""`python -m …check CLIENT MODE`: the conformance program of the Python clients; modes: commands, connect, load.

It opens the client with the snippet of its directory for the way LAB_WAY, the one that docs/clients.md shows, and
prints lines of JSON.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glide_sync import ReadFrom
from redis.cluster import LoadBalancingStrategy

from lab.conformance.clients.python.shared.behaviours import REPLICA_READS, Behaviours, run_mode
from lab.conformance.clients.python.shared.glide import Glide
from lab.conformance.clients.python.shared.keys import Keys
from lab.conformance.clients.python.shared.redis_py import RedisPy

CLIENTS = Path(__file__).parents[1]
FROM_REPLICAS: Mapping[str, Mapping[str, Any]] = {
    "redis-py": {"load_balancing_strategy": LoadBalancingStrategy.RANDOM_REPLICA},
    "valkey-py": {"read_from_replicas": True},
    "glide-python": {"read_from": ReadFrom.PREFER_REPLICA},
}
"""The option of each client for reads from replicas."""


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one mode of one client."""
    name, mode = words
    if name not in FROM_REPLICAS:
        raise SystemExit(f"client: got {name!r}; allowed: {', '.join(FROM_REPLICAS)}")
    by_envoy = environment["LAB_WAY"].startswith("envoy")
    snippet = load_snippet(CLIENTS / name / ("envoy.py" if by_envoy else "per_node.py"))
    keys = Keys.of(name, environment.get("LAB_SLOT_KEYS"))

    def connect(**options: Any) -> Glide | RedisPy:
        client = snippet(**options)
        if name == "glide-python":
            return Glide(client, not by_envoy)
        return RedisPy(client, not by_envoy, TRANSACTIONS[name])

    behaviours = Behaviours(
        connect,
        keys,
        in_cluster_mode=not by_envoy,
        from_replicas=FROM_REPLICAS[name],
        # valkey-py takes primary and replica in turn
        replica_reads=REPLICA_READS // 2 if name == "valkey-py" else REPLICA_READS,
    )
    run_mode(mode, behaviours, connect, keys)
    return 0


def load_snippet(file: Path) -> Callable[..., Any]:
    """The function `connect` of a snippet."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    connect: Callable[..., Any] = module.connect
    return connect


def _node_transaction(cluster: Any, key: str) -> Any:
    """valkey-py's cluster client refuses transactions; its client of the key's own node has them."""
    node = cluster.get_node_from_key(key)
    return cluster.get_valkey_connection(node).pipeline(transaction=True)


TRANSACTIONS: Mapping[str, Callable[[Any, str], Any]] = {
    "redis-py": lambda cluster, _: cluster.pipeline(transaction=True),
    "valkey-py": _node_transaction,
}
"""How the pipeline of a transaction is opened for a key of a cluster."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
