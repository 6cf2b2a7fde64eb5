"""The configuration of one environment: its block in cdk.json as frozen, typed values.

Rules about one key are here; rules about several keys are in `nodeway/config/rules.py`. `nodeway.config.loader.load`
reads a block.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nodeway.envoy.render import IMAGE as ENVOY_IMAGE
from nodeway.envoy.render import ReadPolicy
from nodeway.haproxy.render import IMAGE
from nodeway_runtime.model.settings import Mode
from nodeway_runtime.model.topology import address, hostname

FARGATE_MEMORY_MIB: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
"""CPU units to the MiB that Fargate accepts with them:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""


def require_fixed_image(image: str) -> str:
    """Returns an image name that has a digest, or a tag other than `latest`; raises ValueError for any other."""
    if not re.fullmatch(
        r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+|@sha256:[0-9a-f]{64})", image
    ) or image.endswith(":latest"):
        msg = "allowed: REPOSITORY:TAG or REPOSITORY@sha256:DIGEST, and no tag that moves, such as latest"
        raise ValueError(msg)
    return image


def require_quarters(network: IPv4Network) -> IPv4Network:
    """Returns a range of which each quarter is large enough for a new VPC; raises ValueError for any other."""
    if not 16 <= network.prefixlen <= 22:  # noqa: PLR2004 (a new VPC is a /16 to /24)
        msg = "allowed: /16 to /22"
        raise ValueError(msg)
    return network


def require_failover_zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Returns zones that allow automatic failover, or no zones; raises ValueError for any other number."""
    if len(zones) not in {0, 2, 3, 4}:
        msg = f"got {len(zones)}; allowed: 2 to 4, as a replica is in another zone than its primary"
        raise ValueError(msg)
    return zones


VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
RouteTableId = Annotated[str, Field(pattern=r"^rtb-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
TopicArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:\S+$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
SecretArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$")
]
UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
AvailabilityZone = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d(-[a-z]+-\d)?[a-z]$")]
NodeName = Annotated[str, AfterValidator(hostname)]
NodeAddress = Annotated[str, AfterValidator(address)]
Image = Annotated[str, AfterValidator(require_fixed_image)]
Endpoint = Literal["ecr.api", "ecr.dkr", "logs", "s3", "ssm"]


class Block(BaseModel):
    """A part of the configuration: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Subnet(Block):
    """A private subnet for HAProxies, with routes to the cache, the clients and the image's registry."""

    subnet_id: SubnetId
    availability_zone: AvailabilityZone


class ProxyVpc(Block):
    """The VPC that the HAProxies run in.

    An existing VPC has `vpc_id` and `subnets`. A VPC that the deployment creates has `cidr` and `availability_zones`.
    """

    vpc_id: VpcId | None = None
    subnets: tuple[Subnet, ...] = ()
    cidr: IPv4Network | None = None
    route_table_ids: tuple[RouteTableId, ...] = ()
    availability_zones: tuple[AvailabilityZone, ...] = ()
    nat_gateways: Annotated[int, Field(ge=0, le=3)] = 0
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the deployment creates the VPC."""
        return self.vpc_id is None


class ClientVpc(Block):
    """A VPC with clients, associated with the private zone.

    `security_group_ids`: the groups that may connect; without any, the whole `cidr` may. `probe_subnet_ids`: the
    subnets of the probe; without any, the VPC has no probe.
    """

    vpc_id: VpcId
    cidr: IPv4Network
    region: Region | None = None
    account: AccountId | None = None
    route_table_ids: tuple[RouteTableId, ...] = ()
    security_group_ids: tuple[SecurityGroupId, ...] = ()
    peer_role_arn: RoleArn | None = None
    probe_subnet_ids: tuple[SubnetId, ...] = ()


class CacheVpc(Block):
    """The VPC of the caches, for the peering that the deployment creates."""

    vpc_id: VpcId
    cidr: IPv4Network
    route_table_ids: Annotated[tuple[RouteTableId, ...], Field(min_length=1)]


class OnPremises(Block):
    """Clients outside AWS: their ranges, and the VPC and subnets of their Route 53 Resolver inbound endpoint."""

    cidrs: Annotated[tuple[IPv4Network, ...], Field(min_length=1)]
    resolver_vpc_id: VpcId
    resolver_subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=2)]


class Envoy(Block):
    """How clients log in to Envoy (`downstream_…`), and Envoy to the nodes (`upstream_…`).

    Each ARN is that of a secret which is a JSON object with the key `password`, or for TLS with the keys `certificate`
    and `private_key`.
    """

    downstream_secret_arns: Annotated[tuple[SecretArn, ...], Field(min_length=1, max_length=2)]
    downstream_username: UserName | None = None
    tls_secret_arn: SecretArn | None = None
    upstream_secret_arn: SecretArn | None = None
    upstream_username: UserName | None = None
    upstream_iam: bool = False
    read_policy: ReadPolicy = "primary"
    zone_name: NodeName | None = None
    image: Image = ENVOY_IMAGE


class Probe(Block):
    """The probe's credentials for the nodes: a secret with `username` and `password`, or a user with IAM
    authentication. Without either the probe verifies no node's identity.
    """

    secret_arn: SecretArn | None = None
    iam_username: UserName | None = None

    @property
    def logs_in(self) -> bool:
        """Whether the probe can log in to the nodes."""
        return bool(self.secret_arn or self.iam_username)


class ClusterConfig(Block):
    """An ElastiCache replication group with cluster mode enabled, and the proxies of its clients.

    `tasks`: the number of tasks of shared HAProxies or Envoys. `clients`: the client libraries that connect to a shared
    HAProxy. `cache_cidrs`: the networks that a shared HAProxy may connect to.
    """

    replication_group_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    proxy: Literal["haproxy", "shared", "envoy", "none"] = "haproxy"
    nodes: tuple[NodeName, ...] = ()
    port: Annotated[int, Field(ge=1, le=65535)] = 6379
    cache_security_group_id: SecurityGroupId | None = None
    tasks: Annotated[int, Field(ge=2, le=8)] = 2
    envoy: Envoy | None = None
    clients: tuple[str, ...] = ()
    cache_cidrs: tuple[IPv4Network, ...] = ()
    probe: Probe | None = None

    @property
    def label(self) -> str:
        """The name in stacks, metrics and log lines: the group's id and, if not `haproxy`, the mode of its proxies."""
        if self.has_proxy_per_node:
            return self.replication_group_id
        return f"{self.replication_group_id}-{self.proxy}"

    @property
    def has_proxy_per_node(self) -> bool:
        """Whether each node has HAProxies of its own: quota and costs then depend on the number of nodes."""
        return self.proxy == "haproxy"


