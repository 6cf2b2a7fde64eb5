"""The configuration of one environment: cdk.json's block plus context overrides, parsed and checked once, whole.

`load` gives a frozen object or one ConfigError that lists every problem. Nothing below app.py reads
context or environment.
"""

import difflib
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from resync.settings import Mode
from resync.topology import Address, Hostname, address, hostname
from stacks.errors import ConfigError

OVERRIDES = (
    "approve",
    "take_over",
    "max_stand_ins",
    "env",
    "nodes",
    "refresh",
    "pin",
    "resync",
    "haproxies_per_node",
    "ttl",
    "cpu",
    "memory",
)
"""The context variables that `-c` takes."""
CDK_OWN = (
    "@",
    "aws:",
    "aws-cdk:",
    "cli:",
    "availability-zones:",
    "nodeway:",
    "environments",
    "acknowledged-issue-numbers",
    "path-metadata",
)
"""How context keys begin that belong to the CDK itself, to cdk.json, or to our own look-ups."""

FARGATE_MEMORY_MIB: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
"""CPU units to MiB that Fargate takes: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
NodeName = Annotated[str, AfterValidator(hostname)]
NodeAddress = Annotated[str, AfterValidator(address)]


class Block(BaseModel):
    """A part of the configuration: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Subnet(Block):
    """A subnet for HAProxies: private, with a way to the cache, to the clients and to the container image."""

    subnet_id: SubnetId
    availability_zone: str


class ProxyVpc(Block):
    """The VPC that the HAProxies run in."""

    vpc_id: VpcId
    subnets: Annotated[tuple[Subnet, ...], Field(min_length=1)]


class ClientVpc(Block):
    """A VPC with clients: its resolver gets the private zone, its range may connect."""

    vpc_id: VpcId
    cidr: IPv4Network
    region: Region | None = None


class ClusterConfig(Block):
    """An ElastiCache replication group with cluster mode enabled, and how its HAProxies are sized."""

    replication_group_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    nodes: tuple[NodeName, ...] = ()
    port: Annotated[int, Field(ge=1, le=65535)] = 6379
    cache_security_group_id: SecurityGroupId | None = None


