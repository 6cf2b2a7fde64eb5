"""Renders a report as a map: name → proxy → node, worst first. Pure.

`render_fragment` is for a dashboard's custom widget, `render_page` is a file around it. Both have no script and load
nothing. Text from nodes, resolvers and records is escaped.
"""

from collections.abc import Iterator
from datetime import datetime

from nodeway_runtime.html.rows import HEADINGS, SYMBOLS, render_rows
from nodeway_runtime.html.style import PAGE_STYLE, STYLE
from nodeway_runtime.html.text import escape_text, format_age, render_time, seconds_since, shorten
from nodeway_runtime.paths.report import Report
from nodeway_runtime.paths.verdicts import State, Verdict

MAX_BYTES = 900_000
"""Limit of a fragment. CloudWatch accepts the size of a Lambda response, which is six times as much."""
FRAME_BYTES = 2 * len(STYLE) + len(PAGE_STYLE) + 8_000
"""Reserved for everything but the rows."""
MAX_NOTES = 10
STALE_SECONDS = 300
"""An older report is shown as outdated."""


def render_fragment(report: Report, now: datetime, *, theme: str = "") -> str:
    """The map as a piece of HTML. `theme`: light or dark; any other value means the system's theme."""
    chosen = f' data-theme="{theme}"' if theme in {"light", "dark"} else ""
    return "".join(
        (
            f'<div class="nw cwdb-no-default-styles" data-worst="{report.worst}"{chosen}>',
            f"<style>{STYLE}</style>",
            *_render_head(report, seconds_since(report.at, now)),
            f'<table class="map" role="table"><thead role="rowgroup">{HEADINGS}</thead>',
            *render_rows(report, now, MAX_BYTES - FRAME_BYTES),
            "</table></div>",
        )
    )


def render_page(report: Report, now: datetime) -> str:
    """The map as an HTML file. Ages count from `now`."""
    cluster = escape_text(report.cluster)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">',
            '<meta http-equiv="Content-Security-Policy" ',
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
            f"<title>{summarize(report)} · {cluster}</title><style>{STYLE}{PAGE_STYLE}</style></head>",
            f'<body class="nw"><header><h1>{cluster}: name → proxy → node</h1>',
            f"<p>{escape_text(report.zone)}, port {report.port}; ages count from {render_time(now)}</p></header>",
            f"<main>{render_fragment(report, now)}</main><footer><p>",
            "✓ ok: clients of the name are served. ▲ degraded: they are, but not all is as it should be. ",
            "✕ broken: clients of the name are not served.</p></footer></body></html>",
        )
    )


def summarize(report: Report) -> str:
    """How many names are reached, and how many are broken or degraded."""
    if not report.rows:
        return "no name was walked"
    reached = sum(
        row.state is not State.BROKEN and row.verdict is not Verdict.NOT_WALKED
        for row in report.rows
    )
    counted = ((report.count(state), state.value) for state in (State.BROKEN, State.DEGRADED))
    parts = [f"{count} {state}" for count, state in counted if count]
    return " · ".join([f"{reached} of {len(report.rows)} names reached", *parts])


def _render_head(report: Report, seconds: float) -> Iterator[str]:
    worst = report.worst if report.rows else State.DEGRADED
    old = seconds > STALE_SECONDS
    yield f'<p class="hd {"degraded" if old else worst}" data-state="{"old" if old else worst}">'
    yield f'<span aria-hidden="true">{"?" if old else SYMBOLS[worst]}</span> {summarize(report)}'
    yield f", but that was {format_age(seconds)} ago</p>" if old else "</p>"
    seen_at = f'<time datetime="{escape_text(report.at)}">{format_age(seconds)} ago</time>'
    parts = [
        f"seen {seen_at} from {escape_text(report.client)}",
        f"depth {escape_text(report.depth)}"
        + ("" if report.depth == "identity" else " (not logged in)"),
        f"{report.connections} connections in {report.seconds:.1f} s",
        *_count_since(report.failovers, "failover"),
        *_count_since(report.rejected_connections, "rejected connection"),
    ]
    yield f'<p class="sub">{" · ".join(parts)}</p>'
    if report.notes:
        more = len(report.notes) - MAX_NOTES
        notes = [*report.notes[:MAX_NOTES], *([f"and {more} more notes"] if more > 0 else [])]
        items = "".join(f"<li>▲ {shorten(note)}</li>" for note in notes)
        yield f'<ul class="notes">{items}</ul>'


def _count_since(count: int | None, what: str) -> list[str]:
    return [f"{count} {what}{'s' * (count != 1)} since the last run"] if count else []
