"""One client's program with `load`, as the harness sees it while it runs."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import (
    OUTSIDE_CONTRACT,
    PRINTED_PASSWORD,
    describe_exit,
    parse_object,
    shorten,
)
from lab.host.programs import end

END_SECONDS = 60.0

Progress = tuple[int, Sequence[int]]
"""Errors, and acknowledged writes of each worker."""


class LoadProgram:
    """One client's program. A thread reads its lines: `progress` as it goes on, `final` when it has ended."""

    def __init__(
        self, client: Client, process: subprocess.Popen[str], log: Path, secret: str
    ) -> None:
        self.client = client
        self.progress: Progress = (0, ())
        self.final: Mapping[str, Any] | None = None
        self._log = log
        self._secret = secret
        self._problem = ""
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            match parse_object(line):
                case _ if self._secret in line:
                    self._problem = PRINTED_PASSWORD
                case {
                    "final": True,
                    "errors": int(),
                    "lost": int(),
                    "longest_gap": int() | float(),
                } as final:
                    self.final = final
                case {"errors": int(errors), "workers": [*workers]} if _are_counts(workers):
                    self.progress = (errors, workers)
                case _:
                    self._problem = self._problem or f"{OUTSIDE_CONTRACT}: {shorten(line)}"

    def describe_end(self) -> str:
        """Why it does not run any more; empty as long as it does."""
        code = self._process.poll()
        if code is None:
            return ""
        errors = self._read_log()
        return PRINTED_PASSWORD if self._secret in errors else describe_exit(code, errors)

    def stop_writing(self) -> None:
        """Makes it read its keys back and end, by the end of its standard input."""
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()

    def finish(self) -> str:
        """Waits for its end; returns what was wrong with it, if anything was: then it has no figures, either."""
        problem = self._wait_for_end()
        if problem:
            self.final = None
        return problem

    def _wait_for_end(self) -> str:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"no end in {END_SECONDS:g} s after its last write"
        self._reader.join(END_SECONDS)
        if self._secret in self._read_log():
            return PRINTED_PASSWORD
        return self._problem or (self.describe_end() if code else "")

    def _read_log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """Ends it at once, if it runs."""
        end(self._process, grace_seconds=0)
        self.stop_writing()
        self._reader.join(END_SECONDS)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()


def _are_counts(workers: Sequence[object]) -> bool:
    return bool(workers) and all(isinstance(count, int) for count in workers)
