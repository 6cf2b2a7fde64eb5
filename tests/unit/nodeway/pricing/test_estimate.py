"""The month's estimate: sums by hand, what an environment adds, what is assumed, a price list that is broken."""

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
from tests.support.fakes import context, environment_block
from tests.support.reports import report

SHARED = Fleet("shared HAProxies", 2, HAPROXY_METRICS + HAPROXY_NODE_METRICS)
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:clients-AbCdEf"
NETWORK = {
    "vpc_id": "vpc-0000000a",
    "cidr": "10.20.0.0/16",
    "subnets": [
        {"subnet_id": "subnet-0000000a", "availability_zone": "us-east-1a"},
        {"subnet_id": "subnet-0000000b", "availability_zone": "us-east-1b"},
    ],
    "route_table_ids": ["rtb-0000000a"],
}


@pytest.fixture
def prices() -> Prices:
    """The list in the repository."""
    return load_prices()


def row(rows: tuple[Row, ...], what: str) -> Row:
    """The row of this name."""
    return next(one for one in rows if one.what.startswith(what))


def list_with(tmp_path: Path, change: Any) -> Path:  # noqa: ANN401 (a function of the document)
    """A copy of the price list, changed."""
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
def test_month_of_twelve_nodes_is_what_a_calculator_says(
    prices: Prices, what: str, month: float
) -> None:
    """Worked by hand from the prices in the comments."""
    assert round(row(estimate_rows(Usage(nodes=12), prices), what).month, 2) == month


def test_sum_is_of_the_parts_and_of_nothing_else(prices: Prices) -> None:
    rows = estimate_rows(Usage(nodes=5, interface_endpoints=4, nat_gateways=1), prices)

    parts = [one for one in rows if one.part]
    assert row(rows, THIS).month == pytest.approx(sum(one.month for one in parts))
    assert [one.gb for one in parts] == [None] * len(parts), "traffic is no part of a sum"


@pytest.mark.parametrize(
    ("changes", "shape"),
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
    ],
    ids=["as it is", "size", "metrics", "endpoints"],
)
def test_shape_has_what_the_configuration_says(
    changes: dict[str, Any], shape: dict[str, Any]
) -> None:
    environment = load(context(environment_block(**{"proxy_vpc": NETWORK} | changes)))

    assert compute_usage(environment, [7]) == Usage(nodes=7, **shape)


PROBED = {
    "client_vpcs": [
        {"vpc_id": "vpc-0000000c", "cidr": "10.40.0.0/16", "probe_subnet_ids": ["subnet-0000000c"]}
    ]
}


def test_probe_costs_its_functions_and_its_metrics(prices: Prices) -> None:
    """Worked by hand: 13 metrics of the cluster and 7 of each of 8 names, at 0.30; two functions, 1.5 GB together."""
    environment = load(context(environment_block(**PROBED)))
    shape = compute_usage(environment, [7])
    found = row(estimate_rows(shape, prices), "probe")
    f = prices.prices
    seconds = cost.RUNS * f.lambda_seconds_per_run.value * 1.5 * f.lambda_gb_second.value
    runs = seconds + 2 * cost.RUNS / 1e6 * f.lambda_request_million.value

    assert (shape.probed, shape.logins, shape.probed_names, shape.probe_vpcs) == (1, 0, 8, 1)
    assert found.month == pytest.approx((13 + 7 * 8) * 0.30 + runs)
    assert not [one for one in estimate_rows(Usage(nodes=7), prices) if one.what == "probe"]


def test_probe_is_counted_as_its_journal_writes(capsys: pytest.CaptureFixture[str]) -> None:
    """A report with everything in it: the metrics of the cluster, and of one name."""
    journal = LogJournal(cluster="demo", request_id="r", node_metrics=True)
    journal.write(replace(report(), failovers=1, rejected_connections=0))
    lines = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    told: dict[tuple[str, ...], set[str]] = {}
    for line in (one["_aws"]["CloudWatchMetrics"][0] for one in lines if "_aws" in one):
        names = {metric["Name"] for metric in line["Metrics"]}
        told.setdefault(tuple(line["Dimensions"][0]), set()).update(names)

    assert {len(names) for names in told.values()} == {PROBE_METRICS, PROBE_NODE_METRICS}
    assert set(told) == {(Dimension.CLUSTER,), (Dimension.CLUSTER, Dimension.NODE)}


def test_shape_of_a_made_network_has_its_nat_gateways_and_resolver() -> None:
    """Copied from a checked environment, so that this is about cost and not about a whole network."""
    environment = load(context(environment_block()))
    assert environment.proxy_vpc is not None
    made = environment.proxy_vpc.model_copy(
        update={
            "vpc_id": None,
            "subnets": (),
            "availability_zones": ("us-east-1a", "us-east-1b", "us-east-1c"),
            "nat_gateways": 2,
            "endpoints": ("logs",),
        }
    )
    outside = {
        "cidrs": ("192.168.0.0/16",),
        "resolver_vpc_id": "vpc-1",
        "resolver_subnet_ids": ("a", "b"),
    }
    environment = environment.model_copy(
        update={"proxy_vpc": made, "on_premises": type("Outside", (), outside)()}
    )

    shape = compute_usage(environment, [2])

    assert (shape.interface_endpoints, shape.nat_gateways, shape.resolver_addresses) == (3, 2, 2)


