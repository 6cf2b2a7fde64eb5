"""Fargate's vCPU quota: the vCPU that a deployment needs, the look-up, and the warning."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig
from nodeway.lookup.quota import (
    Need,
    compute_need,
    describe_shortages,
    fetch_quota,
    load_quota,
    quota_key,
)
from nodeway.lookup.topology import CONTEXT_FILE, KnownNode, KnownTopology, context_key
from tests.support.blocks import DIRECT, ENVOY, GROUP, SHARED
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named
from tests.support.programs.loopback import loopback

ENVOYS = ENVOY | {"tasks": 3}
DISCOVERED: dict[str, Any] = {"clusters": [GROUP]}


def environment(**changes: Any) -> EnvironmentConfig:  # noqa: ANN401 (any JSON)
    """An environment of which the nodes are looked up."""
    return load(context(environment_block(**DISCOVERED | changes)))


def topology(shards: int, members: int = 2, group: str = "demo") -> KnownTopology:
    """A cluster with so many shards, and members in each."""
    labels = [f"{group}-{s + 1:04}-{m + 1:03}" for s in range(shards) for m in range(members)]
    return KnownTopology(
        zone_name=ZONE,
        port=6379,
        nodes=tuple(
            KnownNode(cache_cluster_id=label, hostname=f"{label}.{ZONE}", availability_zone="")
            for label in labels
        ),
    )


def never(region: str) -> float | None:
    """Fails, as a look-up is not expected."""
    pytest.fail(f"AWS was asked in {region}")


@pytest.mark.parametrize(
    ("changes", "topologies", "need"),
    [
        # 6 nodes of 0.25 vCPU; one service of each of 3 shards is deployed at a time; 10 stand-ins
        ({}, [topology(3)], Need(6, 1.5, 2.25, 4.75)),
        # a service of two HAProxies has two more during its deployment
        ({"haproxies_per_node": 2}, [topology(3)], Need(12, 3.0, 4.5, 7.0)),
        ({"cpu": 1024, "memory": 2048, "max_stand_ins": 0}, [topology(3)], Need(6, 6.0, 9.0, 9.0)),
        # without the schedule there are no stand-ins
        ({"resync": "off"}, [topology(3)], Need(6, 1.5, 2.25, 2.25)),
        (
            {"max_stand_ins": 1, "clusters": [GROUP, GROUP | {"replication_group_id": "b"}]},
            [topology(1), topology(1, group="b")],
            Need(4, 1.0, 1.5, 2.0),
        ),
        (DIRECT, [], Need(0, 0, 0, 0)),
        # two tasks for all nodes, twice as many during a deployment; no stand-ins
        ({"clusters": [SHARED]}, [topology(15)], Need(2, 0.5, 1.0, 1.0)),
        ({"clusters": [GROUP, ENVOYS]}, [topology(3), topology(3)], Need(9, 2.25, 3.75, 6.25)),
        # the shard is the id without what follows its last dash
        ({"max_stand_ins": 0}, [topology(2, group="a-b-0001")], Need(4, 1.0, 1.5, 1.5)),
    ],
    ids=[
        *("defaults", "two a node", "size", "resync off", "two clusters", "no proxy", "shared"),
        *("two modes", "dashes"),
    ],
)
def test_need_is_that_of_services_of_a_deployment_and_of_stand_ins(
    changes: dict[str, Any], topologies: list[KnownTopology], need: Need
) -> None:
    assert compute_need(environment(**changes), topologies) == need


@pytest.mark.parametrize("quota", [4.75, None])
def test_sufficient_quota_has_no_warning(quota: float | None) -> None:
    """The need is 4.75 vCPU, and AWS's default is 6."""
    assert describe_shortages(environment(), [topology(3)], quota) == ()


