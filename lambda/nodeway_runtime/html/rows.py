"""Renders the rows of the map, grouped by verdict, worst first. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from nodeway_runtime.html.text import escape_text, format_age, render_code, seconds_since, shorten
from nodeway_runtime.paths.report import Path, Report, Row, phase_milliseconds
from nodeway_runtime.paths.trace import Phase
from nodeway_runtime.paths.verdicts import MEANINGS, SEVERITY, State, Verdict

MAX_SHOWN = 2
"""Addresses of a name that are shown without a click."""
MIN_SHARE = 0.01
"""A phase with a smaller share of the slowest path has no bar."""
TEN = 10
NOTHING = "-"
SYMBOLS = {State.OK: "✓", State.DEGRADED: "▲", State.BROKEN: "✕"}
PHASE_LABELS = {
    Phase.RESOLVE: "look-up",
    Phase.CONNECT: "connect",
    Phase.TLS: "TLS",
    Phase.ANSWER: "answer",
}

_KEYS = "".join(f'<i class="k{n}"></i>{label}' for n, label in enumerate(PHASE_LABELS.values()))
_TITLES = (
    "State",
    "Name",
    "Proxy",
    "Node",
    f'<span class="key">{_KEYS}</span>, ms',
    '<abbr title="redirects that the node has answered since the last run">MOVED / ASK</abbr>',
)
HEADINGS = (
    '<tr role="row">'
    + "".join(f'<th scope="col" role="columnheader">{title}</th>' for title in _TITLES)
    + "</tr>"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all rows share: the time, the milliseconds of the slowest path, and whether tasks are known."""

    now: datetime
    slowest: float
    tasks: bool


def render_rows(report: Report, now: datetime, room: int) -> Iterator[str]:
    """All rows, or as many of the worst as fit into `room` bytes."""
    rows = sorted(report.rows, key=lambda row: (-SEVERITY[row.state], row.verdict, row.name))
    paths = [(row, path) for row in rows for path in row.paths]
    slowest = max((_total(row, path) for row, path in paths), default=0.0) or 1.0
    frame = Frame(now, slowest, any(path.proxy is not None for _, path in paths))
    left = len(rows)
    for verdict, members in groupby(rows, key=lambda row: row.verdict):
        several = list(members)
        yield f'<tbody role="rowgroup" data-verdict="{verdict}">'
        if verdict is not Verdict.OK:
            yield _render_heading(verdict, len(several))
        for row in several:
            line = _render_row(row, frame)
            room -= len(line.encode())
            if room < 0:
                yield f'<tr role="row"><td role="cell" colspan="6">{left} more names, none of them worse</td></tr>'
                yield "</tbody>"
                return
            yield line
            left -= 1
        yield "</tbody>"


def _render_heading(verdict: Verdict, count: int) -> str:
    meaning = MEANINGS[verdict]
    names = f"{count} name{'s' * (count != 1)}"
    return (
        f'<tr class="v {meaning.state[0]}" role="row"><th scope="rowgroup" role="rowheader" colspan="6">'
        f"<b>{SYMBOLS[meaning.state]} {verdict}</b> · {names}<span>{render_code(meaning.what)}</span>"
        f"<span>Next: {render_code(meaning.next)}</span></th></tr>"
    )


def _render_row(row: Row, frame: Frame) -> str:
    state, name = row.state, escape_text(row.label)
    attributes = f'data-name="{name}" data-state="{state}" data-verdict="{row.verdict}"'
    since = (
        f"<small>for {format_age(seconds_since(row.since, frame.now))}</small>" if row.since else ""
    )
    shard = f"<small>shard {escape_text(row.shard)}</small>" if row.shard not in row.label else ""
    node_id = f"<small>{escape_text(row.node_id[:8])}</small>" if row.node_id else ""
    node = " ".join(one for one in (escape_text(row.role), node_id) if one) or NOTHING
    moved, asked = (NOTHING if one is None else f"{one:,}" for one in (row.moved, row.asked))
    return (
        f'<tr class="{"" if state is State.OK else state[0]}" role="row" {attributes}>'
        f'<td class="s" role="cell"><b class="{state}">{SYMBOLS[state]} {state}</b> {since}</td>'
        f'<th scope="row" role="rowheader" title="{escape_text(row.name)}"><b>{name}</b> {shard}</th>'
        f'<td class="p" role="cell">{_render_proxies(row, frame)}</td><td class="n" role="cell">{node}</td>'
        f'<td class="l" role="cell">{_render_phases(row, frame)}</td>'
        f'<td class="{"r" if row.moved or row.asked else "r z"}" role="cell">{moved} / {asked}</td></tr>'
    )


