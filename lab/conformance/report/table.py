"""The matrix for a person on a terminal: client by behaviour, a table for each way, and what is behind each mark."""

from collections.abc import Iterator, Mapping

from rich.markup import escape
from rich.table import Table

from lab.conformance.report.report import Cells
from lab.conformance.suite.features import BEHAVIOURS, TITLES
from lab.conformance.suite.verdicts import Cell, Outcome

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
    """What is behind the marks that are not a plain pass, each thing once for all the clients that share it."""
    said: dict[tuple[str, str], dict[str, list[str]]] = {}
    for (way, client, behaviour), cell in cells.items():
        if cell.outcome is not Outcome.PASS:
            behaviours = said.setdefault((way, line(cell)), {}).setdefault(client, [])
            behaviours.append(TITLES[behaviour])
    for (way, text), by_client in said.items():
        for clients, behaviours in _alike(by_client):
            which = "all" if len(behaviours) == len(BEHAVIOURS) else ", ".join(behaviours)
            where = f"{way}: {', '.join(clients)}: {which}"
            yield f"{escape(where)}: {text}"


def _alike(by_client: Mapping[str, list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """The clients of which the same behaviours are told."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for client, behaviours in by_client.items():
        alike.setdefault(tuple(behaviours), []).append(client)
    for told, clients in alike.items():
        yield clients, list(told)


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