class EnvironmentConfig(Block):
    """One environment: where it is, who its clients are, which clusters it reaches."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,39}$")]
    account: AccountId
    region: Region
    proxy_vpc: ProxyVpc
    client_vpcs: Annotated[tuple[ClientVpc, ...], Field(min_length=1)]
    clusters: Annotated[tuple[ClusterConfig, ...], Field(min_length=1)]
    haproxies_per_node: Annotated[int, Field(ge=1, le=8)] = 1
    ttl: Annotated[int, Field(ge=1, le=3600)] = 5
    cpu: Literal[256, 512, 1024, 2048, 4096] = 256
    memory: int = 512
    resync: Mode = Mode.ON
    pins: dict[NodeName, Annotated[tuple[NodeAddress, ...], Field(min_length=1)]] = {}
    image: str = "public.ecr.aws/docker/library/haproxy:2.8.25-alpine"
    termination_protection: bool = False
    approve: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""
    take_over: bool = False
    max_stand_ins: Annotated[int, Field(ge=0, le=500)] = 10
    alarm_topic_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:")] | None = None

    @property
    def client_cidrs(self) -> tuple[str, ...]:
        """The ranges that may connect."""
        return tuple(str(vpc.cidr) for vpc in self.client_vpcs)

    @model_validator(mode="after")
    def _fits_together(self) -> "EnvironmentConfig":
        proxy_vpc = self.proxy_vpc.vpc_id
        problems = [
            f"proxy_vpc {proxy_vpc} is also a client VPC: its resolver would answer the HAProxies with"
            " their own addresses (a loop); give the HAProxies a VPC of their own, or the cache's VPC"
            for vpc in self.client_vpcs
            if vpc.vpc_id == proxy_vpc
        ]
        if self.memory not in FARGATE_MEMORY_MIB[self.cpu]:
            sizes = FARGATE_MEMORY_MIB[self.cpu]
            problems.append(
                f"memory: got {self.memory} MiB with cpu {self.cpu}; allowed: {sizes[0]} to {sizes[-1]}"
            )
        names = [c.replication_group_id for c in self.clusters]
        problems += [
            f"clusters: {n} stands there twice"
            for n in sorted({n for n in names if names.count(n) > 1})
        ]
        for cluster in self.clusters:
            twice = sorted({name for name in cluster.nodes if cluster.nodes.count(name) > 1})
            problems += [
                f"nodes of {cluster.replication_group_id}: {name} stands there twice"
                for name in twice
            ]
            zones = {name.partition(".")[2] for name in cluster.nodes}
            if len(zones) > 1:
                problems.append(
                    f"nodes of {cluster.replication_group_id} are of different zones: {', '.join(sorted(zones))}"
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self


def load(context: Mapping[str, Any]) -> EnvironmentConfig:
    """The environment that `-c env=NAME` chose, with the overrides applied; raises ConfigError with every problem."""
    refuse_unknown(context)
    environments = context.get("environments")
    if not isinstance(environments, dict) or not environments:
        msg = 'cdk.json has no "environments" under "context"; add a block for each environment (docs/configuration.md)'
        raise ConfigError(msg)
    name = context.get("env")
    if name not in environments:
        got = (
            "none was chosen" if name is None else f"got {name!r}{nearest(str(name), environments)}"
        )
        msg = f"unknown environment: {got}; allowed: {', '.join(sorted(environments))}; choose one with -c env=NAME"
        raise ConfigError(msg)
    problems: list[str] = []
    written = environments[name]
    if not isinstance(written, dict):
        msg = f"environment {name}: got {written!r}; allowed: an object (docs/configuration.md)"
        raise ConfigError(msg)
    block = overridden({**written, "name": name}, context, problems)
    config: EnvironmentConfig | None = None
    try:
        config = EnvironmentConfig.model_validate(block)
    except ValidationError as error:
        problems += [text for one in error.errors() for text in told(dict(one))]
    if problems or config is None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        msg = f"environment {name} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}"
        raise ConfigError(msg)
    return config


def overridden(
    block: dict[str, Any], context: Mapping[str, Any], problems: list[str]
) -> dict[str, Any]:
    """The block with what `-c` says instead; what cannot be read is added to the problems."""
    changed = dict(block)
    for variable in ("haproxies_per_node", "ttl", "cpu", "memory", "max_stand_ins"):
        text = str(context.get(variable, "0"))
        if not text.isdecimal():
            problems.append(f"-c {variable}: got {text!r}; allowed: a whole number")
        elif variable in context:
            changed[variable] = int(text)
    changed |= {
        name: context[name] for name in ("resync", "approve", "take_over") if name in context
    }
    if "pin" in context:
        written = block.get("pins", {})
        try:
            more = pins(str(context["pin"]))
            changed["pins"] = {**written, **more} if isinstance(written, dict) else written
        except ValueError as error:
            problems.append(f"-c pin: {error}")
    if "nodes" in context:
        changed["clusters"] = with_nodes(block.get("clusters"), str(context["nodes"]), problems)
    return changed


def with_nodes(clusters: object, text: str, problems: list[str]) -> object:
    """The one cluster of an environment with these nodes, given as names with commas between."""
    match clusters:
        case [{**cluster}]:
            names = [name.strip() for name in text.split(",") if name.strip()]
            return [{**cluster, "nodes": names}]
        case list() if len(clusters) > 1:
            problems.append(
                f"-c nodes: this environment has {len(clusters)} clusters; set `nodes` in each one's block"
            )
    # what else is wrong with it, the model says
    return clusters


def pins(text: str) -> dict[Hostname, tuple[Address, ...]]:
    """`HOST=IP[,IP][;HOST=IP…]` as a mapping; raises ValueError with what is allowed."""
    found: dict[Hostname, tuple[Address, ...]] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        name, equals, addresses = part.partition("=")
        if not equals or not addresses:
            msg = f"got {part!r}; allowed: HOST=IP[,IP], more than one with ; between"
            raise ValueError(msg)
        found[hostname(name)] = tuple(address(one) for one in addresses.split(","))
    return found


def refuse_unknown(context: Mapping[str, Any]) -> None:
    """Raises ConfigError for a context variable that nobody reads, with the nearest that somebody does."""
    unknown = [key for key in context if key not in OVERRIDES and not key.startswith(CDK_OWN)]
    if unknown:
        listed = "; ".join(f"{key!r}{nearest(key, OVERRIDES)}" for key in sorted(unknown))
        msg = f"unknown context variable: {listed}; allowed with -c: {', '.join(OVERRIDES)}"
        raise ConfigError(msg)


def nearest(word: str, known: "Mapping[str, Any] | tuple[str, ...]") -> str:
    """`, did you mean …?` for a word that is close to a known one."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def told(error: dict[str, Any]) -> list[str]:
    """A pydantic error as lines for a person: where, what, got."""
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    if not where:
        return text.split("\n")
    if error["type"] == "missing":
        return [f"{where}: is missing"]
    return [f"{where}: {text[0].lower()}{text[1:]}; got {error['input']!r}"]
