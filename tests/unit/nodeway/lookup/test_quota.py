"""Fargate's vCPU quota before a deploy: the sum, when AWS is asked, and the sentences."""

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
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named
from tests.support.programs.loopback import loopback

GROUP: dict[str, Any] = {"replication_group_id": "demo"}
SHARED = GROUP | {"proxy": "shared", "clients": ["rueidis"], "cache_cidrs": ["10.60.0.0/24"]}
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:clients-AbCdEf"
ENVOY = GROUP | {"proxy": "envoy", "tasks": 3, "envoy": {"downstream_secret_arns": [SECRET]}}
DIRECT = GROUP | {"proxy": "none", "cache_security_group_id": "sg-0000000a"}
PEERED: dict[str, Any] = {
    "access": "peering",
    "proxy_vpc": None,
    "client_vpcs": [
        {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", "route_table_ids": ["rtb-0000000c"]}
    ],
    "cache_vpc": {
        "vpc_id": "vpc-0000000b",
        "cidr": "10.60.0.0/16",
        "route_table_ids": ["rtb-0000000b"],
    },
}
DISCOVERED: dict[str, Any] = {"clusters": [GROUP]}


def environment(**changes: Any) -> EnvironmentConfig:  # noqa: ANN401 (any JSON)
    """An environment whose cluster is looked up."""
    return load(context(environment_block(**DISCOVERED | changes)))


def topology(shards: int, members: int = 2, group: str = "demo") -> KnownTopology:
    """A cluster of so many nodes."""
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
    """A look-up that must not happen."""
    pytest.fail(f"AWS was asked in {region}")


@pytest.mark.parametrize(
    ("changes", "topologies", "need"),
    [
        # 6 nodes of 0.25; 3 shards roll one node each; 10 stand-ins
        ({}, [topology(3)], Need(6, 1.5, 2.25, 4.75)),
        # two HAProxies a node: a service that rolls runs two more
        ({"haproxies_per_node": 2}, [topology(3)], Need(12, 3.0, 4.5, 7.0)),
        ({"cpu": 1024, "memory": 2048, "max_stand_ins": 0}, [topology(3)], Need(6, 6.0, 9.0, 9.0)),
        # without the schedule nobody starts stand-ins
        ({"resync": "off"}, [topology(3)], Need(6, 1.5, 2.25, 2.25)),
        (
            {"max_stand_ins": 1, "clusters": [GROUP, GROUP | {"replication_group_id": "b"}]},
            [topology(1), topology(1, group="b")],
            Need(4, 1.0, 1.5, 2.0),
        ),
        ({"clusters": [DIRECT], **PEERED}, [], Need(0, 0, 0, 0)),
        # two tasks for all nodes, both doubled while they roll; no stand-ins
        ({"clusters": [SHARED]}, [topology(15)], Need(2, 0.5, 1.0, 1.0)),
        ({"clusters": [GROUP, ENVOY]}, [topology(3), topology(3)], Need(9, 2.25, 3.75, 6.25)),
    ],
    ids=[
        *("defaults", "two a node", "size", "resync off", "two clusters", "no proxy", "shared"),
        "two ways",
    ],
)
def test_need_is_at_rest_while_rolling_and_with_stand_ins(
    changes: dict[str, Any], topologies: list[KnownTopology], need: Need
) -> None:
    assert compute_need(environment(**changes), topologies) == need


def test_shards_with_dashes_in_their_group_s_name_are_counted_apart() -> None:
    """The member is what follows the last dash, and nothing else."""
    found = compute_need(environment(max_stand_ins=0), [topology(2, group="a-b-0001")])

    assert found.rolling - found.steady == 0.5


def test_enough_is_silent() -> None:
    """4.75 vCPU at most: neither a quota of 4.75 nor AWS's default is worth a word."""
    assert describe_shortages(environment(), [topology(3)], 4.75) == ()
    assert describe_shortages(environment(), [topology(3)], None) == ()


@pytest.mark.parametrize(
    ("quota", "told"),
    [
        (4.5, "is not enough when every allowed stand-in runs as well"),
        (2.0, "is not enough while a change rolls"),
        (1.25, "is not enough to deploy it"),
    ],
)
def test_too_small_a_quota_says_for_what_and_how_to_raise_it(quota: float, told: str) -> None:
    what, command = describe_shortages(environment(), [topology(3)], quota)

    assert "6 HAProxies of 0.25 vCPU need 1.5, 2.25 while a change rolls, 4.75 with every" in what
    assert f"the quota of account 111122223333 in us-east-1, {quota:g} vCPU, {told}." in what
    assert "All else that runs on Fargate in this account and Region counts too." in what
    assert command.endswith(
        "aws service-quotas request-service-quota-increase --service-code fargate"
        " --quota-code L-3032A538 --desired-value 5 --region us-east-1"
    )


def test_proxies_of_both_kinds_are_called_so() -> None:
    (what, _) = describe_shortages(
        environment(clusters=[GROUP, ENVOY]), [topology(3), topology(3)], 1.0
    )

    assert "9 proxies of 0.25 vCPU need 2.25" in what


def test_unknown_quota_is_aws_s_default_and_says_so() -> None:
    what, _ = describe_shortages(environment(), [topology(12)], None)

    assert "is not known (renew with -c refresh=true), and AWS's default of 6 vCPU is not" in what


def test_quota_is_asked_with_the_topology_and_remembered(empty_directory: Path) -> None:
    """Beside the other look-ups, under a key of this account and Region."""
    (empty_directory / CONTEXT_FILE).write_text('{"vpc-provider:x": 1}')
    asked: list[str] = []

    def look_up(region: str) -> float:
        asked.append(region)
        return 40.0

    found = load_quota(environment(), {}, look_up)

    key = quota_key(environment())
    assert key == "nodeway:fargate-vcpu-quota:account=111122223333:region=us-east-1"
    assert (found, asked) == (40.0, ["us-east-1"])
    assert json.loads((empty_directory / CONTEXT_FILE).read_text()) == {
        "vpc-provider:x": 1,
        key: 40.0,
    }


def test_quota_that_aws_does_not_say_is_not_remembered(empty_directory: Path) -> None:
    """So that the next look-up asks again."""
    assert load_quota(environment(), {}, lambda _: None) is None
    assert list(empty_directory.iterdir()) == []


@pytest.mark.parametrize("cached", [16, 16.0])
def test_synth_from_files_asks_nobody(cached: float, empty_directory: Path) -> None:
    there = environment()
    known = {context_key(there, there.clusters[0]): {}, quota_key(there): cached}

    assert load_quota(there, known, never) == 16.0
    assert load_quota(there, known | {quota_key(there): "many"}, never) is None
    assert load_quota(there, {context_key(there, there.clusters[0]): {}}, never) is None
    assert list(empty_directory.iterdir()) == []


def test_nodes_by_hand_ask_nobody_even_when_refreshed() -> None:
    """`nodes` means no look-up at all."""
    by_hand = environment(
        clusters=[{"replication_group_id": "demo", "nodes": [named(ONE), named(TWO)]}]
    )

    assert load_quota(by_hand, {"refresh": "true"}, never) is None
    assert load_quota(by_hand, {quota_key(by_hand): 9}, never) == 9.0


def test_refresh_asks_again(empty_directory: Path) -> None:
    there = environment()
    known = {context_key(there, there.clusters[0]): {}, quota_key(there): 6, "refresh": "true"}

    assert load_quota(there, known, lambda _: 100.0) == 100.0
    assert json.loads((empty_directory / CONTEXT_FILE).read_text()) == {quota_key(there): 100.0}


def test_ask_reads_service_quotas(fake_aws: pytest.MonkeyPatch) -> None:
    with loopback(lambda _: (200, b'{"Quota": {"Value": 48.0}}')) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", here.url)

        assert fetch_quota("us-east-1") == 48.0

    sent = json.loads(here.requests[0].body)
    assert sent == {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"__type": "AccessDeniedException", "Message": "no"}'),
        (400, b'{"__type": "NoSuchResourceException"}'),
        (200, b"{}"),
    ],
)
def test_ask_gives_nothing_when_it_is_refused(
    fake_aws: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    with loopback(lambda _: (status, body)) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", here.url)

        assert fetch_quota("us-east-1") is None


def test_ask_without_credentials_gives_nothing(fake_aws: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        fake_aws.delenv(name)

    assert fetch_quota("us-east-1") is None
