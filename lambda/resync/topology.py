"""The values that the stages hand to each other: nodes, proxies, records. Pure: no AWS, no clock.

Names are normalised here, once, on entry (lower case, no trailing dot), so that every later comparison is equality.
"""

import re
from dataclasses import dataclass
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

    def knows(self, name: Hostname) -> bool:
        """Whether a record of this name belongs to a member, with or without a visible endpoint."""
        if name == self.configuration_endpoint:
            return True
        first_label = name.partition(".")[0]
        return any(
            name == node.hostname or first_label == node.cache_cluster_id for node in self.nodes
        )


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


@dataclass(frozen=True, slots=True)
class Fleet:
    """The HAProxies as they were read. `problems` not empty: they were not read whole."""

    proxies: tuple[Proxy, ...]
    problems: tuple[str, ...] = ()

    def healthy(self, node: Hostname) -> tuple[Proxy, ...]:
        """The healthy proxies of one node, in a stable order."""
        return tuple(sorted(p for p in self.proxies if p.node == node and p.healthy))


class RecordType(StrEnum):
    """The record types that this program writes."""

    A = "A"
    SOA = "SOA"


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

    @property
    def key(self) -> tuple[Hostname, RecordType]:
        """What makes a record set unique in a zone."""
        return self.name, self.type
