"""Exercises a cluster client: every node, every slot and the common commands, with a check of each result."""

# mypy: disallow-untyped-calls=False
# redis-py's cluster client is half typed

import hashlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import redis
from redis.cluster import ClusterNode, RedisCluster

from nodeway.client.slots import SLOTS
from nodeway.client.wait import wait_until

BATCH = 500

T = TypeVar("T", bound=redis.Redis | RedisCluster)


def exercise(cluster: RedisCluster, *, keys: int) -> dict[str, Any]:
    """Uses every node, `keys` keys and the commands that proxies often break, and returns figures.

    `ok` is true if every result was right. An error of a command is part of the result; one of the keys is raised.
    """
    started = time.monotonic()
    commands = run_checks(COMMANDS, cluster)
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
    """Writes `count` keys over all slots and reads them back. Returns how many were not as written."""
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
    """Yields the problems of the TLS of the open connections to a node."""
    pool = node.redis_connection.connection_pool
    sockets = [connection._sock for connection in pool._available_connections]  # noqa: SLF001
    if not any(sockets):
        yield f"{node.host}: no open connection"
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


def check_script(client: redis.Redis | RedisCluster) -> bool:
    """Loads a script, and calls it by its digest."""
    sha = client.script_load("return redis.call('GET', KEYS[1]) .. ARGV[1]")
    client.set("lab:script", "left")
    return bool(client.evalsha(sha, 1, "lab:script", "right") == "leftright")


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
    """Reads a key with READONLY from each replica of its slot, after it was replicated."""
    key = "lab:replica"
    cluster.set(key, "replicated")
    slot = cluster.keyslot(key)
    replicas = cluster.nodes_manager.slots_cache[slot][1:]
    for replica in replicas:
        connection = replica.redis_connection.connection_pool.get_connection()
        try:
            connection.send_command("READONLY")
            connection.read_response()

            def read(connection: Any = connection) -> bool:
                connection.send_command("GET", key)
                return bool(connection.read_response() == "replicated")

            wait_until(read, timeout_seconds=5, what=f"{replica.host} to replicate")
        finally:
            replica.redis_connection.connection_pool.release(connection)
    return bool(replicas)


def _scan(cluster: RedisCluster) -> bool:
    sizes = cluster.dbsize(target_nodes=RedisCluster.PRIMARIES)
    return sum(1 for _ in cluster.scan_iter(count=1000)) == int(sizes)


COMMANDS: dict[str, Callable[[RedisCluster], bool]] = {
    "pipeline": _pipeline,
    "multi_exec": _transaction,
    "evalsha": check_script,
    "pubsub": _publish,
    "blpop": _blocking,
    "replica_read": _replica_read,
    "scan": _scan,
}


def run_checks(checks: Mapping[str, Callable[[T], bool]], client: T) -> dict[str, str]:
    """Runs each check. Returns `ok`, `wrong result` or the error of the client for each."""
    outcomes = {}
    for name, check in checks.items():
        try:
            outcomes[name] = "ok" if check(client) else "wrong result"
        except redis.RedisError as error:
            outcomes[name] = f"{type(error).__name__}: {error}"
    return outcomes
