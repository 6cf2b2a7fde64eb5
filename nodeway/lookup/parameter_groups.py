"""What a cluster's parameter group says of the answers that clients get."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient

ENDPOINT_TYPE = "cluster-preferred-endpoint-type"
"""What MOVED and CLUSTER SLOTS carry: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html"""
ABSENT = "absent"
"""The engine has no such parameter (before 7): TLS alone decides."""


def endpoint_type(client: "ElastiCacheClient", parameter_group: str) -> str | None:
    """Its value in this group, ABSENT where the family has none, None where it stands there without a
    value; botocore's errors pass through.
    """
    pages = client.get_paginator("describe_cache_parameters").paginate(
        CacheParameterGroupName=parameter_group
    )
    for page in pages:
        for parameter in page["Parameters"]:
            if parameter.get("ParameterName") == ENDPOINT_TYPE:
                return parameter.get("ParameterValue")
    return ABSENT
