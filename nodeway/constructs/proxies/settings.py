"""What proxies are made with: values, so that no construct needs an environment's whole configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from aws_cdk import aws_ec2 as ec2

from nodeway.constructs.network.network import ProxyNetwork
from nodeway.haproxy.render import IMAGE
from nodeway.lookup.topology import KnownTopology


@dataclass(frozen=True, slots=True)
class ClientNetwork:
    """A VPC with clients, or a range outside AWS (`vpc_id` None): it may connect to the proxies.

    The VPC's resolver gets the private zone. `security_group_ids` narrows who may connect to these groups of the VPC.
    `probe_subnet_ids` are where the probe walks from; without any there is no probe in the VPC. `account` and `region`
    are None where they are the deployment's own.
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
        """The network of a VPC of the same account and Region."""
        return cls(
            vpc.vpc_id,
            vpc.vpc_cidr_block,
            security_group_ids=tuple(one.security_group_id for one in security_groups),
            probe_subnet_ids=tuple(one.subnet_id for one in probe_subnets),
        )

    @property
    def description(self) -> str:
        """The clients, as a rule's description names them."""
        return f"clients of {self.vpc_id}" if self.vpc_id else "clients on premises"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The size of a proxy's task, as Fargate takes it, and what all proxies of a cluster share.

    `cpu` in CPU units, `memory_mib` in MiB. `cache_security_group_id` gets a rule that lets the proxies in.
    `node_metrics`: whether there are metrics for each node beside those of the cluster.
    """

    cpu: int = 256
    memory_mib: int = 512
    image: str = IMAGE
    cache_security_group_id: str | None = None
    node_metrics: bool = True


@dataclass(frozen=True, slots=True)
class ProxiedCluster:
    """One cluster behind proxies: what it is, where they run, and for whom.

    `label`: what its stacks, metrics and log lines are called after; a group may be reached in more than one mode.
    """

    replication_group_id: str
    label: str
    topology: KnownTopology
    network: ProxyNetwork
    clients: tuple[ClientNetwork, ...]
    settings: ProxySettings

    @property
    def client_cidrs(self) -> tuple[str, ...]:
        """The ranges that may connect."""
        return tuple(client.cidr for client in self.clients)
