"""The lab's fixed facts and the environment `lab` of cdk.json are the same facts."""

import json

import pytest

from lab import layout
from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig


@pytest.fixture(scope="module")
def lab() -> EnvironmentConfig:
    """The environment that is deployed into the lab."""
    return load({**json.loads((layout.ROOT / "cdk.json").read_text())["context"], "env": "lab"})


def test_lab_environment_is_in_the_labs_account(lab: EnvironmentConfig) -> None:
    """The fake AWS has one account and one Region."""
    assert (lab.account, lab.region) == (layout.ACCOUNT, layout.REGION)


def test_lab_environment_has_the_labs_networks(lab: EnvironmentConfig) -> None:
    """HAProxies run in the proxy network, clients come from the client network."""
    assert lab.proxy_vpc is not None
    assert lab.proxy_vpc.vpc_id == layout.PROXY_VPC.vpc_id
    assert [(s.subnet_id, s.availability_zone) for s in lab.proxy_vpc.subnets] == [
        (s.subnet_id, s.availability_zone) for s in layout.PROXY_SUBNETS
    ]
    assert [(c.vpc_id, c.cidr) for c in lab.client_vpcs] == [
        (layout.CLIENT_VPC.vpc_id, layout.CLIENT_VPC.cidr)
    ]


def test_lab_environment_has_the_labs_cluster(lab: EnvironmentConfig) -> None:
    """One cluster, discovered and not listed by hand."""
    (cluster,) = lab.clusters
    assert (cluster.replication_group_id, cluster.port) == (layout.REPLICATION_GROUP, layout.PORT)
    assert cluster.cache_security_group_id == layout.CACHE_SECURITY_GROUP
    assert cluster.nodes == ()


def test_lab_networks_do_not_overlap() -> None:
    """Routes between them are only what the lab makes."""
    ranges = [
        layout.CLIENT_VPC.cidr,
        layout.PROXY_VPC.cidr,
        layout.CACHE_VPC.cidr,
        layout.NODE_INTERNAL,
    ]

    assert not [(a, b) for a in ranges for b in ranges if a is not b and a.overlaps(b)]
    assert all(subnet.cidr.subnet_of(layout.PROXY_VPC.cidr) for subnet in layout.PROXY_SUBNETS)
