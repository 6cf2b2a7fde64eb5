"""A redis-cli that reads commands from its standard input, as behind a shell's pipe, and answers in lines of CSV.

What redis-cli prints of its connection raises CliError.
"""

import csv
import subprocess
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

NOTICES = ("-> Redirected to slot", "Reading messages...")
"""Lines that redis-cli prints between the answers."""
ANSWERS = ('"', "NULL", "(", "-", *"0123456789")
"""How an answer begins; that of an empty list is an empty line."""
ANSWER_SECONDS = 20.0


class CliError(Exception):
    """What redis-cli printed in place of an answer."""


class Session:
    """One redis-cli process, which stays with the node that the last MOVED named."""

    def __init__(self, script: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            ["sh", script, "--csv", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, also one that hangs."""
        self._process.kill()
        self._process.wait()

    def ask(self, *commands: str, seconds: float = ANSWER_SECONDS) -> list[list[str]]:
        """One answer for each command, each as its fields; raises CliError."""
        if self._process.stdin is None:
            raise CliError("it takes no commands")
        try:
            self._process.stdin.write("".join(f"{command}\n" for command in commands))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise CliError(self._describe_end()) from None
        return [self.answer(seconds) for _ in commands]

    def answer(self, seconds: float = ANSWER_SECONDS) -> list[str]:
        """The next answer; raises CliError."""
        try:
            line = self._lines.get(timeout=seconds)
        except Empty:
            raise CliError(f"no answer in {seconds:g} s") from None
        if line is None:
            raise CliError("redis-cli ended")
        if line.startswith("ERROR,"):
            raise CliError(_fields(line)[1])
        if line and not line.startswith(ANSWERS):
            raise CliError(line)
        return _fields(line)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if not line.startswith(NOTICES):
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _describe_end(self) -> str:
        return "; ".join(filter(None, iter(self._lines.get, None))) or "redis-cli ended"


def _fields(line: str) -> list[str]:
    return next(csv.reader([line], doublequote=False, escapechar="\\"), [])
