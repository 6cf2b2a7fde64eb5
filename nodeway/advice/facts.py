"""Reads the facts of a cluster from AWS, for `nodeway advise`, with the caller's credentials.

The group itself must be readable. Any other fact that cannot be read is unknown, and reported with the reason and the
remedy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from pydantic import ValidationError

from nodeway.advice.advise import Situation
from nodeway.errors import CommandError, format_error
from nodeway.lookup.parameter_groups import endpoint_type
from nodeway.lookup.topology import TIMEOUTS

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import ReplicationGroupTypeDef


@dataclass(slots=True)
class ReadFacts:
    """The facts that were read, and a sentence for each that was not: the fact, the reason, the remedy."""

    situation: Situation
    unread: list[str] = field(default_factory=list)

    def add(self, fact: str, remedy: str, read: Callable[[], dict[str, Any]]) -> None:
        """Adds the values that `read` returns. If AWS refuses or has an unknown value, adds a sentence instead."""
        try:
            values = read()
        except (ClientError, BotoCoreError) as error:
            self.unread.append(f"{fact}: {format_error(error)}; {remedy}")
            return
        if None in values.values():
            self.unread.append(f"{fact}: AWS does not say; {remedy}")
        try:
            self.situation = Situation.model_validate(self.situation.model_dump() | values)
        except ValidationError as error:
            got = ", ".join(repr(detail["input"]) for detail in error.errors())
            self.unread.append(
                f"{fact}: AWS says {got}, which this version does not know; {remedy}"
            )


def read_facts(name: str, region: str | None, session: boto3.Session | None = None) -> ReadFacts:
    """Reads the facts of the replication group, or of the serverless cache, of this name.

    Raises CommandError without credentials or Region, if there is neither, and if the group cannot be read.
    """
    try:
        session = session or boto3.Session(region_name=region)
        client: ElastiCacheClient = session.client("elasticache", config=TIMEOUTS)
        group = describe_group(client, name)
    except NoRegionError as error:
        msg = "no Region: give --region, or set AWS_REGION"
        raise CommandError(msg) from error
    except NoCredentialsError as error:
        msg = "no AWS credentials: sign in (aws sso login) and set AWS_PROFILE, or describe it with --from"
        raise CommandError(msg) from error
    except (ClientError, BotoCoreError) as error:
        msg = f"ElastiCache cannot be asked for {name}: {format_error(error)}; describe it with --from"
        raise CommandError(msg) from error
    if group is None:
        return ReadFacts(Situation(name=name, serverless=True, cluster_mode=True, tls="required"))
    facts = ReadFacts(group_facts(name, group))
    members = group.get("MemberClusters", [])
    if members:
        add_member_facts(facts, session, client, members[0])
    return facts


def describe_group(client: "ElastiCacheClient", name: str) -> "ReplicationGroupTypeDef | None":
    """Returns the group, or None if the name is a serverless cache's; raises CommandError if it is neither."""
    try:
        return client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    except client.exceptions.ReplicationGroupNotFoundFault as missing:
        where = f"in {client.meta.region_name}"
        try:
            caches = client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"]
        except client.exceptions.ServerlessCacheNotFoundFault:
            caches = []
        except ClientError as error:
            msg = (
                f"no replication group {name} {where}, and serverless caches cannot be"
                f" read: {format_error(error)}"
            )
            raise CommandError(msg) from error
        if caches:
            return None
        msg = f"no replication group and no serverless cache {name} {where}: check the name and --region"
        raise CommandError(msg) from missing


def group_facts(name: str, group: "ReplicationGroupTypeDef") -> Situation:
    """Returns the facts that are in the description of the group."""
    situation = Situation(
        name=name,
        cluster_mode=group.get("ClusterEnabled"),
        nodes=len(group.get("MemberClusters", [])) or None,
    )
    encrypted = group.get("TransitEncryptionEnabled")
    if encrypted is None:
        return situation
    preferred = group.get("TransitEncryptionMode") == "preferred"
    tls = "preferred" if preferred else "required" if encrypted else "off"
    return situation.model_copy(update={"tls": tls})


def add_member_facts(
    facts: ReadFacts, session: boto3.Session, client: "ElastiCacheClient", member: str
) -> None:
    """Adds the facts that are in the description of a member: its endpoint type, and the ranges of its VPC."""
    try:
        cluster = client.describe_cache_clusters(CacheClusterId=member)["CacheClusters"][0]
    except (ClientError, BotoCoreError) as error:
        facts.unread.append(
            f"parameter group and VPC: {format_error(error)}; allow elasticache:DescribeCacheClusters"
        )
        return
    parameters = cluster.get("CacheParameterGroup", {}).get("CacheParameterGroupName", "")
    subnets = cluster.get("CacheSubnetGroupName", "")
    facts.add(
        "cluster-preferred-endpoint-type",
        "allow elasticache:DescribeCacheParameters",
        lambda: {"endpoint_type": endpoint_type(client, parameters)},
    )
    facts.add(
        "the cache's ranges",
        "give --cache-cidr, or allow elasticache:DescribeCacheSubnetGroups and ec2:DescribeVpcs",
        lambda: {"cache_cidrs": vpc_ranges(session, client, subnets)},
    )


def vpc_ranges(
    session: boto3.Session, client: "ElastiCacheClient", subnet_group: str
) -> tuple[IPv4Network, ...] | None:
    """Returns the IPv4 ranges of the subnet group's VPC; None if AWS names no VPC or no range."""
    answer = client.describe_cache_subnet_groups(CacheSubnetGroupName=subnet_group)
    vpc_ids = [group["VpcId"] for group in answer.get("CacheSubnetGroups", []) if "VpcId" in group]
    if not vpc_ids:
        return None
    vpcs = session.client("ec2", config=TIMEOUTS).describe_vpcs(VpcIds=vpc_ids[:1])["Vpcs"]
    ranges = tuple(
        IPv4Network(association["CidrBlock"])
        for vpc in vpcs
        for association in vpc.get("CidrBlockAssociationSet", [])
        if association.get("CidrBlockState", {}).get("State") in {"associated", "associating"}
    )
    return ranges or None
