"""A node's replies to CLUSTER SHARDS, CLUSTER SLOTS and INFO as values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

REDIRECTS = {"moved": "errorstat_MOVED", "asked": "errorstat_ASK"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member as a node announces it. `endpoint`: the host that clients are redirected to, or empty."""

    node_id: str
    endpoint: str
    primary: bool
    shard: int

    @property
    def is_address(self) -> bool:
        """Whether the endpoint is an IP address, or none at all."""
        try:
            ip_address(self.endpoint)
        except ValueError:
            return self.endpoint in {"", "?"}
        return True


@dataclass(frozen=True, slots=True)
class Counters:
    """A node's counters since its start. `run_id` changes with each start."""

    run_id: str
    moved: int
    asked: int
    rejected_connections: int
    primary: bool


@dataclass(frozen=True, slots=True)
class NodeReply:
    """What a node said of itself and its cluster. None: not asked, or not permitted."""

    node_id: str | None = None
    members: tuple[Member, ...] | None = None
    counters: Counters | None = None


def parse_shards(answer: Iterable[Any]) -> tuple[Member, ...]:
    """The reply to CLUSTER SHARDS (https://valkey.io/commands/cluster-shards/), nodes without slots included."""
    found = []
    for shard, shard_info in enumerate(map(_pairs, answer)):
        for node in map(_pairs, shard_info.get("nodes", [])):
            endpoint = _name(node.get("endpoint"))
            found.append(
                Member(str(node.get("id", "")), endpoint, node.get("role") == "master", shard)
            )
    return tuple(sorted(found, key=lambda one: one.node_id))


def parse_slots(answer: Iterable[Any]) -> tuple[Member, ...]:
    """The reply to CLUSTER SLOTS (https://valkey.io/commands/cluster-slots/), for servers without CLUSTER SHARDS."""
    found: dict[str, Member] = {}
    shards: dict[str, int] = {}
    for slot_range in answer:
        nodes = slot_range[2:]
        shard = shards.setdefault(str(nodes[0][2]), len(shards))
        for place, (endpoint, _port, node_id, *_) in enumerate(nodes):
            found[node_id] = Member(str(node_id), _name(endpoint), place == 0, shard)
    return tuple(sorted(found.values(), key=lambda one: one.node_id))


def parse_info(info: str) -> Counters:
    """The counters in a reply to INFO (https://valkey.io/commands/info/). Missing ones are 0."""
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    redirects = {
        name: int(fields.get(field, "count=0").partition("=")[2] or 0)
        for name, field in REDIRECTS.items()
    }
    return Counters(
        run_id=fields.get("run_id", ""),
        rejected_connections=int(fields.get("rejected_connections", 0)),
        primary=fields.get("role") == "master",
        **redirects,
    )


def _pairs(flat: Any) -> dict[str, Any]:  # noqa: ANN401
    """A RESP2 map, which alternates names and values."""
    return dict(zip(flat[::2], flat[1::2], strict=False))


def _name(endpoint: object) -> str:
    return str(endpoint or "").rstrip(".").lower()
