"""docs/shared.md says what the tables, the price list and the scenarios say."""

import json
import re
from collections.abc import Iterator

from lab.layout import ROOT
from lab.report.table import Table
from lab.scenarios.shared import SUITE
from nodeway.config.loader import load
from nodeway.config.shared_clients import NOT_SERVED, SERVED
from nodeway.haproxy.render import KIB_PER_SESSION
from nodeway.pricing.estimate import THIS, estimate_rows
from nodeway.pricing.prices import load_prices
from nodeway.pricing.table import MARK
from nodeway.pricing.usage import HAPROXY_METRICS, HAPROXY_NODE_METRICS, Fleet, Usage
from tests.support.fakes import context
from tests.support.pages.documents import DOCS, CheckBlock, scenario_table
from tests.support.pages.environments import environments

PAGE = DOCS / "shared.md"
NODES = (6, 12, 30, 90)


def shapes(nodes: int) -> Iterator[tuple[str, Usage]]:
    """What is compared, for so many nodes."""
    yield "a HAProxy for each node, 0.25 vCPU", Usage(nodes)
    yield "two for each node, 0.25 vCPU", Usage(nodes, haproxies_per_node=2)
    for cpu, memory in ((256, 512), (1024, 2048), (4096, 8192)):
        fleet = (Fleet("shared HAProxies", 2, HAPROXY_METRICS + HAPROXY_NODE_METRICS),)
        what = f"two shared HAProxies, {cpu / 1024:g} vCPU each"
        yield what, Usage(0, 0, fleet, nodes, 1, cpu=cpu, memory=memory)


def test_page_has_the_costs_of_the_price_list(agrees: CheckBlock) -> None:
    """Beside a HAProxy for each node, whose own size stays as it is."""
    prices = load_prices()
    months: dict[str, list[str]] = {}
    for nodes in NODES:
        for what, shape in shapes(nodes):
            (row,) = [one for one in estimate_rows(shape, prices) if one.what == THIS]
            mark = f"\\{MARK}" if row.assumed else ""
            months.setdefault(what, []).append(f"{row.month:,.0f}{mark}")
    head = ("way", *(f"{nodes} nodes" for nodes in NODES))
    table = Table(head, [(what, *row) for what, row in months.items()])

    agrees(PAGE, "costs", table.to_markdown() + "\n")


def test_page_lists_the_clients_that_synth_takes_and_refuses(agrees: CheckBlock) -> None:
    rows = [(name, "yes") for name in SERVED]
    rows += [(name, f"no: {reason}") for name, reason in NOT_SERVED.items()]

    agrees(PAGE, "clients", Table(("client", "served"), rows, left=2).to_markdown() + "\n")


def test_page_lists_the_scenarios(agrees: CheckBlock) -> None:
    agrees(PAGE, "scenarios", scenario_table(SUITE))


def test_page_shows_an_environment_that_is_taken() -> None:
    (cluster,) = load(context(environments("shared")["shared"])).clusters

    assert cluster.proxy == "shared"
    assert set(cluster.clients) <= set(SERVED)


def test_page_says_the_memory_of_a_session() -> None:
    assert f"session takes {KIB_PER_SESSION} KiB" in PAGE.read_text()


def test_page_s_log_line_is_of_the_template_s_form() -> None:
    """As tests/unit/nodeway/templates/test_haproxy_sessions.py has them written."""
    (line,) = re.findall(r'^\{"message":"session".*\}$', PAGE.read_text(), re.MULTILINE)
    template = (ROOT / "haproxy_templates" / "log.cfg.j2").read_text()

    told = json.loads(line)
    assert (told["cause"], told["name"], told["address"]) == ("PR", "-", "-")
    assert list(told)[:-2] == re.findall(r'"(\w+)":', template)