def _render_proxies(row: Row, frame: Frame) -> str:
    """The addresses of a row, of many only those that are not OK, and the row's detail."""
    bad = [path for path in row.paths if path.verdict is not Verdict.OK]
    well = [path for path in row.paths if path.verdict is Verdict.OK]
    shown, more = (row.paths, []) if len(row.paths) <= MAX_SHOWN else (bad, well)
    lines = [f'<span class="a">{_render_proxy(row, path, frame)}</span>' for path in shown]
    if more:
        hidden = "".join(
            f'<span class="a">{_render_proxy(row, path, frame)}</span>' for path in more
        )
        title = f"{len(row.paths)} proxies, {len(well)} ok"
        lines.append(f"<details><summary>{title}</summary>{hidden}</details>")
    has_detail = row.detail and row.detail not in {path.detail for path in bad}
    detail = f'<span class="w">{shorten(row.detail)}</span>' if has_detail else ""
    return ("".join(lines) or "no address") + detail


def _render_proxy(row: Row, path: Path, frame: Frame) -> str:
    """An address with its task and detail, and with its verdict if the row has another one."""
    proxy, state = path.proxy, MEANINGS[path.verdict].state
    about = ["no task of ours"] if frame.tasks else []
    if proxy is not None:
        elsewhere = f"→ {proxy.node.partition('.')[0]}" if proxy.node != row.name else ""
        task = proxy.task.rpartition("/")[2][:8]
        kind = "stand-in" if proxy.stand_in else ""
        about = [elsewhere, proxy.availability_zone, task, proxy.health, kind]
    task_text = " ".join(escape_text(one) for one in about if one)
    several = len(row.paths) > 1
    sign = f'<span class="{state}">{SYMBOLS[state]} <b>' if several else "<span><b>"
    wrong = f"{path.verdict}: " if row.verdict is not path.verdict and state is not State.OK else ""
    problem = shorten(wrong + path.detail)
    detail = f'<span class="w">{problem}</span>' if problem else ""
    return (
        f'{sign}{escape_text(path.address)}</b></span> <span class="m">{task_text}</span>{detail}'
    )


def _render_phases(row: Row, frame: Frame) -> str:
    paths: Sequence[Path] = row.paths
    if len(paths) > MAX_SHOWN:
        paths = [max(paths, key=lambda path: _total(row, path))]
    if not paths:
        return " · ".join(
            [_format_milliseconds(row.resolve_milliseconds), *[NOTHING] * (len(PHASE_LABELS) - 1)]
        )
    return "".join(
        f'<span class="a">{_render_bar(list(phase_milliseconds(row, path).values()), frame.slowest)}</span>'
        for path in paths
    )


def _render_bar(spent: Sequence[float | None], slowest: float) -> str:
    shares = ((n, (one or 0) / slowest) for n, one in enumerate(spent))
    parts = [
        f'<i class="k{n}" style="width:{share:.0%}"></i>'
        for n, share in shares
        if share >= MIN_SHARE
    ]
    bar = f'<span class="bar" aria-hidden="true">{"".join(parts)}</span>'
    return f'<span class="f">{" · ".join(map(_format_milliseconds, spent))}</span>{bar}'


def _total(row: Row, path: Path) -> float:
    return sum(one or 0.0 for one in phase_milliseconds(row, path).values())


def _format_milliseconds(milliseconds: float | None) -> str:
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds:.1f}" if milliseconds < TEN else f"{milliseconds:,.0f}"
