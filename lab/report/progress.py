"""How far a measurement is: a bar with the remaining time on a terminal, plain lines elsewhere."""

import time
from contextlib import ExitStack
from typing import Self

from rich import progress
from rich.console import Console


class Progress:
    """The progress of one command; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", visible=False)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._open.enter_context(self._bar)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def log(self, message: str) -> None:
        """Prints a line with the seconds since the start."""
        self._console.print(f"{time.monotonic() - self._began:6.1f}s {message}", highlight=False)

    def step(self, number: int, of: int, what: str) -> None:
        """Shows that step `number`, counted from 0, of `of` steps begins."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=number, total=of, description=what, visible=True)
        else:
            self.log(f"{number + 1}/{of} {what}")
