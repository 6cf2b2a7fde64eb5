"""The month's estimate as text for a terminal: at most 100 columns, no colour, no control characters. Pure.

app.py prints it on standard error at synth; standard output is not touched.
"""

import textwrap
from collections.abc import Iterator, Sequence

from nodeway.config.model import EnvironmentConfig
from nodeway.pricing.estimate import HOURS, THIS, Row, estimate
from nodeway.pricing.prices import Prices

WIDTH = 100
MARK = "*"


def render_estimate(environment: EnvironmentConfig, nodes: Sequence[int], prices: Prices) -> str:
    """The estimate of an environment with so many nodes in each cluster that has proxies; it ends with a line feed."""
    # a cluster that is reached in two ways has its nodes once
    groups = (cluster.replication_group_id for cluster in environment.proxied)
    every = sum(dict(zip(groups, nodes, strict=True)).values())
    count = f"{every} node{'' if every == 1 else 's'}"
    head = (
        f"nodeway: a month of {environment.name} ({HOURS} h, {count}),"
        f" {prices.region} prices of {prices.as_of} (stacks/prices.json)"
    )
    lines = [head, *render_rows(estimate(environment, nodes, prices), prices)]
    if environment.region != prices.region:
        lines.append(
            f"  the prices are those of {prices.region}, but {environment.name} is in"
            f" {environment.region}: edit stacks/prices.json"
        )
    return "\n".join(lines) + "\n"


def render_rows(rows: Sequence[Row], prices: Prices) -> Iterator[str]:
    """The rows as lines of at most WIDTH columns, with a footnote for what is an assumption."""
    yield f"  {'what':<30}  {prices.currency + '/month':>11}   {prices.currency + '/GB':<11}  how"
    for row in rows:
        mark = MARK if row.assumed else " "
        line = f"  {row.what:<30}  {money(row.month):>11}{mark}  {rate(row):<11}  {row.how}"
        yield line.rstrip()
        if row.what == THIS and row is not rows[-1]:
            yield "  beside it, other ways to the same nodes:"
    assumed = tuple(dict.fromkeys(name for row in rows for name in row.assumed))
    if assumed:
        note = f"{MARK} rests on assumptions, not on a price that was read: {', '.join(assumed)}"
        yield from wrapped(note)
    yield from wrapped("without ElastiCache itself, traffic (a rate, by AZ), taxes and free tiers")


def wrapped(text: str) -> list[str]:
    """A sentence in lines of the table's width."""
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def money(amount: float) -> str:
    """An amount with two decimals, thousands apart."""
    return f"{amount:,.2f}"


def rate(row: Row) -> str:
    """USD per GB: one figure, or from all in one AZ to all across AZs."""
    if row.gb is None:
        return ""
    low, high = row.gb
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
