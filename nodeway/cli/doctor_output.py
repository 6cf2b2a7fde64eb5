"""What `nodeway doctor` found, for a person: the answer, a row for each name, each cause once with its next step."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nodeway_runtime.paths.report import Path, Report, Row
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict

STYLE = {State.OK: "green", State.DEGRADED: "yellow", State.BROKEN: "bold red"}
SIGN = {State.OK: "ok", State.DEGRADED: "! degraded", State.BROKEN: "✗ broken"}
MOST_SHOWN = 10
"""Names of one cause that are listed: of more, the table above has them all."""


def print_table(console: Console, report: Report) -> None:
    """The report for a person: the answer first, then a row for each name, the worst first."""
    worst = report.worst
    reached_names = report.count(State.OK)
    console.print(
        f"[{STYLE[worst]}]{SIGN[worst]}[/]: {reached_names} of {len(report.rows)} names of {report.zone}"
        f" are in order, seen from {escape(report.client)} in {report.seconds:.1f} s"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("name", "leads to", "ms: dns tcp tls node", "state", "what"):
        table.add_column(column, overflow="fold")
    for row in report.worst_first:
        what = (
            row.role or MEANINGS[row.verdict].what if row.state is State.OK else row.verdict.value
        )
        table.add_row(
            escape(row.label),
            escape("\n".join(map(describe_path, row.paths)) or "nothing"),
            phase_times(row),
            f"[{STYLE[row.state]}]{SIGN[row.state]}[/]",
            escape(what),
        )
    console.print(table)
    for verdict, rows in group_by_verdict(report).items():
        meaning = MEANINGS[verdict]
        console.print()
        console.print(f"[{STYLE[meaning.state]}]{verdict}[/]: {escape(meaning.what)}")
        for row in rows[:MOST_SHOWN]:
            console.print(f"  {escape(row.label)}  {escape(row.detail)}", style="dim")
        if len(rows) > MOST_SHOWN:
            console.print(f"  and {len(rows) - MOST_SHOWN} more", style="dim")
        console.print(f"  next: {escape(meaning.next)}")
        console.print(f"  more: docs/runbook.md#verdict-{verdict}", style="dim")
    for note in report.notes:
        console.print(f"note: {escape(note)}", style="dim")


def group_by_verdict(report: Report) -> dict[Verdict, list[Row]]:
    """The rows that are not in order, together with those that have the same cause."""
    found: dict[Verdict, list[Row]] = {}
    for row in report.worst_first:
        if row.state is not State.OK:
            found.setdefault(row.verdict, []).append(row)
    return found


def describe_path(path: Path) -> str:
    """An address, and whose it is."""
    if path.proxy is None:
        return path.address
    return f"{path.address} ({path.proxy.availability_zone}, {path.proxy.health})"


def phase_times(row: Row) -> str:
    """The legs' milliseconds: the slowest path's."""
    legs = [row.resolve_milliseconds] + [
        max(
            (
                one
                for one in (getattr(p, f"{leg}_milliseconds") for p in row.paths)
                if one is not None
            ),
            default=None,
        )
        for leg in ("connect", "tls", "answer")
    ]
    return " ".join("-" if one is None else f"{one:.1f}" for one in legs)
