"""Where a probe can be and whom it can log in as: each wrong configuration with its one message."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.errors import ConfigError
from tests.support.fakes import ONE, TWO, context, environment_block, named

SUBNETS = ["subnet-0000000a", "subnet-0000000b"]
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:probe-a1B2c3"


FAR = SECRET.replace("us-east-1", "eu-west-1")
SHARED = {"proxy": "shared", "clients": ["valkey-py"], "cache_cidrs": ["10.60.0.0/16"]}
ENVOY = {"proxy": "envoy", "envoy": {"downstream_secret_arns": [SECRET]}}


def block(client: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    """An environment whose client VPC and cluster have these keys, too."""
    vpc = {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", **client}
    group = {"replication_group_id": "demo", "nodes": [named(ONE), named(TWO)], **cluster}
    return context(environment_block(client_vpcs=[vpc], clusters=[group]))


PROBED = {"probe_subnet_ids": SUBNETS}


@pytest.mark.parametrize(
    ("client", "cluster"),
    [
        (PROBED, {}),
        (PROBED, {"probe": {}}),
        (PROBED, {"probe": {"secret_arn": SECRET}}),
        (PROBED, {"probe": {"iam_username": "probe"}, **SHARED}),
        ({**PROBED, "account": "111122223333", "region": "us-east-1"}, {}),
        ({**PROBED, "security_group_ids": ["sg-0000000a"]}, {}),
    ],
)
def test_probe_that_can_be_there_is_taken(client: dict[str, Any], cluster: dict[str, Any]) -> None:
    """Of the deploy's own account and Region, also when they are written out."""
    (vpc,) = load(block(client, cluster)).client_vpcs

    assert vpc.probe_subnet_ids == tuple(SUBNETS)


ELSEWHERE = (
    "client_vpcs vpc-0000000c.probe_subnet_ids: is of another account or Region than the deploy"
)
BOTH = {"secret_arn": SECRET, "iam_username": "probe"}


@pytest.mark.parametrize(
    ("client", "cluster", "told"),
    [
        ({**PROBED, "account": "999988887777"}, {}, ELSEWHERE),
        ({**PROBED, "region": "eu-west-1"}, {}, ELSEWHERE),
        (PROBED, {"probe": BOTH}, "demo.probe: has secret_arn and iam_username; allowed: one of them"),
        ({}, {"probe": {"secret_arn": SECRET}}, "demo.probe: nobody reads it, as no VPC in client_vpcs has"),
        (PROBED, {"probe": {"secret_arn": FAR}}, "is not in Region us-east-1, where the probe reads it"),
        (PROBED, {"probe": {"secret_arn": "arn:aws:ssm:::p/x"}}, "clusters.0.probe.secret_arn: string should match"),
        (PROBED, {"probe": {"secret_arn": "s3cr3t"}}, "clusters.0.probe.secret_arn: string should match"),
        (PROBED, {"probe": {"iam_username": "a b"}}, "clusters.0.probe.iam_username: string should match"),
        (PROBED, {"probe": {"password": "x"}}, "clusters.0.probe.password: extra inputs are not permitted"),
        (PROBED, {"probe": {}, **ENVOY}, "demo.probe: is read with proxy: haproxy or shared only; leave it out"),
        ({"probe_subnet_ids": ["subnet"]}, {}, "client_vpcs.0.probe_subnet_ids.0: string should match"),
    ],
    ids=[
        *("account", "Region", "two logins", "no subnets", "secret elsewhere", "no secret", "text"),
        *("no user", "a password", "envoy", "no subnet"),
    ],
)  # fmt: skip
def test_probe_that_cannot_be_there_has_its_one_message(
    client: dict[str, Any], cluster: dict[str, Any], told: str
) -> None:
    """Before anything is deployed."""
    with pytest.raises(ConfigError) as caught:
        load(block(client, cluster))

    text = str(caught.value)
    assert told in text
    assert "has 1 problem:" in text
    assert len(text.splitlines()) == 2
