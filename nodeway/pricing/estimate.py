"""Estimates the monthly cost of an environment before its deployment, beside that of other access options. Pure.

The traffic is unknown at synth, so its cost is a rate (USD/GB) and not part of a sum. ElastiCache itself, stand-ins,
support, taxes and free tiers are not included. The prices are those of nodeway/pricing/prices.json.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nodeway.config.model import EnvironmentConfig
from nodeway.pricing.prices import Figures, Price, Prices
from nodeway.pricing.usage import Usage, compute_usage
from nodeway_runtime.model.metrics import ResyncMetric

HOURS = 730
"""Hours of a month, as in AWS's own calculator."""
RUNS = HOURS * 60
RUN_MEMORY_GB = 0.25
"""Memory of the resync function (nodeway/constructs/records/resync.py)."""
PROBER_MEMORY_GB, COORDINATOR_MEMORY_GB = 1, 0.5
"""Memory of the probe's functions (nodeway/constructs/probe)."""
METRICS = len(ResyncMetric)
"""Metrics of each resync."""
ZONES = 2
"""Zones of a cluster with a HAProxy per node: that of its names, and that of its stand-ins. A fleet has one zone."""
ENDPOINT_ZONES = 2
"""Availability zones of the NLBs and endpoints of other access options."""
THIS = "Nodeway, as configured"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `month` is in USD. `gb` is in USD per GB, if no traffic crosses AZs and if all does."""

    what: str
    month: float
    how: str
    gb: tuple[float, float] | None = None
    assumed: tuple[str, ...] = ()
    """The figures in it that are assumptions."""
    part: bool = False
    """Whether it is part of Nodeway's sum."""


@dataclass(slots=True)
class Ledger:
    """Reads figures, and records which of them are assumptions."""

    figures: Figures
    assumed: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        """Returns the value of the figure with this name."""
        price: Price = getattr(self.figures, name)
        if price.status == "assumed" and name not in self.assumed:
            self.assumed = (*self.assumed, name)
        return price.value


def estimate(
    environment: EnvironmentConfig, nodes: Sequence[int], prices: Prices
) -> tuple[Row, ...]:
    """Estimates the environment; `nodes` are the numbers of nodes of the clusters with proxies, in their order."""
    return estimate_rows(compute_usage(environment, nodes), prices)


def estimate_rows(usage: Usage, prices: Prices) -> tuple[Row, ...]:
    """Returns a row for each part of Nodeway that costs anything, one for their sum, and the other access options."""
    parts = tuple(row for row in usage_rows(usage, prices.prices) if row.month)
    crossing = 2 * prices.prices.cross_az_gb.value
    total = Row(
        THIS,
        sum(row.month for row in parts),
        "the sum",
        # both hops, client to HAProxy and HAProxy to node, can cross AZs
        (0.0, 2 * crossing),
        tuple(dict.fromkeys(name for row in parts for name in row.assumed)),
    )
    has_nodes = usage.nodes + usage.other_nodes
    return (*parts, total, *(alternative_rows(usage, prices.prices) if has_nodes else ()))


def usage_rows(usage: Usage, figures: Figures) -> Iterator[Row]:
    """Yields a row for each part of Nodeway."""
    f = Ledger(figures)
    yield tasks_row("HAProxies", usage.nodes * usage.haproxies_per_node, usage, figures)
    for fleet in usage.fleets:
        yield tasks_row(fleet.what, fleet.tasks, usage, figures)
    n = usage.interface_endpoints
    month = n * f["interface_endpoint_hour"] * HOURS
    yield Row("interface endpoints", month, f"{n} endpoint AZs", part=True)
    n = usage.nat_gateways
    month = n * (f["nat_gateway_hour"] + f["public_ipv4_hour"]) * HOURS
    yield Row("NAT gateways", month, f"{n}, each with an address", part=True)
    n = usage.resolver_addresses
    month = n * f["resolver_address_hour"] * HOURS
    yield Row("Resolver inbound endpoint", month, f"{n} addresses", part=True)
    n = usage.clusters * ZONES + len(usage.fleets)
    how = f"{n} zone{'' if n == 1 else 's'}"
    yield Row("private hosted zones", n * f["hosted_zone_month"], how, part=True)
    n = usage.proxy_metrics
    yield Row("metrics of the proxies", n * f["metric_month"], f"{n} metrics", part=True)
    functions = usage.clusters + len(usage.fleets)
    month = usage.alarms * f["alarm_month"] + min(functions, 1) * f["dashboard_month"]
    how = f"alarms on {usage.alarms} metrics, and one dashboard"
    yield Row("alarms and dashboard", month, how, part=True)
    yield resync_row(functions, figures)
    yield probe_row(usage, figures)