def in_ways(*ways: tuple[str, str]) -> EnvironmentConfig:
    """An environment whose clusters are reached in these ways: group and proxy each."""
    more: dict[str, dict[str, Any]] = {
        "haproxy": {},
        "shared": {"clients": ["rueidis"], "cache_cidrs": ["10.60.0.0/24"]},
        "envoy": {"tasks": 3, "envoy": {"downstream_secret_arns": [SECRET]}},
    }
    clusters = [{"replication_group_id": group, "proxy": way, **more[way]} for group, way in ways]
    return load(context(environment_block(clusters=clusters)))


@pytest.mark.parametrize(
    ("ways", "nodes", "shape"),
    [
        (
            [("a", "shared")],
            [90],
            Usage(0, 0, (SHARED,), other_nodes=90, other_clusters=1),
        ),
        (
            [("a", "haproxy"), ("a", "envoy")],
            [6, 6],
            Usage(6, 1, (Fleet("Envoys", 3, ENVOY_METRICS),)),
        ),
        (
            [("a", "haproxy"), ("b", "shared"), ("b", "envoy")],
            [6, 4, 4],
            Usage(
                6,
                1,
                (SHARED, Fleet("Envoys", 3, ENVOY_METRICS)),
                other_nodes=4,
                other_clusters=1,
            ),
        ),
    ],
    ids=["shared", "one cluster in two ways", "two clusters"],
)
def test_shape_counts_each_fleet_s_tasks_and_each_node_once(
    ways: list[tuple[str, str]], nodes: list[int], shape: Usage
) -> None:
    assert compute_usage(in_ways(*ways), nodes) == shape


def test_fleet_costs_its_tasks_one_zone_and_its_metrics(prices: Prices) -> None:
    """Worked by hand: 2 tasks of 9.01, one zone instead of two, and 20 metrics of 0.30, or ten beside Envoy."""
    alone = estimate_rows(Usage(nodes=6), prices)
    shared = estimate_rows(compute_usage(in_ways(("a", "shared")), [90]), prices)
    envoy = estimate_rows(compute_usage(in_ways(("a", "haproxy"), ("a", "envoy")), [6, 6]), prices)

    assert row(shared, "shared HAProxies on Fargate").month == pytest.approx(18.02, abs=0.01)
    assert row(shared, "private hosted zones").how == "1 zone"
    assert row(shared, "resync Lambda").month == row(alone, "resync Lambda").month
    assert row(shared, "NLB").how == "90 NLBs, endpoints in 2 AZs"
    assert row(envoy, "HAProxies on Fargate") == row(alone, "HAProxies on Fargate")
    assert row(envoy, "private hosted zones").how == "3 zones"
    assert row(shared, "metrics of the proxies").month == pytest.approx(6.00)
    own = row(alone, "metrics of the proxies").month
    assert row(envoy, "metrics of the proxies").month == pytest.approx(own + 3.00)
    assert row(envoy, "resync Lambda").month == 2 * row(alone, "resync Lambda").month
    assert row(envoy, "NLB").month == row(alone, "NLB").month


def test_alarms_and_one_dashboard_are_of_all_ways_together(prices: Prices) -> None:
    """Worked by hand: alarms on 10 metrics, 7 more for Envoy, 0.10 each, and a dashboard of 3.00."""
    both = estimate_rows(compute_usage(in_ways(("a", "haproxy"), ("a", "envoy")), [6, 6]), prices)

    assert row(estimate_rows(Usage(nodes=6), prices), "alarms").month == pytest.approx(4.00)
    assert row(both, "alarms").month == pytest.approx(4.70)
    assert not any(one.what.startswith("alarms") for one in estimate_rows(Usage(0, 0), prices))


def test_metrics_of_each_node_are_paid_for_unless_left_out(prices: Prices) -> None:
    """Worked by hand: 7 for the cluster and 13 for each node, 0.30 each."""
    every, few = (estimate_rows(Usage(nodes=12, node_metrics=one), prices) for one in (True, False))

    assert row(every, "metrics of the proxies").month == pytest.approx(48.90)
    assert row(few, "metrics of the proxies").month == pytest.approx(2.10)


def test_table_of_two_ways_counts_a_node_once(prices: Prices) -> None:
    text = render_estimate(in_ways(("a", "haproxy"), ("a", "envoy")), [6, 6], prices)

    assert "6 nodes)" in text.splitlines()[0]
    assert "  Envoys on Fargate" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_environment_without_haproxies_costs_nothing_a_month(prices: Prices) -> None:
    """Plain peering: no other way stands beside it."""
    rows = estimate_rows(Usage(nodes=0, clusters=0), prices)

    assert [(one.what, one.month) for one in rows] == [(THIS, 0)]


