"""Renders the monthly estimate as text of at most 100 columns, without control characters. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from nodeway.config.model import EnvironmentConfig
from nodeway.pricing.estimate import HOURS, THIS, Row, estimate
from nodeway.pricing.prices import Prices

WIDTH = 100
MARK = "*"


def render_estimate(environment: EnvironmentConfig, nodes: Sequence[int], prices: Prices) -> str:
    """Renders the estimate of an environment; `nodes` are the numbers of nodes of the clusters with proxies."""
    # a group with proxies of two modes has its nodes once
    groups = (cluster.replication_group_id for cluster in environment.proxied)
    total = sum(dict(zip(groups, nodes, strict=True)).values())
    head = (
        f"nodeway: a month of {environment.name} ({HOURS} h, {total} node{'' if total == 1 else 's'}),"
        f" {prices.region} prices of {prices.as_of}"
    )
    lines = [head, *render_rows(estimate(environment, nodes, prices), prices)]
    if environment.region != prices.region:
        lines.append(
            f"  the prices are those of {prices.region}, but {environment.name} is in"
            f" {environment.region}: edit the price list"
        )
    return "\n".join(lines) + "\n"


def render_rows(rows: Sequence[Row], prices: Prices) -> Iterator[str]:
    """Yields the rows as lines of at most WIDTH columns, and footnotes."""
    yield f"  {'what':<30}  {prices.currency + '/month':>11}   {prices.currency + '/GB':<11}  how"
    for row in rows:
        mark = MARK if row.assumed else " "
        line = f"  {row.what:<30}  {row.month:>11,.2f}{mark}  {format_rate(row):<11}  {row.how}"
        yield line.rstrip()
        if row.what == THIS and row is not rows[-1]:
            yield "  other access options to the same nodes:"
    assumed = tuple(dict.fromkeys(name for row in rows for name in row.assumed))
    if assumed:
        yield from wrap_note(f"{MARK} is based on assumptions: {', '.join(assumed)}")
    yield from wrap_note(
        "without ElastiCache itself, traffic (a rate, by AZ), taxes and free tiers"
    )
    yield from wrap_note("the price list is nodeway/pricing/prices.json")


def wrap_note(text: str) -> list[str]:
    """Returns the note as lines of the table's width."""
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def format_rate(row: Row) -> str:
    """Returns the USD per GB: one figure, or a range from no traffic across AZs to all traffic."""
    if row.gb is None:
        return ""
    low, high = row.gb
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
