"""The report of `nodeway doctor` for a terminal: the result, a row for each name, each cause with its remedy."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nodeway_runtime.paths.report import Path, Report, Row
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict

STYLE = {State.OK: "green", State.DEGRADED: "yellow", State.BROKEN: "bold red"}
SIGN = {State.OK: "ok", State.DEGRADED: "! degraded", State.BROKEN: "✗ broken"}
MAX_NAMES = 10
"""Names listed for one cause. The table has all names."""


def print_table(console: Console, report: Report) -> None:
    """Prints the result, a row for each name with the worst first, and each cause."""
    worst = report.worst
    console.print(
        f"[{STYLE[worst]}]{SIGN[worst]}[/]: {report.count(State.OK)} of {len(report.rows)} names of {report.zone}"
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
        for row in rows[:MAX_NAMES]:
            console.print(f"  {escape(row.label)}  {escape(row.detail)}", style="dim")
        if len(rows) > MAX_NAMES:
            console.print(f"  and {len(rows) - MAX_NAMES} more", style="dim")
        console.print(f"  next: {escape(meaning.next)}")
        console.print(f"  more: docs/runbook.md#verdict-{verdict}", style="dim")
    for note in report.notes:
        console.print(f"note: {escape(note)}", style="dim")


def group_by_verdict(report: Report) -> dict[Verdict, list[Row]]:
    """Groups the rows that are not in order by their verdict."""
    groups: dict[Verdict, list[Row]] = {}
    for row in report.worst_first:
        if row.state is not State.OK:
            groups.setdefault(row.verdict, []).append(row)
    return groups


def describe_path(path: Path) -> str:
    """Returns an address with its proxy's zone and health."""
    if path.proxy is None:
        return path.address
    return f"{path.address} ({path.proxy.availability_zone}, {path.proxy.health})"


def phase_times(row: Row) -> str:
    """Returns the milliseconds of each phase, as the maximum over the paths; `-` for a phase without a value."""
    phases = (
        [row.resolve_milliseconds],
        [path.connect_milliseconds for path in row.paths],
        [path.tls_milliseconds for path in row.paths],
        [path.answer_milliseconds for path in row.paths],
    )
    slowest = (max((v for v in values if v is not None), default=None) for values in phases)
    return " ".join("-" if value is None else f"{value:.1f}" for value in slowest)