class Sandbox(Block):
    """The size and place of a sandbox: `nodeway/config/sandbox.py` derives the whole environment from it."""

    replication_group_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] = "trial"
    shards: Annotated[int, Field(ge=1, le=5)] = 2
    replicas: Annotated[int, Field(ge=1, le=2)] = 1
    cidr: Annotated[IPv4Network, AfterValidator(require_quarters)] = IPv4Network("10.71.0.0/22")
    availability_zones: Annotated[
        tuple[AvailabilityZone, ...], AfterValidator(require_failover_zones)
    ] = ()


class EnvironmentConfig(Block):
    """One environment: its account and Region, its clients, its clusters, and the settings of their proxies."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,39}$")]
    account: AccountId
    region: Region
    access: Literal["existing", "peering"] = "existing"
    proxy_vpc: ProxyVpc | None = None
    client_vpcs: Annotated[tuple[ClientVpc, ...], Field(min_length=1)]
    cache_vpc: CacheVpc | None = None
    on_premises: OnPremises | None = None
    clusters: Annotated[tuple[ClusterConfig, ...], Field(min_length=1)]
    haproxies_per_node: Annotated[int, Field(ge=1, le=8)] = 1
    ttl: Annotated[int, Field(ge=1, le=3600)] = 5
    cpu: Literal[256, 512, 1024, 2048, 4096] = 256
    memory: int = 512
    resync: Mode = Mode.ON
    pins: dict[NodeName, Annotated[tuple[NodeAddress, ...], Field(min_length=1)]] = {}
    image: Image = IMAGE
    termination_protection: bool = False
    node_metrics: bool = True
    approve: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""
    take_over: bool = False
    max_stand_ins: Annotated[int, Field(ge=0, le=500)] = 10
    alarm_topic_arn: TopicArn | None = None
    alarm_email: Email | None = None
    sandbox: Sandbox | None = None

    @property
    def proxied(self) -> tuple[ClusterConfig, ...]:
        """The clusters with proxies: for each of them the deployment has a zone, a resync and a topology."""
        return tuple(cluster for cluster in self.clusters if cluster.proxy != "none")

    def cache_networks(self, cluster: ClusterConfig) -> tuple[IPv4Network, ...]:
        """The networks that a shared HAProxy of the cluster may connect to: `cache_cidrs`, else the peered cache VPC.

        Empty if neither is configured.
        """
        return cluster.cache_cidrs or ((self.cache_vpc.cidr,) if self.cache_vpc else ())

    @property
    def overridden_clusters(self) -> tuple[ClusterConfig, ...]:
        """The clusters of which a private zone overrides the own names with the addresses of HAProxies.

        A VPC that is associated with such a zone cannot resolve the nodes themselves, so it must not run HAProxies.
        """
        return tuple(cluster for cluster in self.proxied if cluster.proxy != "envoy")
