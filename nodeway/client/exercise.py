"""Everything that a cluster client does in a day, in a few seconds, and whether it was right.

It must never pass over a wrong result: `ok` is for all right.
"""

# mypy: disallow-untyped-calls=False
# redis-py's cluster client is half typed

import hashlib
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import redis
from redis.cluster import ClusterNode, RedisCluster

from nodeway.client.wait import wait_until

BATCH = 500
SLOTS = 16384


def exercise(cluster: RedisCluster, *, keys: int) -> dict[str, Any]:
    """Use every node, `keys` keys and the commands that proxies tend to break; gives figures.

    `ok` says that all was right. Errors of a command are results; those of the keys are raised.
    """
    started = time.monotonic()
    commands = {name: _outcome(check, cluster) for name, check in COMMANDS.items()}
    wrong = _write_and_read(cluster, keys)
    nodes = list(cluster.get_nodes())
    for node in nodes:
        cluster.ping(target_nodes=node)
    covered = sum(1 for slot in range(SLOTS) if cluster.nodes_manager.slots_cache.get(slot))
    unverified = [problem for node in nodes for problem in _unverified(node)]
    figures = {
        "nodes": len(nodes),
        "node_names": sorted(f"{node.host}:{node.port}" for node in nodes),
        "primaries": sorted(node.host for node in cluster.get_primaries()),
        "slots_covered": covered,
        "keys_written": keys,
        "keys_read_back": keys - wrong,
        "tls_verified": not unverified,
        "tls_problems": unverified,
        "commands": commands,
        "seconds": round(time.monotonic() - started, 3),
    }
    right = all(outcome == "ok" for outcome in commands.values())
    return {"ok": right and not wrong and not unverified and covered == SLOTS, **figures}


def _value(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _write_and_read(cluster: RedisCluster, count: int) -> int:
    """Write `count` keys over all slots and read them back; gives how many were not as written."""
    wrong = 0
    keys = [f"lab:key:{number}" for number in range(count)]
    for batch in _batches(keys):
        with cluster.pipeline() as pipe:
            for key in batch:
                pipe.set(key, _value(key))
            pipe.execute()
    for batch in _batches(keys):
        with cluster.pipeline() as pipe:
            for key in batch:
                pipe.get(key)
            wrong += sum(got != _value(key) for key, got in zip(batch, pipe.execute(), strict=True))
    return wrong


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def _unverified(node: ClusterNode) -> Iterator[str]:
    """What is not as it should be with the TLS of the connections to a node that are open."""
    pool = node.redis_connection.connection_pool
    sockets = [connection._sock for connection in pool._available_connections]  # noqa: SLF001
    if not any(sockets):
        yield f"{node.host}: no connection to look at"
    for sock in filter(None, sockets):
        if not isinstance(sock, ssl.SSLSocket):
            yield f"{node.host}: no TLS"
        elif not (sock.context.check_hostname and sock.context.verify_mode == ssl.CERT_REQUIRED):
            yield f"{node.host}: certificate not verified"
        elif sock.server_hostname != node.host or not sock.getpeercert():
            yield f"{node.host}: verified for {sock.server_hostname}"


def _pipeline(cluster: RedisCluster) -> bool:
    with cluster.pipeline() as pipe:
        for number in range(BATCH):
            pipe.incrby(f"lab:counter:{number}", 0)
        return len(pipe.execute()) == BATCH


def _transaction(cluster: RedisCluster) -> bool:
    with cluster.pipeline(transaction=True) as pipe:
        pipe.set("{lab:tx}:a", "1")
        pipe.get("{lab:tx}:a")
        written, read = pipe.execute()
        return bool(written) and read == "1"


def _script(cluster: RedisCluster) -> bool:
    sha = cluster.script_load("return redis.call('GET', KEYS[1]) .. ARGV[1]")
    cluster.set("lab:script", "left")
    return bool(cluster.evalsha(sha, 1, "lab:script", "right") == "leftright")


def _publish(cluster: RedisCluster) -> bool:
    with cluster.pubsub() as subscription:
        subscription.subscribe("lab:channel")
        wait_until(
            lambda: subscription.get_message(timeout=0.5), timeout_seconds=5, what="SUBSCRIBE"
        )
        cluster.publish("lab:channel", "hello")
        message = wait_until(
            lambda: subscription.get_message(timeout=0.5), timeout_seconds=5, what="a message"
        )
        return bool(message["data"] == "hello")


def _blocking(cluster: RedisCluster) -> bool:
    cluster.delete("lab:queue")
    waited = cluster.blpop(["lab:queue"], timeout=1) is None
    cluster.rpush("lab:queue", "job")
    return waited and "job" in (cluster.blpop(["lab:queue"], timeout=1) or ())


def _replica_read(cluster: RedisCluster) -> bool:
    """READONLY and a GET at the replica of the key's slot, once it has followed."""
    key = "lab:replica"
    cluster.set(key, "followed")
    slot = cluster.keyslot(key)
    replicas = cluster.nodes_manager.slots_cache[slot][1:]
    for replica in replicas:
        connection = replica.redis_connection.connection_pool.get_connection()
        try:
            connection.send_command("READONLY")
            connection.read_response()

            def read(connection: Any = connection) -> bool:
                connection.send_command("GET", key)
                return bool(connection.read_response() == "followed")

            wait_until(read, timeout_seconds=5, what=f"{replica.host} to follow")
        finally:
            replica.redis_connection.connection_pool.release(connection)
    return bool(replicas)


def _scan(cluster: RedisCluster) -> bool:
    sizes = cluster.dbsize(target_nodes=RedisCluster.PRIMARIES)
    return sum(1 for _ in cluster.scan_iter(count=1000)) == int(sizes)


COMMANDS: dict[str, Callable[[RedisCluster], bool]] = {
    "pipeline": _pipeline,
    "multi_exec": _transaction,
    "evalsha": _script,
    "pubsub": _publish,
    "blpop": _blocking,
    "replica_read": _replica_read,
    "scan": _scan,
}


def _outcome(check: Callable[[RedisCluster], bool], cluster: RedisCluster) -> str:
    try:
        return "ok" if check(cluster) else "wrong result"
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"
