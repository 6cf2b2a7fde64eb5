"""What a month of an environment costs, before it is deployed, beside the other ways to the same nodes. Pure.

A month is 730 hours. What flows (USD/GB) is a rate and never part of a sum, since nobody knows the
traffic at synth. ElastiCache itself, stand-ins, support, taxes and free tiers are left out. It must
never ask AWS nor a clock; the prices come from stacks/prices.json.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nodeway.config.model import EnvironmentConfig
from nodeway.pricing.prices import Figures, Price, Prices
from nodeway.pricing.usage import Usage, usage_of
from nodeway_runtime.model.metrics import ResyncMetric

HOURS = 730
"""Of a month, as AWS's own calculator counts."""
RUNS = HOURS * 60
RUN_MEMORY_GB = 0.25
"""The resync function's, in nodeway/constructs/records/function.py."""
WALK_MEMORY_GB, WATCH_MEMORY_GB = 1, 0.5
"""The probe's functions', in nodeway/constructs/probe/prober.py and nodeway/constructs/probe/probe.py."""
METRICS = len(ResyncMetric)
"""For each cluster, in lambda/nodeway_runtime/functions/resync_journal.py."""
ZONES = 2
"""For each cluster: the zone of its names, and where stand-ins find their nodes. A fleet has no stand-ins."""
PEER_ZONES = 2
"""AZs that the NLBs and endpoints of the other ways are counted in."""
THIS = "Nodeway, as configured"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `month` is USD; `gb` is USD per GB, from all in one AZ to all across AZs."""

    what: str
    month: float
    how: str
    gb: tuple[float, float] | None = None
    assumed: tuple[str, ...] = ()
    """Figures of the price list in it that are assumptions."""
    part: bool = False
    """Whether it is a part of this design's sum."""


@dataclass(slots=True)
class Ledger:
    """Reads figures, and remembers which of them are assumptions."""

    figures: Figures
    assumed: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        """A figure's value."""
        price: Price = getattr(self.figures, name)
        if price.status == "assumed" and name not in self.assumed:
            self.assumed = (*self.assumed, name)
        return price.value


def estimate(
    environment: EnvironmentConfig, nodes: Sequence[int], prices: Prices
) -> tuple[Row, ...]:
    """The month of this environment with so many nodes in each cluster: its parts, its sum, the other ways."""
    return estimate_rows(usage_of(environment, nodes), prices)


def estimate_rows(shape: Usage, prices: Prices) -> tuple[Row, ...]:
    """The parts of this design that cost anything, their sum, and the other ways."""
    parts = tuple(row for row in usage_rows(shape, prices.prices) if row.month)
    crossing = 2 * prices.prices.cross_az_gb.value
    total = Row(
        THIS,
        sum(row.month for row in parts),
        "the sum",
        # client to HAProxy, and HAProxy to node: each may cross, none must
        (0.0, 2 * crossing),
        tuple(dict.fromkeys(name for row in parts for name in row.assumed)),
    )
    reached = shape.nodes + shape.other_nodes
    return (*parts, total, *(others(shape, prices.prices) if reached else ()))


def usage_rows(shape: Usage, figures: Figures) -> Iterator[Row]:
    """What this design is billed for."""
    f = Ledger(figures)
    yield tasks_row("HAProxies", shape.nodes * shape.haproxies_per_node, shape, figures)
    for fleet in shape.fleets:
        yield tasks_row(fleet.what, fleet.tasks, shape, figures)
    n = shape.interface_endpoints
    month = n * f["interface_endpoint_hour"] * HOURS
    yield Row("interface endpoints", month, f"{n} endpoint AZs", part=True)
    n = shape.nat_gateways
    month = n * (f["nat_gateway_hour"] + f["public_ipv4_hour"]) * HOURS
    yield Row("NAT gateways", month, f"{n}, each with an address", part=True)
    n = shape.resolver_addresses
    month = n * f["resolver_address_hour"] * HOURS
    yield Row("Resolver inbound endpoint", month, f"{n} addresses", part=True)
    n = shape.clusters * ZONES + len(shape.fleets)
    how = f"{n} zone{'' if n == 1 else 's'}"
    yield Row("private hosted zones", n * f["hosted_zone_month"], how, part=True)
    n = shape.proxy_metrics
    yield Row("metrics of the proxies", n * f["metric_month"], f"{n} metrics", part=True)
    functions = shape.clusters + len(shape.fleets)
    month = shape.alarms * f["alarm_month"] + min(functions, 1) * f["dashboard_month"]
    how = f"alarms on {shape.alarms} metrics, and one dashboard"
    yield Row("alarms and dashboard", month, how, part=True)
    yield resync_row(functions, figures)
    yield probe_row(shape, figures)


