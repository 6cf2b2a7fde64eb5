"""The parameter of a cluster that decides whether MOVED carries names or addresses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient

ENDPOINT_TYPE = "cluster-preferred-endpoint-type"
"""https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html"""
ABSENT = "absent"
"""Value for engines before 7, which have no such parameter: MOVED carries names if TLS is enabled."""


def endpoint_type(client: "ElastiCacheClient", parameter_group: str) -> str | None:
    """Returns the parameter's value in this group: ABSENT without the parameter, None without a value.

    botocore's errors pass through.
    """
    pages = client.get_paginator("describe_cache_parameters").paginate(
        CacheParameterGroupName=parameter_group
    )
    for page in pages:
        for parameter in page["Parameters"]:
            if parameter.get("ParameterName") == ENDPOINT_TYPE:
                return parameter.get("ParameterValue")
    return ABSENT
