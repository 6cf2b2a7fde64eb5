"""The client libraries that a shared HAProxy can serve, and those that it cannot serve, with the reason. Pure.

A shared HAProxy takes the node's name from SNI, and all nodes have the same addresses. So a client must send each
node's name as SNI, and must identify nodes by host name.
"""

from collections.abc import Mapping

SERVED = (
    "go-redis",
    "jedis",
    "lettuce",
    "phpredis",
    "redis-py",
    "redis-rs",
    "rueidis",
    "valkey-py",
)
"""Clients that passed the conformance tests with shared HAProxies: docs/clients.md."""

_NO_NAME = "Node.js sends SNI only if `servername` is set, and that is one name for all nodes"
_ONE_NAME = "it sends no SNI, or with --sni one name for all nodes"
_BY_ADDRESS = (
    "it identifies nodes by address, and behind a shared HAProxy all nodes have the same addresses"
)
NOT_SERVED: Mapping[str, str] = {
    "ioredis": _NO_NAME,
    "iovalkey": _NO_NAME,
    "node-redis": _NO_NAME,
    "redis-cli": _ONE_NAME,
    "redisson": _BY_ADDRESS,
    "valkey-cli": _ONE_NAME,
    "valkey-glide": _BY_ADDRESS,
}
"""Clients that cannot be served, with the reason."""
