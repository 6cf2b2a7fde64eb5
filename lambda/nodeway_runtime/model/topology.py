"""The values that the stages hand to each other: nodes, proxies, records. Pure: no AWS, no clock.

Names are normalised here, once, on entry (lower case, no trailing dot), so that every later comparison is equality.
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

    `hostname` is None while ElastiCache shows no endpoint for it (`creating`, and sometimes `modifying`).
    """

    cache_cluster_id: str
    hostname: Hostname | None
    availability_zone: str
    status: str


@dataclass(frozen=True, slots=True)
class Topology:
    """The replication group as it was read. `problems` not empty: it was not read whole."""

    nodes: tuple[Node, ...]
    configuration_endpoint: Hostname | None = None
    port: int = 6379
    problems: tuple[str, ...] = ()

    @property
    def live(self) -> tuple[Node, ...]:
        """The nodes that have a name to answer to."""
        return tuple(node for node in self.nodes if node.hostname is not None)

    @property
    def early(self) -> dict[str, Hostname]:
        """Names of the members that are being created, by cache cluster id: known before ElastiCache shows them.

        Only if every live node's name is its id and then the zone: no name is guessed against the evidence.
        """
        if self.configuration_endpoint is None or not self.live:
            return {}
        zone = self.configuration_endpoint.partition(".")[2]
        if any(node.hostname != f"{node.cache_cluster_id}.{zone}" for node in self.live):
            return {}
        creating = (n for n in self.nodes if n.hostname is None and n.status == "creating")
        return {n.cache_cluster_id: Hostname(f"{n.cache_cluster_id}.{zone}") for n in creating}

    @property
    def names(self) -> frozenset[Hostname]:
        """The names that should lead to a HAProxy: of the live nodes, and of those that will be."""
        live = (node.hostname for node in self.live if node.hostname is not None)
        return frozenset((*live, *self.early.values()))

    def knows(self, name: Hostname) -> bool:
        """Whether a record of this name belongs to a member, with or without a visible endpoint."""
        if name == self.configuration_endpoint:
            return True
        first_label = name.partition(".")[0]
        if any(name == n.hostname or first_label == n.cache_cluster_id for n in self.nodes):
            return True
        # where a name does not follow its member's id, it may be that of any member that shows none just now
        hidden = any(node.hostname is None and node.status != "creating" for node in self.nodes)
        groups = {node.cache_cluster_id.rsplit("-", 2)[0] for node in self.nodes}
        return hidden and first_label.rsplit("-", 2)[0] not in groups


@dataclass(frozen=True, slots=True, order=True)
class Proxy:
    """A running HAProxy task and the node that its own task definition says it serves."""

    node: Hostname
    address: Address
    availability_zone: str
    task_arn: str
    healthy: bool
    starting: bool = False
    """Runs, and its first health check has not spoken yet: seconds from being healthy, and no event will say when."""
    stand_in: bool = False
    """Started by resync, not by a service of the deployment."""
    retired_at: datetime | None = None
    """A stand-in's: since when its address is in no record."""

    @property
    def unhealthy(self) -> bool:
        """Its health check has spoken against it."""
        return not self.healthy and not self.starting


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """A HAProxy task that has no address yet, but will."""

    node: Hostname
    task_arn: str
    stand_in: bool


@dataclass(frozen=True, slots=True)
class Fleet:
    """The HAProxies as they were read. `problems` not empty: they were not read whole."""

    proxies: tuple[Proxy, ...]
    problems: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()

    @property
    def tasks(self) -> tuple["Proxy | Pending", ...]:
        """All tasks, with or without an address."""
        return (*self.proxies, *self.pending)

    @property
    def nodes(self) -> frozenset[Hostname]:
        """The nodes that have a task of any kind."""
        return frozenset(task.node for task in self.tasks)

    @property
    def with_own(self) -> frozenset[Hostname]:
        """The nodes that have a task of their own service."""
        return frozenset(task.node for task in self.tasks if not task.stand_in)

    @property
    def stand_ins(self) -> int:
        """How many stand-ins there are."""
        return sum(task.stand_in for task in self.tasks)

    def healthy(self, node: Hostname) -> tuple[Proxy, ...]:
        """The healthy proxies of one node in a stable order: its own service's, else one stand-in.

        The one that is kept when there are two (stand_ins.py), and never one that is on its way out.
        """
        found = sorted(p for p in self.proxies if p.node == node and p.healthy)
        stand_ins = (p for p in found if p.stand_in and p.retired_at is None)
        first = sorted(stand_ins, key=lambda p: p.task_arn)[:1]
        return tuple(p for p in found if not p.stand_in) or tuple(first)


class RecordType(StrEnum):
    """The record types that this program writes, and one for what is in its way."""

    A = "A"
    TXT = "TXT"
    SOA = "SOA"
    OTHER = "OTHER"
    """Never written: a record set of another kind that keeps us from its name."""


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """A record set: `values` sorted and without repeats, `ttl` in seconds."""

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
        """What makes a record set unique in a zone."""
        return self.name, self.type
