"""What AWS says of a cluster, for `nodeway advise`: five reads, each of which may be refused by itself.

It reads with the caller's own credentials and changes nothing. Only the group itself must be readable;
whatever else is not stays unknown, with the reason and what to do, and is never taken for absent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from pydantic import ValidationError

from nodeway.advice.advise import Situation
from nodeway.errors import CommandError, on_one_line
from nodeway.lookup.parameter_groups import endpoint_type
from nodeway.lookup.topology import TIMEOUTS

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import ReplicationGroupTypeDef


@dataclass(slots=True)
class ReadFacts:
    """What was read, and what was not."""

    situation: Situation
    unread: list[str] = field(default_factory=list)
    """A sentence for each: what, why, what to do."""

    def attempt(self, what: str, instead: str, read: Callable[[], dict[str, Any]]) -> None:
        """Adds the facts that `read_facts` gives; a refusal becomes a sentence."""
        try:
            found = read()
        except (ClientError, BotoCoreError) as error:
            self.unread.append(f"{what}: {on_one_line(error)}; {instead}")
            return
        if None in found.values():
            self.unread.append(f"{what}: AWS does not say; {instead}")
        values = self.situation.model_dump() | found
        try:
            self.situation = Situation.model_validate(values)
        except ValidationError as error:
            got = ", ".join(repr(one["input"]) for one in error.errors())
            self.unread.append(
                f"{what}: AWS says {got}, which this version does not know; {instead}"
            )


def read_facts(name: str, region: str | None, session: boto3.Session | None = None) -> ReadFacts:
    """The facts of a replication group, or of a serverless cache of that name.

    Raises CommandError without credentials or Region, and when there is neither of the two.
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
        msg = (
            f"ElastiCache cannot be asked for {name}: {on_one_line(error)}; describe it with --from"
        )
        raise CommandError(msg) from error
    if group is None:
        return ReadFacts(Situation(name=name, serverless=True, cluster_mode=True, tls="required"))
    found = ReadFacts(group_facts(name, group))
    member = next(iter(group.get("MemberClusters", [])), None)
    if member is not None:
        member_facts(found, session, client, member)
    return found


def describe_group(client: "ElastiCacheClient", name: str) -> "ReplicationGroupTypeDef | None":
    """The group, or None when it is a serverless cache; raises CommandError when it is neither."""
    try:
        return client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    except client.exceptions.ReplicationGroupNotFoundFault as missing:
        where = f"in {client.meta.region_name}"
        try:
            found = client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"]
        except client.exceptions.ServerlessCacheNotFoundFault:
            found = []
        except ClientError as error:
            msg = (
                f"no replication group {name} {where}, and serverless caches cannot be"
                f" read: {on_one_line(error)}"
            )
            raise CommandError(msg) from error
        if found:
            return None
        msg = f"no replication group and no serverless cache {name} {where}: check the name and --region"
        raise CommandError(msg) from missing


def group_facts(name: str, group: "ReplicationGroupTypeDef") -> Situation:
    """What the group says of itself."""
    encrypted = group.get("TransitEncryptionEnabled")
    preferred = group.get("TransitEncryptionMode") == "preferred"
    members = group.get("MemberClusters", [])
    return Situation(
        name=name,
        cluster_mode=group.get("ClusterEnabled"),
        tls=None
        if encrypted is None
        else "preferred"
        if preferred
        else "required"
        if encrypted
        else "off",
        nodes=len(members) or None,
    )


def member_facts(
    found: ReadFacts, session: boto3.Session, client: "ElastiCacheClient", member: str
) -> None:
    """Adds what only a member says: its parameter group's endpoint type, and its VPC's ranges."""
    try:
        cluster = client.describe_cache_clusters(CacheClusterId=member)["CacheClusters"][0]
    except (ClientError, BotoCoreError) as error:
        found.unread.append(
            f"parameter group and VPC: {on_one_line(error)}; allow elasticache:DescribeCacheClusters"
        )
        return
    parameters = cluster.get("CacheParameterGroup", {}).get("CacheParameterGroupName", "")
    subnets = cluster.get("CacheSubnetGroupName", "")
    found.attempt(
        "cluster-preferred-endpoint-type",
        "allow elasticache:DescribeCacheParameters",
        lambda: {"endpoint_type": endpoint_type(client, parameters)},
    )
    found.attempt(
        "the cache's ranges",
        "give --cache-cidr, or allow elasticache:DescribeCacheSubnetGroups and ec2:DescribeVpcs",
        lambda: {"cache_cidrs": vpc_ranges(session, client, subnets)},
    )


def vpc_ranges(
    session: boto3.Session, client: "ElastiCacheClient", subnet_group: str
) -> tuple[IPv4Network, ...] | None:
    """Every IPv4 range of the VPC that the subnet group is in; None when AWS names none."""
    told = client.describe_cache_subnet_groups(CacheSubnetGroupName=subnet_group)
    vpc_id = next((one.get("VpcId") for one in told.get("CacheSubnetGroups", [])), None)
    if vpc_id is None:
        return None
    vpcs = session.client("ec2", config=TIMEOUTS).describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    return (
        tuple(
            IPv4Network(one["CidrBlock"])
            for vpc in vpcs
            for one in vpc.get("CidrBlockAssociationSet", [])
            if one.get("CidrBlockState", {}).get("State") in {"associated", "associating"}
        )
        or None
    )
