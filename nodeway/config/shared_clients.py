"""Which client libraries a shared HAProxy can serve, and which not, with the reason. Pure.

It knows which node is meant from the TLS hello only, and its clients see all nodes at the same addresses: a client must
send the name of each node there, and must keep nodes apart by their names.
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
"""Each was run through one: docs/clients.md."""

_NO_NAME = "Node.js sends a name only where `servername` is set, and that is one name for all nodes"
_ONE_NAME = "it sends no name, or with --sni one name for all nodes"
_BY_ADDRESS = (
    "it keeps nodes apart by their addresses, and behind a shared HAProxy all have the same"
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
"""A client, and why it cannot be served."""