def tasks_row(what: str, tasks: int, shape: Usage, figures: Figures) -> Row:
    """Proxies of the environment's size."""
    vcpu, gb = shape.cpu / 1024, shape.memory / 1024
    month = tasks * task_month(Ledger(figures), vcpu, gb)
    return Row(f"{what} on Fargate", month, f"{tasks} x {vcpu:g} vCPU, {gb:g} GB", part=True)


def resync_row(functions: int, figures: Figures) -> Row:
    """The Lambda with what it tells: a run a minute, at list price without the free tier."""
    f = Ledger(figures)
    seconds = RUNS * f["lambda_seconds_per_run"] * RUN_MEMORY_GB
    runs = RUNS / 1e6 * f["lambda_request_million"] + seconds * f["lambda_gb_second"]
    logs = f["logs_gb"] * f["logs_gb_per_cluster"]
    metrics = METRICS * f["metric_month"]
    how = f"runs {runs:.2f}, logs {logs:.2f}, metrics {metrics:.2f}"
    month = functions * (runs + logs + metrics)
    return Row("resync Lambda", month, how, assumed=f.assumed, part=True)


def probe_row(shape: Usage, figures: Figures) -> Row:
    """A function in each client's VPC, and one that sends it and waits, for each cluster; a run a minute."""
    f = Ledger(figures)
    walks, seconds = shape.probed * shape.probe_vpcs, f["lambda_seconds_per_run"]
    memory = walks * WALK_MEMORY_GB + shape.probed * WATCH_MEMORY_GB
    requests = RUNS * (walks + shape.probed) / 1e6 * f["lambda_request_million"]
    runs = requests + RUNS * seconds * memory * f["lambda_gb_second"]
    metrics = shape.probe_metrics * f["metric_month"]
    how = f"runs {runs:.2f}, metrics {metrics:.2f}"
    return Row("probe", runs + metrics, how, assumed=f.assumed, part=True)


def others(shape: Usage, figures: Figures) -> Iterator[Row]:
    """The other ways to the same nodes, from the dearest idea to the cheapest."""
    crossing = 2 * figures.cross_az_gb.value
    nodes = shape.nodes + shape.other_nodes
    clusters = shape.clusters + shape.other_clusters
    names = nodes + clusters
    f = Ledger(figures)
    month = (f["nlb_hour"] + PEER_ZONES * f["interface_endpoint_hour"]) * HOURS * nodes
    low = f["nlcu_hour"] + f["interface_endpoint_gb"]
    how = f"{nodes} NLBs, endpoints in {PEER_ZONES} AZs"
    yield Row("NLB + PrivateLink per node", month, how, (low, low + crossing), f.assumed)
    f = Ledger(figures)
    billed = names if f["lattice_billed_per_name"] else clusters
    month = billed * f["lattice_resource_hour"] * HOURS
    gb = f["lattice_gb"]
    how = f"{billed} names as resources"
    yield Row("VPC Lattice, service network", month, how, (gb, gb + crossing), f.assumed)
    f = Ledger(figures)
    n = clusters * shape.client_vpcs
    month = n * f["resource_endpoint_hour"] * HOURS
    gb = f["lattice_gb"] + f["resource_endpoint_gb"]
    how = f"a GROUP of names each: {n}"
    yield Row("VPC Lattice, resource endpoint", month, how, (gb, gb + crossing), f.assumed)
    f = Ledger(figures)
    n, vcpu, gb = int(f["envoys"]) * clusters, f["envoy_vcpu"], f["envoy_gb"]
    how = f"{n} x {vcpu:g} vCPU, {gb:g} GB; no cluster clients"
    yield Row("Envoy pair", n * task_month(f, vcpu, gb), how, (0.0, 2 * crossing), f.assumed)
    f = Ledger(figures)
    n = shape.client_vpcs + 1
    gb = f["tgw_gb"]
    month = n * f["tgw_attachment_hour"] * HOURS
    yield Row("Transit Gateway, routes only", month, f"{n} VPCs attached", (gb, gb + crossing))
    yield Row("VPC peering, routes only", 0.0, "where it is allowed", (0.0, crossing))


def task_month(f: Ledger, vcpu: float, gb: float) -> float:
    """USD of a Fargate task that runs all month."""
    return (vcpu * f["fargate_vcpu_hour"] + gb * f["fargate_gb_hour"]) * HOURS
