"""The monthly estimate: sums computed by hand, the usage of an environment, assumptions, invalid price lists."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig
from nodeway.constructs.proxies import envoy_metrics, haproxy_metrics
from nodeway.constructs.records.resync import MEMORY_MIB
from nodeway.errors import ConfigError
from nodeway.pricing import estimate as cost
from nodeway.pricing.estimate import THIS, Row, estimate, estimate_rows, usage_rows
from nodeway.pricing.prices import PRICES, Prices, load_prices
from nodeway.pricing.table import MARK, WIDTH, render_estimate
from nodeway.pricing.usage import (
    ENVOY_METRICS,
    HAPROXY_METRICS,
    HAPROXY_NODE_METRICS,
    PROBE_METRICS,
    PROBE_NODE_METRICS,
    Fleet,
    Usage,
    compute_usage,
)
from nodeway_runtime.functions.probe_journal import LogJournal
from nodeway_runtime.model.metrics import Dimension
from tests.support.blocks import ENVOY, GROUP, PROXY_VPC, SHARED
from tests.support.fakes import context, environment_block
from tests.support.reports import report

SHARED_FLEET = Fleet("shared HAProxies", 2, HAPROXY_METRICS + HAPROXY_NODE_METRICS)
ENVOYS = Fleet("Envoys", 3, ENVOY_METRICS)
NETWORK = PROXY_VPC | {
    "subnets": [
        *PROXY_VPC["subnets"],
        {"subnet_id": "subnet-0000000b", "availability_zone": "us-east-1b"},
    ]
}
NEW_NETWORK = {
    "image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/haproxy:2.8.25-alpine",
    "proxy_vpc": {
        "cidr": "10.20.0.0/16",
        "availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
        "nat_gateways": 2,
        "endpoints": ["ecr.api", "ecr.dkr", "logs", "s3", "ssm"],
    },
}
ON_PREMISES = {
    "cidrs": ["192.168.0.0/16"],
    "resolver_vpc_id": "vpc-0000000c",
    "resolver_subnet_ids": ["subnet-0000000c", "subnet-0000000d"],
}


@pytest.fixture
def prices() -> Prices:
    """The repository's price list."""
    return load_prices()


def row(rows: tuple[Row, ...], what: str) -> Row:
    """The row of which the title begins with `what`."""
    return next(row for row in rows if row.what.startswith(what))


def changed_list(tmp_path: Path, change: Any) -> Path:  # noqa: ANN401 (a function of the document)
    """A changed copy of the price list."""
    document = json.loads(PRICES.read_text())
    change(document)
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize(
    ("what", "month"),
    [
        # 12 x (0.25 x 0.04048 + 0.5 x 0.004445) x 730
        ("HAProxies on Fargate", 108.12),
        # 12 x (0.0225 + 2 x 0.01) x 730
        ("NLB + PrivateLink per node", 372.30),
        # 13 x 0.10 x 730
        ("VPC Lattice, service network", 949.00),
        # 0.02 x 730
        ("VPC Lattice, resource endpoint", 14.60),
        # 2 x (0.04048 + 2 x 0.004445) x 730
        ("Envoy pair", 72.08),
        # 2 x 0.05 x 730
        ("Transit Gateway", 73.00),
        ("VPC peering", 0.0),
    ],
)
def test_month_of_twelve_nodes_is_as_computed_by_hand(
    prices: Prices, what: str, month: float
) -> None:
    assert round(row(estimate_rows(Usage(nodes=12), prices), what).month, 2) == month


def test_sum_is_that_of_the_parts_without_traffic(prices: Prices) -> None:
    rows = estimate_rows(Usage(nodes=5, interface_endpoints=4, nat_gateways=1), prices)

    parts = [row for row in rows if row.part]
    assert row(rows, THIS).month == pytest.approx(sum(part.month for part in parts))
    assert [part.gb for part in parts] == [None] * len(parts)


@pytest.mark.parametrize(
    ("changes", "usage"),
    [
        ({}, {}),
        (
            {"haproxies_per_node": 2, "cpu": 512, "memory": 1024},
            {"haproxies_per_node": 2, "cpu": 512, "memory": 1024},
        ),
        ({"node_metrics": False}, {"node_metrics": False}),
        # three interface endpoints in two AZs; the S3 gateway endpoint is free
        (
            {"proxy_vpc": NETWORK | {"endpoints": ["ecr.api", "ecr.dkr", "logs", "s3"]}},
            {"interface_endpoints": 6},
        ),
        (NEW_NETWORK, {"interface_endpoints": 12, "nat_gateways": 2}),
        ({"on_premises": ON_PREMISES}, {"resolver_addresses": 2}),
    ],
    ids=["defaults", "size", "metrics", "endpoints", "new network", "resolver"],
)
def test_usage_is_that_of_the_configuration(changes: dict[str, Any], usage: dict[str, Any]) -> None:
    environment = load(context(environment_block(**{"proxy_vpc": NETWORK} | changes)))

    assert compute_usage(environment, [7]) == Usage(nodes=7, **usage)


