"""The matrix for a terminal: a table of clients and behaviours for each mode, and what is behind the marks."""

from collections.abc import Iterator

from rich.markup import escape

from lab.conformance.report.report import Cells
from lab.conformance.suite.behaviours import BEHAVIOURS
from lab.conformance.suite.verdicts import Cell, Outcome
from lab.report.table import Table

MARKS = {
    Outcome.PASS: "[green]pass[/green]",
    Outcome.PASS_WITH_OPTION: "[green]option[/green]",
    Outcome.EXPECTED_FAIL: "[yellow]fail[/yellow]",
    Outcome.FAILED: "[red]FAILED[/red]",
    Outcome.UNEXPECTED_PASS: "[red]PASS?[/red]",
    Outcome.NOT_RUN: "[dim]not run[/dim]",
}
LEGEND = "option: pass with the named option; fail: an expected fail; FAILED: unexpectedly; PASS?: a fail was expected"


def render_tables(cells: Cells) -> Iterator[Table]:
    """A table for each mode, in the cells' order."""
    for mode in dict.fromkeys(mode for mode, _, _ in cells):
        rows = [
            (client, *(MARKS[cells[mode, client, behaviour].outcome] for behaviour in BEHAVIOURS))
            for client in dict.fromkeys(client for one, client, _ in cells if one == mode)
        ]
        headings = ("client", *(one.title for one in BEHAVIOURS.values()))
        yield Table(headings, rows, left=len(headings), title=mode)


def render_lines(cells: Cells) -> Iterator[str]:
    """What is behind the marks that are not a plain pass, each text once for all clients that share it."""
    failed: dict[tuple[str, str, str], list[str]] = {}
    for (mode, client, behaviour), cell in cells.items():
        if cell.outcome is not Outcome.PASS:
            title = BEHAVIOURS[behaviour].title
            failed.setdefault((mode, client, render_cell(cell)), []).append(title)
    alike: dict[tuple[str, str, str], list[str]] = {}
    for (mode, client, text), titles in failed.items():
        which = "all" if len(titles) == len(BEHAVIOURS) else ", ".join(titles)
        alike.setdefault((mode, which, text), []).append(client)
    for (mode, which, text), clients in alike.items():
        where = f"{mode}: {', '.join(clients)}: {which}"
        yield f"{escape(where)}: {text}"


def render_cell(cell: Cell) -> str:
    """One cell in words."""
    detail, reason = escape(cell.detail), escape(cell.reason)
    match cell.outcome:
        case Outcome.PASS_WITH_OPTION:
            return f"option: {reason}"
        case Outcome.EXPECTED_FAIL:
            return f"expected, by {cell.by}: {reason}"
        case Outcome.NOT_RUN:
            return f"not run: {detail}"
        case Outcome.UNEXPECTED_PASS:
            return f"[red]passed[/red]; {reason}"
        case _:
            return f"[red]FAILED[/red]: {detail}" + (f" ({reason})" if reason else "")
