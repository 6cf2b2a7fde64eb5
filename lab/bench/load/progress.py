"""Says how far the benchmark is: a bar with the time that is left on a terminal, plain lines elsewhere."""

import time
from contextlib import ExitStack
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Teller:
    """Told each step as it begins; `with` it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console
        )
        self._task = self._bar.add_task("", visible=False)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._open.enter_context(self._bar)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, what: str) -> None:
        """Something else begins."""
        self._console.print(f"{time.monotonic() - self._began:6.1f}s {what}", highlight=False)

    def step(self, number: int, of: int, what: str) -> None:
        """One run of so many begins."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=number, total=of, description=what, visible=True)
        else:
            self.say(f"{number + 1}/{of} {what}")
