"""docs/choosing.md says what the rules and the price list say."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.report.table import Table
from nodeway.advice.advise import Situation
from nodeway.advice.rules import RULES, WORDS, Rule
from nodeway.pricing.estimate import THIS, estimate_rows
from nodeway.pricing.prices import load_prices
from nodeway.pricing.table import MARK
from nodeway.pricing.usage import HAPROXY_METRICS, HAPROXY_NODE_METRICS, Fleet, Usage
from tests.support.pages.documents import DOCS, CheckBlock
from tests.support.terminal import Terminal

PAGE = DOCS / "choosing.md"
NODES = (6, 12, 30, 90)
MEANING = {
    "name": "the cluster's name in the output",
    "serverless": "whether it is ElastiCache Serverless",
    "cluster_mode": "`ClusterEnabled` of the group",
    "tls": "`off`, `preferred` or `required`: `TransitEncryptionEnabled` and `…Mode`",
    "endpoint_type": "`cluster-preferred-endpoint-type`: `tls-dynamic`, `ip`, or `absent` (engines before 7)",
    "nodes": "how many nodes, replicas included",
    "cache_cidrs": "all ranges of the cache's VPC",
    "client_cidrs": "all ranges of the clients' networks",
    "client": "`cluster` (with cluster mode), `plain` (without), or `rueidis` (the output then has its settings)",
    "routes_allowed": "whether full routes between the networks may be given",
    "on_premises": "whether clients are outside AWS",
    "other_account": "whether clients are in another account",
    "scripted": "whether you automate one resource per node, or the nodes never change",
}
DESCRIPTION = {
    "name": "sessions",
    "cluster_mode": True,
    "tls": "required",
    "endpoint_type": "tls-dynamic",
    "nodes": 12,
    "cache_cidrs": ["10.50.0.0/16"],
}


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table as a block of the page."""
    return Table(headings, rows, left).to_markdown() + "\n"


def test_page_has_the_rules_as_its_decision_table(agrees: CheckBlock) -> None:
    """One source: the table that the command walks."""

    def row(rule: Rule) -> tuple[str, ...]:
        when = "; ".join(WORDS[pair] for pair in rule.when.items())
        return (when, f"**{rule.option}**", f"{rule.why}", rule.caveat)

    text = table(("when", "take", "because", "caveat"), [row(rule) for rule in RULES], 4)
    agrees(PAGE, "decision", text)


def test_page_has_the_costs_of_the_price_list(agrees: CheckBlock) -> None:
    """For a few sizes: at the defaults, with two HAProxies a node, and with shared ones; assumptions are marked."""
    prices = load_prices()
    shapes = [Usage(nodes=n) for n in NODES]
    pairs = [Usage(nodes=n, haproxies_per_node=2) for n in NODES]
    fleet = (Fleet("shared HAProxies", 2, HAPROXY_METRICS + HAPROXY_NODE_METRICS),)
    shared = [Usage(0, 0, fleet, other_nodes=n, other_clusters=1) for n in NODES]
    lines: dict[str, list[str]] = {}
    for shape in shapes:
        for one in estimate_rows(shape, prices):
            if not one.part:
                name = "Nodeway, 0.25 vCPU a HAProxy" if one.what == THIS else one.what
                lines.setdefault(name, []).append(f"{one.month:,.0f}{MARK if one.assumed else ''}")
    for name, more in (("two HAProxies a node", pairs), ("two shared HAProxies", shared)):
        rows = [one for s in more for one in estimate_rows(s, prices) if one.what == THIS]
        lines[f"Nodeway, {name}"] = [f"{one.month:,.0f}{MARK}" for one in rows]
    ordered = sorted(lines.items(), key=lambda item: not item[0].startswith("Nodeway"))
    head = ("option", *(f"{n} nodes" for n in NODES))
    text = table(head, [(name, *months) for name, months in ordered], 1)
    assumed = [name for name, one in prices.prices if one.status == "assumed"]
    text = text.replace(MARK, f"\\{MARK}") + (
        f"\nPrices of {prices.region} as of {prices.as_of}. \\{MARK} is based on assumptions: "
        + ", ".join(f"`{name}`" for name in assumed)
        + ".\n"
    )
    agrees(PAGE, "costs", text)


def test_page_lists_the_keys_of_a_description(agrees: CheckBlock) -> None:
    """Each key that --from takes, with its default."""
    assert set(MEANING) == set(Situation.model_fields)
    rows = [
        (
            f"`{key}`",
            "" if (default := field.default) is None else f"`{json.dumps(default)}`",
            MEANING[key],
        )
        for key, field in Situation.model_fields.items()
    ]
    agrees(PAGE, "keys", table(("key", "default", "meaning"), rows, 3))


def test_page_shows_what_the_command_prints(
    nodeway: Terminal, empty_directory: Path, monkeypatch: pytest.MonkeyPatch, agrees: CheckBlock
) -> None:
    """A cluster that Nodeway serves, with a client whose range overlaps."""
    monkeypatch.setenv("COLUMNS", "120")
    (empty_directory / "sessions.json").write_text(json.dumps(DESCRIPTION))
    words = "advise --from sessions.json --client-cidr 10.50.64.0/20 --client rueidis"

    said = nodeway(None, *words.split())

    shown = f"```console\n$ cat sessions.json\n{json.dumps(DESCRIPTION)}\n$ nodeway {words}\n{said.out}```\n"
    agrees(PAGE, "advise", shown)


def test_page_names_the_keys_for_machines(nodeway: Terminal, empty_directory: Path) -> None:
    (empty_directory / "one.json").write_text(json.dumps(DESCRIPTION))
    said = nodeway(None, "advise", "--from", "one.json", "--no-routes", "--json").json
    keys = {*said, *said["recommended"], *said["excluded"][0], *said["unknown"][0]}

    assert keys - set(re.findall(r"`(\w+)`", PAGE.read_text())) == set()