@pytest.mark.parametrize(
    ("quota", "verdict"),
    [
        (4.5, "is not enough if every allowed stand-in runs as well"),
        (2.0, "is not enough during a deployment"),
        (1.25, "is not enough to deploy it"),
    ],
)
def test_warning_has_the_shortage_and_the_remedy(quota: float, verdict: str) -> None:
    shortage, command = describe_shortages(environment(), [topology(3)], quota)

    assert (
        "6 HAProxies of 0.25 vCPU need 1.5, 2.25 during a deployment, 4.75 with every" in shortage
    )
    assert f"the quota of account 111122223333 in us-east-1, {quota:g} vCPU, {verdict}." in shortage
    assert "All other Fargate tasks in this account and Region count too." in shortage
    assert command.endswith(
        "aws service-quotas request-service-quota-increase --service-code fargate"
        " --quota-code L-3032A538 --desired-value 5 --region us-east-1"
    )


def test_warning_names_proxies_of_both_kinds() -> None:
    environment_ = environment(clusters=[GROUP, ENVOYS])

    shortage, _ = describe_shortages(environment_, [topology(3), topology(3)], 1.0)

    assert "9 proxies of 0.25 vCPU need 2.25" in shortage


def test_unknown_quota_is_aws_s_default() -> None:
    shortage, _ = describe_shortages(environment(), [topology(12)], None)

    assert (
        "is unknown (look it up with -c refresh=true), and AWS's default of 6 vCPU is" in shortage
    )


def test_quota_is_looked_up_with_the_topology_and_cached(empty_directory: Path) -> None:
    (empty_directory / CONTEXT_FILE).write_text('{"vpc-provider:x": 1}')
    regions: list[str] = []

    def look_up(region: str) -> float:
        regions.append(region)
        return 40.0

    quota = load_quota(environment(), {}, look_up)

    key = quota_key(environment())
    assert key == "nodeway:fargate-vcpu-quota:account=111122223333:region=us-east-1"
    assert (quota, regions) == (40.0, ["us-east-1"])
    assert json.loads((empty_directory / CONTEXT_FILE).read_text()) == {
        "vpc-provider:x": 1,
        key: 40.0,
    }


def test_unknown_quota_is_not_cached(empty_directory: Path) -> None:
    assert load_quota(environment(), {}, lambda _: None) is None
    assert list(empty_directory.iterdir()) == []


@pytest.mark.parametrize("cached", [16, 16.0])
def test_synth_with_a_cached_topology_looks_nothing_up(
    cached: float, empty_directory: Path
) -> None:
    config = environment()
    topologies: dict[str, object] = {context_key(config, config.clusters[0]): {}}

    assert load_quota(config, topologies | {quota_key(config): cached}, never) == 16.0
    assert load_quota(config, topologies | {quota_key(config): "many"}, never) is None
    assert load_quota(config, topologies, never) is None
    assert list(empty_directory.iterdir()) == []


def test_configured_nodes_need_no_look_up_even_with_refresh() -> None:
    config = environment(clusters=[GROUP | {"nodes": [named(ONE), named(TWO)]}])

    assert load_quota(config, {"refresh": "true"}, never) is None
    assert load_quota(config, {quota_key(config): 9}, never) == 9.0


def test_refresh_looks_up_again(empty_directory: Path) -> None:
    config = environment()
    key = quota_key(config)
    cached = {context_key(config, config.clusters[0]): {}, key: 6, "refresh": "true"}

    assert load_quota(config, cached, lambda _: 100.0) == 100.0
    assert json.loads((empty_directory / CONTEXT_FILE).read_text()) == {key: 100.0}


@pytest.mark.parametrize(
    ("status", "body", "quota"),
    [
        (200, b'{"Quota": {"Value": 48.0}}', 48.0),
        (400, b'{"__type": "AccessDeniedException", "Message": "no"}', None),
        (400, b'{"__type": "NoSuchResourceException"}', None),
        (200, b"{}", None),
    ],
)
def test_quota_is_read_from_service_quotas(
    fake_aws: pytest.MonkeyPatch, status: int, body: bytes, quota: float | None
) -> None:
    with loopback(lambda _: (status, body)) as server:
        fake_aws.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", server.url)

        assert fetch_quota("us-east-1") == quota

    request = json.loads(server.requests[0].body)
    assert request == {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}


def test_quota_is_unknown_without_credentials(fake_aws: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        fake_aws.delenv(name)

    assert fetch_quota("us-east-1") is None
