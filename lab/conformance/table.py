"""The matrix for a person on a terminal: client by behaviour, a table for each way, and what is behind each mark."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from lab.conformance.behaviours import BEHAVIOURS, TITLES
from lab.conformance.report import Cells
from lab.conformance.verdicts import Cell, Outcome

MARKS = {
    Outcome.PASS: "[green]pass[/green]",
    Outcome.PASS_WITH_OPTION: "[green]option[/green]",
    Outcome.EXPECTED_FAIL: "[yellow]fail[/yellow]",
    Outcome.FAILED: "[red]FAILED[/red]",
    Outcome.UNEXPECTED_PASS: "[red]PASS?[/red]",
    Outcome.NOT_RUN: "[dim]not run[/dim]",
}
LEGEND = "option: pass with the named option; fail: an expected fail; FAILED: unexpectedly; PASS?: a fail was expected"


def tables(cells: Cells) -> Iterator[Table]:
    """One for each way, in the cells' order."""
    for way in dict.fromkeys(way for way, _, _ in cells):
        shown = Table(title=f"{way}", title_justify="left", padding=(0, 0))
        shown.add_column("client", no_wrap=True)
        for behaviour in BEHAVIOURS:
            shown.add_column(TITLES[behaviour], justify="center")
        for client in dict.fromkeys(client for one, client, _ in cells if one == way):
            marks = [MARKS[cells[way, client, behaviour].outcome] for behaviour in BEHAVIOURS]
            shown.add_row(client, *marks)
        yield shown


def lines(cells: Cells) -> Iterator[str]:
    """What is behind the marks that are not a plain pass, each thing once for all the cells that share it."""
    for way in dict.fromkeys(way for way, _, _ in cells):
        said: dict[tuple[str, str], list[str]] = {}
        for (one, client, behaviour), cell in cells.items():
            if one == way and cell.outcome is not Outcome.PASS:
                said.setdefault((client, line(cell)), []).append(TITLES[behaviour])
        for (client, text), behaviours in said.items():
            which = ", ".join(behaviours) if len(behaviours) < len(BEHAVIOURS) else "all"
            yield f"{escape(f'{way}: {client}: {which}')}: {text}"


def line(cell: Cell) -> str:
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
