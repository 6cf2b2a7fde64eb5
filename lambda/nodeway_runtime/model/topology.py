"""Nodes, proxies and records as values. Pure.

Names are normalised when they are parsed (lower case, no trailing dot), so that they compare with `==`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
from typing import NewType

Hostname = NewType("Hostname", str)
Address = NewType("Address", str)

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")


def hostname(text: str) -> Hostname:
    """The normal form of a DNS name: lower case, without the trailing dot (RFC 1035 2.3.3, 3.1).

    Raises ValueError for what cannot be a host name.
    """
    name = text.strip().removesuffix(".").lower()
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):  # noqa: PLR2004 (RFC 1035: 255 octets on the wire)
        msg = f"not a host name: got {text!r}; give a name such as demo-0001-001.demo.abc123.use1.cache.amazonaws.com"
        raise ValueError(msg)
    return Hostname(name)


def record_name(text: str) -> Hostname:
    r"""The normal form of a record set's name: a host name in which a label may be `*`, Route 53's `\\052`.

    Raises ValueError for what cannot be one.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
    """
    labels = text.strip().replace("\\052", "*").split(".")
    hostname(".".join("wildcard" if label == "*" else label for label in labels))
    return Hostname(".".join(labels).removesuffix(".").lower())


def address(text: str) -> Address:
    """An IPv4 address in its normal form; raises ValueError for anything else."""
    try:
        return Address(str(IPv4Address(text.strip())))
    except AddressValueError as error:
        msg = f"not an IPv4 address: got {text!r}"
        raise ValueError(msg) from error


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A member of the replication group.

    `hostname` is None while ElastiCache shows no endpoint for it (status `creating`, sometimes `modifying`).
    """

    cache_cluster_id: str
    hostname: Hostname | None
    availability_zone: str
    status: str


@dataclass(frozen=True, slots=True)
class Topology:
    """The replication group as it was read. `problems`: why the read is incomplete; empty when it is complete."""

    nodes: tuple[Node, ...]
    configuration_endpoint: Hostname | None = None
    port: int = 6379
    problems: tuple[str, ...] = ()

    @property
    def reachable(self) -> tuple[Node, ...]:
        """The nodes with an endpoint."""
        return tuple(node for node in self.nodes if node.hostname is not None)

    @property
    def pending_names(self) -> dict[str, Hostname]:
        """The names that members in status `creating` will get, by cache cluster id.

        Empty unless the name of every reachable node is its cache cluster id plus the zone.
        """
        if self.configuration_endpoint is None or not self.reachable:
            return {}
        zone = self.configuration_endpoint.partition(".")[2]
        if any(node.hostname != f"{node.cache_cluster_id}.{zone}" for node in self.reachable):
            return {}
        creating = (n for n in self.nodes if n.hostname is None and n.status == "creating")
        return {n.cache_cluster_id: Hostname(f"{n.cache_cluster_id}.{zone}") for n in creating}

    @property
    def names(self) -> frozenset[Hostname]:
        """The names that should lead to a HAProxy: of reachable nodes, and pending names."""
        reachable = (node.hostname for node in self.reachable if node.hostname is not None)
        return frozenset((*reachable, *self.pending_names.values()))

    def has_member(self, name: Hostname) -> bool:
        """Whether the name is the configuration endpoint or may belong to a member, with or without an endpoint."""
        if name == self.configuration_endpoint:
            return True
        first_label = name.partition(".")[0]
        if any(name == n.hostname or first_label == n.cache_cluster_id for n in self.nodes):
            return True
        # A name that does not contain a member's id may belong to any member that shows no endpoint.
        hidden = any(node.hostname is None and node.status != "creating" for node in self.nodes)
        groups = {node.cache_cluster_id.rsplit("-", 2)[0] for node in self.nodes}
        return hidden and first_label.rsplit("-", 2)[0] not in groups


@dataclass(frozen=True, slots=True, order=True)
class Proxy:
    """A HAProxy task with an address, and the node that it serves according to its tag.

    `starting`: it runs, but ECS has no result of its health check yet (no event tells when it will). `stand_in`: it was
    started by the resync and not by an ECS service. `retired_at`: since when a stand-in's address is in no record.
    """

    node: Hostname
    address: Address
    availability_zone: str
    task_arn: str
    healthy: bool
    starting: bool = False
    stand_in: bool = False
    retired_at: datetime | None = None

    @property
    def unhealthy(self) -> bool:
        """Whether its health check fails."""
        return not self.healthy and not self.starting


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """A HAProxy task without an address yet."""

    node: Hostname
    task_arn: str
    stand_in: bool


@dataclass(frozen=True, slots=True)
class Fleet:
    """The HAProxy tasks as they were read. `problems`: why the read is incomplete; empty when it is complete."""

    proxies: tuple[Proxy, ...]
    problems: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()

    @property
    def tasks(self) -> tuple["Proxy | Pending", ...]:
        """All tasks, with and without an address."""
        return (*self.proxies, *self.pending)

    @property
    def nodes(self) -> frozenset[Hostname]:
        """The nodes with a task of any kind."""
        return frozenset(task.node for task in self.tasks)

    @property
    def nodes_with_own_task(self) -> frozenset[Hostname]:
        """The nodes with a task of their own ECS service."""
        return frozenset(task.node for task in self.tasks if not task.stand_in)

    @property
    def stand_ins(self) -> int:
        """The number of stand-ins."""
        return sum(task.stand_in for task in self.tasks)

    def healthy(self, node: Hostname) -> tuple[Proxy, ...]:
        """The healthy proxies of a node in a stable order: those of its own service, else one stand-in.

        Of several stand-ins it is the one that `planner.stand_ins` keeps. Retired ones do not count.
        """
        found = sorted(p for p in self.proxies if p.node == node and p.healthy)
        stand_ins = (p for p in found if p.stand_in and p.retired_at is None)
        first = sorted(stand_ins, key=lambda p: p.task_arn)[:1]
        return tuple(p for p in found if not p.stand_in) or tuple(first)


class RecordType(StrEnum):
    """The record types that this program writes, and OTHER for a record set that prevents it from writing."""

    A = "A"
    TXT = "TXT"
    SOA = "SOA"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """A record set. `values`: sorted, without repeats. `ttl`: in seconds."""

    name: Hostname
    type: RecordType
    values: tuple[str, ...]
    ttl: int

    @staticmethod
    def a(name: Hostname, addresses: list[Address] | tuple[Address, ...], ttl: int) -> "Record":
        """An A record set in normal form."""
        return Record(name, RecordType.A, tuple(sorted(set(addresses), key=IPv4Address)), ttl)

    def __str__(self) -> str:
        return f"{self.name} {self.type} {','.join(self.values)} ttl={self.ttl}"

    @property
    def key(self) -> tuple[Hostname, RecordType]:
        """Name and type, which identify a record set in a zone."""
        return self.name, self.type
