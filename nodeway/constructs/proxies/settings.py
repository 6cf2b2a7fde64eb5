"""The parameters of proxies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from aws_cdk import aws_ec2 as ec2

from nodeway.constructs.network.network import ProxyNetwork
from nodeway.haproxy.render import IMAGE
from nodeway.lookup.topology import KnownTopology


@dataclass(frozen=True, slots=True)
class ClientNetwork:
    """A VPC with clients, or a range outside AWS (`vpc_id` None). It may connect to the proxies.

    The private zone is associated with the VPC. `security_group_ids`: the groups that may connect; without any, the
    whole `cidr` may. `probe_subnet_ids`: the subnets of the probe; without any, the VPC has no probe. `account` and
    `region` are None if they are the deployment's own.
    """

    vpc_id: str | None
    cidr: str
    account: str | None = None
    region: str | None = None
    security_group_ids: tuple[str, ...] = ()
    probe_subnet_ids: tuple[str, ...] = ()

    @classmethod
    def of_vpc(
        cls,
        vpc: ec2.IVpc,
        *,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        probe_subnets: Sequence[ec2.ISubnet] = (),
    ) -> Self:
        """Returns the network of a VPC of the same account and Region."""
        return cls(
            vpc.vpc_id,
            vpc.vpc_cidr_block,
            security_group_ids=tuple(group.security_group_id for group in security_groups),
            probe_subnet_ids=tuple(subnet.subnet_id for subnet in probe_subnets),
        )

    @property
    def description(self) -> str:
        """The description of a security group rule for these clients."""
        return f"clients of {self.vpc_id}" if self.vpc_id else "clients on premises"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The size of a proxy's task, and further settings of all proxies of a cluster.

    `cpu`: CPU units of Fargate. `cache_security_group_id`: the group that gets a rule for the proxies. `node_metrics`:
    whether each node has metrics beside those of the cluster.
    """

    cpu: int = 256
    memory_mib: int = 512
    image: str = IMAGE
    cache_security_group_id: str | None = None
    node_metrics: bool = True


@dataclass(frozen=True, slots=True)
class ProxiedCluster:
    """One cluster with proxies: its group and nodes, the network of the proxies, and their clients.

    `label`: the name in stacks, metrics and log lines. A group has one for each mode of its proxies.
    """

    replication_group_id: str
    label: str
    topology: KnownTopology
    network: ProxyNetwork
    clients: tuple[ClientNetwork, ...]
    settings: ProxySettings

    @property
    def client_cidrs(self) -> tuple[str, ...]:
        """The ranges of all clients."""
        return tuple(client.cidr for client in self.clients)
