"""HTML of the page that the server renders: the buttons and the event list. Pure."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from lab.web.events import Event
from nodeway_runtime.html.text import escape_text
from nodeway_runtime.paths.report import Report, Row
from nodeway_runtime.paths.verdicts import State

SYMBOLS = {
    "asked": "⚡",
    "fault": "⚡",
    "record": "◇",
    "failover": "⇄",
    "trouble": "!",
    "state": "•",
}
STATES = {State.OK: "✓", State.DEGRADED: "▲", State.BROKEN: "✕"}


def controls(report: Report, busy: Collection[tuple[str, str]]) -> str:
    """Buttons for the lab and for each node, in a stable order."""
    nodes = sorted((row for row in report.rows if row.shard), key=lambda row: row.name)
    lines = "".join(f"<tr>{_node(row, busy)}</tr>" for row in nodes)
    return (
        f"<p>{_button('scale-out', '', 'Scale out by a shard', busy)} "
        f"{_button('resync', '', 'Run the resync', busy)}</p>"
        '<table><thead><tr><th scope="col">Node</th><th scope="col">What happens to it</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _node(row: Row, busy: Collection[tuple[str, str]]) -> str:
    leads = row.role == "primary"
    buttons = [_button("kill-proxy", row.label, "Kill proxy", busy)]
    if leads:
        buttons.append(_button("kill-primary", row.shard, "Kill node", busy, row.label))
        buttons.append(_button("failover", row.shard, "Fail over", busy, row.label))
    if row.state is not State.OK:
        buttons.append(_button("restart-node", row.label, "Restart node", busy))
    role = f" <small>{escape_text(row.role)}</small>" if row.role else ""
    head = f'<span class="{row.state}" title="{row.state}">{STATES[row.state]}</span> {escape_text(row.label)}{role}'
    return f'<th scope="row">{head}</th><td>{" ".join(buttons)}</td>'


def _button(
    event: str, about: str, text: str, busy: Collection[tuple[str, str]], node: str = ""
) -> str:
    """`about`: the argument of the event; `node`: the node to name, where `about` is something else."""
    waits = ' aria-disabled="true"' if (event, about) in busy else ""
    whose = f'<span class="hidden"> {escape_text(node or about)}</span>' if about else ""
    told = f'data-event="{event}" data-about="{escape_text(about)}"'
    return f'<button type="button" {told}{waits}>{text}{whose}</button>'


def events(found: Iterable[Event]) -> str:
    """The event list, the latest first."""
    return "".join(_line(one) for one in sorted(found, key=lambda one: -one.at))


def _line(one: Event) -> str:
    when = datetime.fromtimestamp(one.at, UTC)
    symbol = STATES[State(one.state)] if one.state else SYMBOLS[one.kind]
    kind = one.state or ("broken" if one.kind == "trouble" else one.kind)
    return (
        f'<li data-kind="{one.kind}"><time datetime="{when.isoformat()}">{when:%H:%M:%S}</time> '
        f'<span class="{kind}"><span aria-hidden="true">{symbol}</span> {escape_text(one.text)}</span></li>'
    )
