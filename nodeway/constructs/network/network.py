"""The network of the proxies: an existing or a new VPC, its endpoints, and DNS for clients outside AWS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from nodeway.config.model import EnvironmentConfig, ProxyVpc
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.network.endpoints import VpcEndpoints
from nodeway.constructs.network.resolver import InboundResolver
from nodeway.constructs.network.vpc import PROXIES, make_vpc, name_without_part
from nodeway.errors import ConfigError

ANCHOR_CIDR = "192.168.255.240/28"


@dataclass(frozen=True)
class ProxyNetwork:
    """The VPC and the subnets that proxies run in.

    `subnets`: the id and the availability zone of each. `route_tables`: the name, for construct ids, and the id of each
    route table of these subnets, if they are known. `construct`: the VPC, if it is one of the app.
    """

    vpc_id: str
    subnets: tuple[tuple[str, str], ...]
    route_tables: tuple[tuple[str, str], ...] = ()
    construct: ec2.IVpc | None = None

    @classmethod
    def of_vpc(cls, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet] = ()) -> Self:
        """Returns the network of a VPC of the app, with its private or isolated subnets by default."""
        chosen = subnets or vpc.private_subnets or vpc.isolated_subnets
        return cls(
            vpc.vpc_id,
            tuple((subnet.subnet_id, subnet.availability_zone) for subnet in chosen),
            construct=vpc,
        )

    def vpc(self, scope: Construct) -> ec2.IVpc:
        """Returns the VPC, imported into this scope unless it is a construct of the app."""
        return self.construct or ec2.Vpc.from_vpc_attributes(
            scope,
            "ProxyVpc",
            vpc_id=self.vpc_id,
            availability_zones=sorted({zone for _, zone in self.subnets}),
        )

    def near(self, availability_zone: str, spread: int) -> list[str]:
        """Returns the subnets for a node's HAProxies, which are in `spread` zones.

        The first zone is the node's, as traffic between zones is billed. All subnets, if there is none in that zone.
        """
        zones = sorted({zone for _, zone in self.subnets})
        if availability_zone not in zones:
            return [subnet_id for subnet_id, _ in self.subnets]
        first = zones.index(availability_zone)
        chosen = [*zones[first:], *zones[:first]][:spread]
        return [subnet_id for subnet_id, zone in self.subnets if zone in chosen]


def existing_network(environment: EnvironmentConfig) -> ProxyNetwork:
    """Returns the configured network of an existing VPC; raises ConfigError without one."""
    proxy_vpc = environment.proxy_vpc
    if proxy_vpc is None or proxy_vpc.vpc_id is None:
        msg = "proxy_vpc: has no vpc_id; the proxies need a VPC"
        raise ConfigError(msg)
    return ProxyNetwork(
        proxy_vpc.vpc_id,
        tuple((subnet.subnet_id, subnet.availability_zone) for subnet in proxy_vpc.subnets),
        tuple((table_id, table_id) for table_id in proxy_vpc.route_table_ids),
    )


def needs_network(environment: EnvironmentConfig) -> bool:
    """Whether a `Network` of this environment would have any resource."""
    proxy_vpc = environment.proxy_vpc
    return bool(
        (proxy_vpc and (proxy_vpc.is_new or proxy_vpc.endpoints))
        or environment.on_premises
        or needs_anchor(environment)
    )


def needs_anchor(environment: EnvironmentConfig) -> bool:
    """Whether every client VPC is another account's, so that a zone has to be created with an anchor VPC."""
    accounts = {vpc.account for vpc in environment.client_vpcs}
    return bool(environment.proxied) and accounts.isdisjoint({None, environment.account})


class Network(Construct):
    """The network resources that all clusters of an environment share.

    `network`: that of a new VPC, None for an existing one. `anchor`: the VPC that zones are created with, if all
    clients are in other accounts, else None.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        zone_names: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        proxy_vpc = environment.proxy_vpc
        self.network = make_network(self, proxy_vpc) if proxy_vpc and proxy_vpc.is_new else None
        if proxy_vpc and proxy_vpc.endpoints:
            network = self.network or existing_network(environment)
            VpcEndpoints(
                self,
                "Endpoints",
                environment=environment,
                proxy_vpc=proxy_vpc,
                vpc=network.vpc(self),
                subnets=network.subnets,
                route_table_ids=[table_id for _, table_id in network.route_tables],
            )
        if environment.on_premises:
            InboundResolver(
                self,
                "Resolver",
                outside=environment.on_premises,
                region=environment.region,
                zone_names=zone_names,
            )
        self.anchor = make_anchor_vpc(self, environment) if needs_anchor(environment) else None
        if self.network:
            cdk.CfnOutput(self, "ProxyVpcId", value=self.network.vpc_id)
            tables = [table_id for _, table_id in self.network.route_tables]
            cdk.CfnOutput(
                self,
                "ProxyRouteTables",
                description="Where routes to the clients and the cache belong",
                value=", ".join(tables),
            )


def make_network(scope: Construct, proxy_vpc: ProxyVpc) -> ProxyNetwork:
    """Creates the VPC, and returns its network."""
    vpc = make_vpc(scope, "ProxyVpc", proxy_vpc)
    subnets = vpc.select_subnets(subnet_group_name=PROXIES).subnets
    return ProxyNetwork(
        vpc.vpc_id,
        tuple((subnet.subnet_id, subnet.availability_zone) for subnet in subnets),
        tuple(
            (f"{PROXIES}-{subnet.availability_zone}", subnet.route_table.route_table_id)
            for subnet in subnets
        ),
        construct=vpc,
    )


def make_anchor_vpc(scope: Construct, environment: EnvironmentConfig) -> ec2.IVpc:
    """Creates an empty VPC: Route 53 creates a private zone only with a VPC of the zone's own account.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-associate-vpcs-different-accounts.html
    """
    vpc = ec2.Vpc(
        scope,
        "Anchor",
        ip_addresses=ec2.IpAddresses.cidr(ANCHOR_CIDR),
        availability_zones=[f"{environment.region}a"],
        create_internet_gateway=False,
        restrict_default_security_group=False,
        subnet_configuration=[],
    )
    name_without_part(vpc)
    acknowledge(
        vpc, "VPC7", "it has no subnet, so no interface and no traffic that could be logged"
    )
    return vpc
