"""The probe in three shapes: without a login, with a secret and two client VPCs, and with IAM and shared proxies."""

from functools import cache
from typing import Any

from tests.support.synth.policy import several
from tests.support.synth.shapes import built, properties
from tests.synth.conftest import CONTEXT, Synthesis

FIRST, SECOND = "vpc-0c1d2e3f405162738", "vpc-0c1d2e3f405162739"
SUBNETS = ["subnet-0000000a", "subnet-0000000b"]
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:probe-a1B2c3"
DEV = CONTEXT["environments"]["dev"]
FUNCTION, RULE, GROUP = "AWS::Lambda::Function", "AWS::Events::Rule", "AWS::EC2::SecurityGroup"
INGRESS, POLICY = "AWS::EC2::SecurityGroupIngress", "AWS::IAM::Policy"
NETWORK = [
    f"ec2:{action}"
    for action in (
        *("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface"),
        *("DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses"),
    )
]
SHARED: dict[str, Any] = {
    "proxy": "shared",
    "clients": ["valkey-py"],
    "cache_cidrs": ["10.60.0.0/16"],
}
CACHE = "arn:aws:elasticache:us-east-1:111122223333:"


def client(vpc_id: str = FIRST, cidr: str = "10.40.0.0/16", **keys: object) -> dict[str, Any]:
    """A client VPC with a probe."""
    return {"vpc_id": vpc_id, "cidr": cidr, "probe_subnet_ids": SUBNETS, **keys}


def synthesis_of(*clients: dict[str, Any], **cluster: object) -> Synthesis:
    """`dev` with these client VPCs, reviewed; the keywords are of its cluster."""
    (one,) = DEV["clusters"]
    return built(
        {**DEV, "client_vpcs": list(clients or [client()]), "clusters": [{**one, **cluster}]}
    )


@cache
def plain() -> Synthesis:
    """Nobody logs in; the VPC's range may connect."""
    return synthesis_of()


@cache
def with_secret() -> Synthesis:
    """A secret, and two VPCs, of which one lets groups in only."""
    groups = ["sg-0000000c"]
    two = client(SECOND, "10.41.0.0/16", probe_subnet_ids=["subnet-0000000c"])
    return synthesis_of(client(security_group_ids=groups), two, probe={"secret_arn": SECRET})


@cache
def with_iam() -> Synthesis:
    """A user with IAM authentication, and shared proxies."""
    return synthesis_of(probe={"iam_username": "probe"}, **SHARED)


def functions(synthesis: Synthesis, stack: str = "probe") -> dict[str, dict[str, Any]]:
    """By the end of their handlers' modules: the walkers by their VPC, and `coordinator`."""
    found = properties(synthesis, stack, FUNCTION)
    return {
        one["Environment"]["Variables"].get("CLIENT", one["Handler"].split(".")[-2]): one
        for one in found
    }


def role(synthesis: Synthesis, who: str, stack: str = "probe") -> list[dict[str, Any]]:
    """What a function may do."""
    name = functions(synthesis, stack)[who]["Role"].removeprefix("<").removesuffix(".Arn>")
    return [
        statement
        for one in properties(synthesis, stack, POLICY)
        if one["Roles"] == [f"<{name}>"]
        for statement in one["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


def told(statement: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Actions and resources."""
    return several(statement["Action"]), several(statement["Resource"])


def own_log(synthesis: Synthesis, who: str, stack: str = "probe") -> list[str]:
    """The ARN of a function's own log group."""
    group = functions(synthesis, stack)[who]["LoggingConfig"]["LogGroup"]
    return [group.replace(">", ".Arn>")]
