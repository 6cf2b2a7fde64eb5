"""The faults for a person, on a terminal: a line for each, what a client saw through us beside what it saw without."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from lab.scenarios.scenario import Result

CLIENTS = ("pooled", "fresh", "direct")
CELLS = 8
SIDES = {"through": "with us", "direct": "without"}
CROWDS = {
    "still_open": "{:,} connections stay open",
    "seconds_until_all_back": "all back after {:.1f} s",
    "p99_ms": "p99 of others {:.0f} ms",
}
"""What is shown of a crowd of connections, and how it is said."""


def table(results: list[Result]) -> Table:
    """One line a scenario; those without clients, such as deploys, have their time only."""
    shown = Table(title="Faults under load: through HAProxies, and without", title_justify="left")
    shown.add_column("fault", overflow="fold")
    shown.add_column("result")
    for column in ("s", "gap", "fresh", "direct", "bar", "errors", "failed", "lost"):
        shown.add_column(column, justify="right")
    shown.add_column("lost by Redis\nwith / without us", justify="right")
    for result in results:
        verdict = "[green]ok[/green]" if result.passed else "[red]FAILED[/red]"
        figures = result.figures
        wrong = figures.get("expected") or figures.get("error")
        below = f"\n[red]{escape(str(wrong))}[/red]" if wrong else ""
        below += "".join(f"\n[dim]{escape(line)}[/dim]" for line in of_crowds(figures))
        row = cells(figures) if of_clients(figures) else [""] * CELLS
        shown.add_row(f"{result.name}{below}", verdict, f"{result.seconds:.1f}", *row)
    return shown


def of_clients(figures: dict[str, Any]) -> bool:
    """Whether these figures are of clients that wrote side by side."""
    return all(
        isinstance(figures.get(who), dict) and "longest_gap_seconds" in figures[who]
        for who in CLIENTS
    )


def of_crowds(figures: dict[str, Any]) -> list[str]:
    """What is shown of a crowd of connections, with us and without; nothing for other figures."""
    if not all(isinstance(figures.get(side), dict) for side in SIDES):
        return []
    sides = {side: {**figures[side], **figures[side].get("during", {})} for side in SIDES}
    return [
        f"{said.format(sides[side][what])} {told}"
        for what, said in CROWDS.items()
        for side, told in SIDES.items()
        if what in sides[side]
    ]


def cells(figures: dict[str, Any]) -> list[str]:
    """Gaps of pooled, fresh and direct, the bar, then what went wrong through the HAProxies."""
    pooled, fresh, direct = (figures[who] for who in CLIENTS)
    return [
        *(f"{one['longest_gap_seconds']:.2f}" for one in (pooled, fresh, direct)),
        " / ".join(f"{one['bar_seconds']:g}" for one in (pooled, fresh) if "bar_seconds" in one),
        *(str(pooled[what] + fresh[what]) for what in ("errors", "failed", "lost_acknowledged")),
        f"{pooled['lost_on_failover'] + fresh['lost_on_failover']} / {direct['lost_on_failover']}",
    ]