PROBED = {
    "client_vpcs": [
        {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", "probe_subnet_ids": ["subnet-0000000c"]}
    ]
}


def test_probe_is_a_part_with_functions_and_metrics(prices: Prices) -> None:
    """13 metrics of the cluster and 7 of each of 8 names at 0.30; two functions with 1.5 GB together."""
    usage = compute_usage(load(context(environment_block(**PROBED))), [7])
    f = prices.prices
    seconds = cost.RUNS * f.lambda_seconds_per_run.value * 1.5 * f.lambda_gb_second.value
    runs = seconds + 2 * cost.RUNS / 1e6 * f.lambda_request_million.value

    assert (usage.probed, usage.logins, usage.probed_names, usage.probe_vpcs) == (1, 0, 8, 1)
    month = row(estimate_rows(usage, prices), "probe").month
    assert month == pytest.approx((13 + 7 * 8) * 0.30 + runs)
    assert "probe" not in {row.what for row in estimate_rows(Usage(nodes=7), prices)}


def test_probe_s_metrics_are_those_that_its_journal_writes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal = LogJournal(cluster="demo", request_id="r", node_metrics=True)
    journal.write(replace(report(), failovers=1, rejected_connections=0))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics: dict[tuple[str, ...], set[str]] = {}
    for line in (line["_aws"]["CloudWatchMetrics"][0] for line in lines if "_aws" in line):
        names = {metric["Name"] for metric in line["Metrics"]}
        metrics.setdefault(tuple(line["Dimensions"][0]), set()).update(names)

    assert len(metrics.pop((Dimension.CLUSTER,))) == PROBE_METRICS
    assert len(metrics.pop((Dimension.CLUSTER, Dimension.NODE))) == PROBE_NODE_METRICS
    assert metrics == {}


def in_modes(*clusters: str) -> EnvironmentConfig:
    """An environment with these clusters, each GROUP/MODE."""
    modes = {"haproxy": GROUP, "shared": SHARED, "envoy": ENVOY | {"tasks": 3}}
    blocks = [
        modes[mode] | {"replication_group_id": group}
        for group, _, mode in (cluster.partition("/") for cluster in clusters)
    ]
    return load(context(environment_block(clusters=blocks)))


@pytest.mark.parametrize(
    ("clusters", "nodes", "usage"),
    [
        (["a/shared"], [90], Usage(0, 0, (SHARED_FLEET,), other_nodes=90, other_clusters=1)),
        (["a/haproxy", "a/envoy"], [6, 6], Usage(6, 1, (ENVOYS,))),
        (
            ["a/haproxy", "b/shared", "b/envoy"],
            [6, 4, 4],
            Usage(6, 1, (SHARED_FLEET, ENVOYS), other_nodes=4, other_clusters=1),
        ),
    ],
    ids=["shared", "one group in two modes", "two groups"],
)
def test_usage_has_the_tasks_of_each_fleet_and_each_node_once(
    clusters: list[str], nodes: list[int], usage: Usage
) -> None:
    assert compute_usage(in_modes(*clusters), nodes) == usage


def test_fleets_are_parts_with_tasks_a_zone_metrics_and_alarms(prices: Prices) -> None:
    """By hand: 2 tasks of 9.01; 20 metrics of 0.30, 10 of Envoy; alarms on 10 metrics, 7 of Envoy, 0.10 each."""
    alone = estimate_rows(Usage(nodes=6), prices)
    shared = estimate_rows(compute_usage(in_modes("a/shared"), [90]), prices)
    envoy = estimate_rows(compute_usage(in_modes("a/haproxy", "a/envoy"), [6, 6]), prices)

    assert row(shared, "shared HAProxies on Fargate").month == pytest.approx(18.02, abs=0.01)
    assert row(shared, "private hosted zones").how == "1 zone"
    assert row(shared, "resync Lambda").month == row(alone, "resync Lambda").month
    assert row(shared, "NLB").how == "90 NLBs, endpoints in 2 AZs"
    assert row(shared, "metrics of the proxies").month == pytest.approx(6.00)
    assert row(envoy, "HAProxies on Fargate") == row(alone, "HAProxies on Fargate")
    assert row(envoy, "private hosted zones").how == "3 zones"
    own = row(alone, "metrics of the proxies").month
    assert row(envoy, "metrics of the proxies").month == pytest.approx(own + 3.00)
    assert row(envoy, "resync Lambda").month == 2 * row(alone, "resync Lambda").month
    assert row(envoy, "NLB").month == row(alone, "NLB").month
    assert row(alone, "alarms").month == pytest.approx(1.00 + 3.00)
    assert row(envoy, "alarms").month == pytest.approx(1.70 + 3.00)


@pytest.mark.parametrize(("node_metrics", "month"), [(True, 48.90), (False, 2.10)])
def test_metrics_of_nodes_are_optional(prices: Prices, month: float, *, node_metrics: bool) -> None:
    """By hand: 7 metrics of the cluster and 13 of each of 12 nodes, at 0.30."""
    rows = estimate_rows(Usage(nodes=12, node_metrics=node_metrics), prices)

    assert row(rows, "metrics of the proxies").month == pytest.approx(month)


def test_environment_without_proxies_costs_nothing(prices: Prices) -> None:
    rows = estimate_rows(Usage(nodes=0, clusters=0), prices)

    assert [(row.what, row.month) for row in rows] == [(THIS, 0)]


def test_rows_have_their_assumptions(prices: Prices) -> None:
    rows = estimate_rows(Usage(nodes=2), prices)

    assert row(rows, "VPC Lattice, resource endpoint").assumed == ("resource_endpoint_hour",)
    assert "lambda_seconds_per_run" in row(rows, THIS).assumed
    assert row(rows, "NLB").assumed == row(rows, "HAProxies").assumed == ()


def test_lattice_can_be_billed_by_group(prices: Prices, tmp_path: Path) -> None:
    by_group = load_prices(
        changed_list(tmp_path, lambda d: d["prices"]["lattice_billed_per_name"].update(value=0))
    )

    name, group = (
        row(estimate_rows(Usage(nodes=9), each), "VPC Lattice, service").month
        for each in (prices, by_group)
    )
    assert name == pytest.approx(10 * group)


@pytest.mark.parametrize(
    ("clusters", "nodes"),
    [(["a/haproxy"], [nodes]) for nodes in (1, 2, 90, 500)] + [(["a/haproxy", "a/envoy"], [6, 6])],
)
def test_table_has_every_row_within_its_width(
    prices: Prices, clusters: list[str], nodes: list[int]
) -> None:
    environment = in_modes(*clusters)

    text = render_estimate(environment, nodes, prices)

    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
    assert f"{nodes[0]} node{'s' * (nodes[0] > 1)})" in text.splitlines()[0]
    for row in estimate(environment, nodes, prices):
        assert f"{row.what:<30}" in text
        assert row.how in text


def test_table_has_the_date_the_region_and_assumptions(prices: Prices) -> None:
    subnet = {"subnet_id": "subnet-0000000a", "availability_zone": "eu-west-1a"}
    block = environment_block(
        region="eu-west-1", proxy_vpc={"vpc_id": "vpc-0000000a", "subnets": [subnet]}
    )
    same, other = (
        render_estimate(load(context(block)), [2], prices) for block in (environment_block(), block)
    )

    assert f"us-east-1 prices of {prices.as_of}\n" in same
    assert "the price list is nodeway/pricing/prices.json" in same
    assert f"{MARK} is based on assumptions" in same
    assert "edit the price list" not in same
    assert (
        "the prices are those of us-east-1, but dev is in eu-west-1: edit the price list" in other
    )


def test_every_figure_is_used_and_has_a_source(prices: Prices) -> None:
    text = Path(str(cost.__file__)).read_text()

    assert [name for name, _ in prices.prices if name not in text] == []
    for _, price in prices.prices:
        assert price.source.startswith("https://") or price.status == "assumed"


def test_counts_are_those_of_the_constructs() -> None:
    assert len(envoy_metrics.METRICS) == ENVOY_METRICS
    dimensions = [spec.dimensions for spec in haproxy_metrics.list_filters(by_node=True)]
    assert dimensions.count(haproxy_metrics.CLUSTER) == HAPROXY_METRICS
    assert dimensions.count(haproxy_metrics.NODE) == HAPROXY_NODE_METRICS
    assert MEMORY_MIB / 1024 == cost.RUN_MEMORY_GB


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["prices"]["nlb_hour"].update(value=-1),
            "prices.nlb_hour.value: Input should be greater",
        ),
        (lambda d: d["prices"]["nlb_hour"].update(status="sure"), "prices.nlb_hour.status"),
        (lambda d: d["prices"].pop("nlb_hour"), "prices.nlb_hour: Field required"),
        (lambda d: d["prices"].update(nbl_hour={}), "prices.nbl_hour"),
        (lambda d: d.update(region="Virginia"), "region: "),
    ],
)
def test_invalid_price_list_is_one_line(tmp_path: Path, change: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=r"the price list prices\.json is invalid") as caught:
        load_prices(changed_list(tmp_path, change))

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_price_list_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{")
    for file in (tmp_path / "prices.json", tmp_path / "none.json"):
        with pytest.raises(ConfigError, match="the price list") as caught:
            load_prices(file)
        assert "\n" not in str(caught.value)


def test_parts_without_cost_have_no_row(prices: Prices) -> None:
    assert len(list(usage_rows(Usage(nodes=1), prices.prices))) == 9
    assert len([row for row in estimate_rows(Usage(nodes=1), prices) if row.part]) == 5