def tasks_row(what: str, tasks: int, usage: Usage, figures: Figures) -> Row:
    """Returns the row of so many proxies of the environment's size."""
    vcpu, gb = usage.cpu / 1024, usage.memory / 1024
    month = tasks * task_month(Ledger(figures), vcpu, gb)
    return Row(f"{what} on Fargate", month, f"{tasks} x {vcpu:g} vCPU, {gb:g} GB", part=True)


def resync_row(functions: int, figures: Figures) -> Row:
    """Returns the row of the resync functions, with their logs and metrics: a run a minute, without the free tier."""
    f = Ledger(figures)
    seconds = RUNS * f["lambda_seconds_per_run"] * RUN_MEMORY_GB
    runs = RUNS / 1e6 * f["lambda_request_million"] + seconds * f["lambda_gb_second"]
    logs = f["logs_gb"] * f["logs_gb_per_cluster"]
    metrics = METRICS * f["metric_month"]
    how = f"runs {runs:.2f}, logs {logs:.2f}, metrics {metrics:.2f}"
    month = functions * (runs + logs + metrics)
    return Row("resync Lambda", month, how, assumed=f.assumed, part=True)


def probe_row(usage: Usage, figures: Figures) -> Row:
    """Returns the row of the probes: for each cluster a prober in each client VPC and a coordinator, a run a minute."""
    f = Ledger(figures)
    probers, seconds = usage.probed * usage.probe_vpcs, f["lambda_seconds_per_run"]
    memory = probers * PROBER_MEMORY_GB + usage.probed * COORDINATOR_MEMORY_GB
    requests = RUNS * (probers + usage.probed) / 1e6 * f["lambda_request_million"]
    runs = requests + RUNS * seconds * memory * f["lambda_gb_second"]
    metrics = usage.probe_metrics * f["metric_month"]
    how = f"runs {runs:.2f}, metrics {metrics:.2f}"
    return Row("probe", runs + metrics, how, assumed=f.assumed, part=True)


def alternative_rows(usage: Usage, figures: Figures) -> Iterator[Row]:
    """Yields a row for each other access option."""
    crossing = 2 * figures.cross_az_gb.value
    nodes = usage.nodes + usage.other_nodes
    clusters = usage.clusters + usage.other_clusters
    names = nodes + clusters
    f = Ledger(figures)
    month = (f["nlb_hour"] + ENDPOINT_ZONES * f["interface_endpoint_hour"]) * HOURS * nodes
    low = f["nlcu_hour"] + f["interface_endpoint_gb"]
    how = f"{nodes} NLBs, endpoints in {ENDPOINT_ZONES} AZs"
    yield Row("NLB + PrivateLink per node", month, how, (low, low + crossing), f.assumed)
    f = Ledger(figures)
    billed = names if f["lattice_billed_per_name"] else clusters
    month = billed * f["lattice_resource_hour"] * HOURS
    gb = f["lattice_gb"]
    how = f"{billed} names as resources"
    yield Row("VPC Lattice, service network", month, how, (gb, gb + crossing), f.assumed)
    f = Ledger(figures)
    n = clusters * usage.client_vpcs
    month = n * f["resource_endpoint_hour"] * HOURS
    gb = f["lattice_gb"] + f["resource_endpoint_gb"]
    how = f"a GROUP of names each: {n}"
    yield Row("VPC Lattice, resource endpoint", month, how, (gb, gb + crossing), f.assumed)
    f = Ledger(figures)
    n, vcpu, gb = int(f["envoys"]) * clusters, f["envoy_vcpu"], f["envoy_gb"]
    how = f"{n} x {vcpu:g} vCPU, {gb:g} GB; no cluster clients"
    yield Row("Envoy pair", n * task_month(f, vcpu, gb), how, (0.0, 2 * crossing), f.assumed)
    f = Ledger(figures)
    n = usage.client_vpcs + 1
    gb = f["tgw_gb"]
    month = n * f["tgw_attachment_hour"] * HOURS
    yield Row("Transit Gateway, routes only", month, f"{n} VPCs attached", (gb, gb + crossing))
    yield Row("VPC peering, routes only", 0.0, "where it is allowed", (0.0, crossing))


def task_month(f: Ledger, vcpu: float, gb: float) -> float:
    """Returns the USD of a Fargate task for a month."""
    return (vcpu * f["fargate_vcpu_hour"] + gb * f["fargate_gb_hour"]) * HOURS
