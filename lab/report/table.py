"""A table for a Markdown page and for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich import table as rich_table


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first `left` columns are aligned left, the others right.

    A terminal shows rich's markup in cells, and leaves Markdown's bold out.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    title: str = ""

    def to_markdown(self) -> str:
        """The table as GitHub's Markdown has it, without a line end."""
        count = len(self.headings)
        rule = ["---"] * self.left + ["--:"] * (count - self.left)
        cells = [[cell.replace("|", r"\|") for cell in row] for row in self.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in [self.headings, rule, *cells])

    def to_terminal(self) -> rich_table.Table:
        """The table for rich's console."""
        shown = rich_table.Table(title=self.title or None, title_justify="left")
        for number, heading in enumerate(self.headings):
            side: Literal["left", "right"] = "left" if number < self.left else "right"
            shown.add_column(heading, justify=side, overflow="fold")
        for row in self.rows:
            shown.add_row(*(cell.replace("**", "") for cell in row))
        return shown