def test_assumptions_mark_the_rows_that_use_them(prices: Prices) -> None:
    rows = estimate_rows(Usage(nodes=2), prices)

    assert row(rows, "VPC Lattice, resource endpoint").assumed == ("resource_endpoint_hour",)
    assert "lambda_seconds_per_run" in row(rows, THIS).assumed
    assert row(rows, "NLB").assumed == row(rows, "HAProxies").assumed == ()


def test_lattice_may_be_billed_by_the_group(prices: Prices, tmp_path: Path) -> None:
    """The assumption is a figure that one can turn."""

    def change(document: dict[str, Any]) -> None:
        document["prices"]["lattice_billed_per_name"]["value"] = 0

    changed = load_prices(list_with(tmp_path, change))

    per_name = row(estimate_rows(Usage(nodes=9), prices), "VPC Lattice, service").month
    assert per_name == pytest.approx(
        10 * row(estimate_rows(Usage(nodes=9), changed), "VPC Lattice, service").month
    )


@pytest.mark.parametrize("nodes", [1, 2, 90, 500])
def test_table_is_plain_and_narrow(prices: Prices, nodes: int) -> None:
    """Whatever the size: no line is cut or too wide, and none has colour."""
    text = render_estimate(load(context(environment_block())), [nodes], prices)

    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
    assert f"{nodes} node{'s' * (nodes > 1)})" in text.splitlines()[0]
    for one in estimate(load(context(environment_block())), [nodes], prices):
        assert f"{one.what:<30}" in text
        assert one.how in text


def test_table_says_date_region_assumptions_and_another_region(prices: Prices) -> None:
    block = environment_block(
        region="eu-west-1",
        proxy_vpc={
            "vpc_id": "vpc-0000000a",
            "subnets": [{"subnet_id": "subnet-0000000a", "availability_zone": "eu-west-1a"}],
        },
    )
    here, there = (
        render_estimate(load(context(one)), [2], prices) for one in (environment_block(), block)
    )

    assert f"us-east-1 prices of {prices.as_of} (stacks/prices.json)" in here
    assert f"{MARK} rests on assumptions" in here
    assert "edit stacks/prices.json" not in here
    assert (
        "the prices are those of us-east-1, but dev is in eu-west-1: edit stacks/prices.json"
        in there
    )


def test_every_figure_is_used_and_has_a_source(prices: Prices) -> None:
    """A figure that nothing reads would only look like a price."""
    text = Path(str(cost.__file__)).read_text()

    assert [name for name, _ in prices.prices if name not in text] == []
    for _, one in prices.prices:
        assert one.source.startswith("https://") or one.status == "assumed"


def test_counts_are_those_of_the_stacks() -> None:
    """What the estimate counts for each cluster is what is deployed and written."""
    assert len(envoy_metrics.METRICS) == ENVOY_METRICS
    of_haproxy = list(haproxy_metrics.list_filters(by_node=True))
    by_node = [one for one in of_haproxy if one.dimensions == haproxy_metrics.NODE]
    of_all = [one for one in of_haproxy if one.dimensions == haproxy_metrics.CLUSTER]
    assert (len(of_all), len(by_node)) == (HAPROXY_METRICS, HAPROXY_NODE_METRICS)
    assert MEMORY_MIB / 1024 == cost.RUN_MEMORY_GB


@pytest.mark.parametrize(
    ("change", "told_of"),
    [
        (
            lambda d: d["prices"]["nlb_hour"].update(value=-1),
            "prices.nlb_hour.value: Input should be greater",
        ),
        (lambda d: d["prices"]["nlb_hour"].update(value="x"), "prices.nlb_hour.value"),
        (lambda d: d["prices"]["nlb_hour"].update(status="sure"), "prices.nlb_hour.status"),
        (lambda d: d["prices"].pop("nlb_hour"), "prices.nlb_hour: Field required"),
        (lambda d: d["prices"].update(nbl_hour={}), "prices.nbl_hour"),
        (lambda d: d.update(region="Virginia"), "region: "),
        (lambda d: d.update(as_of="yesterday"), "as_of: "),
    ],
)
def test_broken_price_list_is_one_line(tmp_path: Path, change: Any, told_of: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=r"the price list prices\.json is broken") as caught:
        load_prices(list_with(tmp_path, change))

    assert told_of in str(caught.value)
    assert "\n" not in str(caught.value)


def test_price_list_that_is_no_json_or_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{")
    for file in (tmp_path / "prices.json", tmp_path / "none.json"):
        with pytest.raises(ConfigError, match="the price list") as caught:
            load_prices(file)
        assert "\n" not in str(caught.value)


def test_parts_that_cost_nothing_are_left_out(prices: Prices) -> None:
    """All nine are known; a row of zeros says nothing."""
    assert len(list(usage_rows(Usage(nodes=1), prices.prices))) == 9
    assert len([one for one in estimate_rows(Usage(nodes=1), prices) if one.part]) == 5
