"""One client's program with `load`, as the harness sees it while it runs. It must never be taken at its last word."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.conformance.run import programs
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.observe import PRINTED, STRANGE, as_object, ended_with, shortened

LAST_WORDS_SECONDS = 60.0

Progress = tuple[int, Sequence[int]]
"""Errors, and acknowledged writes of each worker."""


class Writer:
    """One client's program."""

    def __init__(
        self, client: Client, process: subprocess.Popen[str], log: Path, secret: str
    ) -> None:
        self.client = client
        self.progress: Progress = (0, ())
        self.final: Mapping[str, Any] | None = None
        self._log = log
        self._secret = secret
        self._strange = ""
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            said = as_object(line)
            match said:
                case _ if self._secret in line:
                    self._strange = PRINTED
                case {
                    "final": True,
                    "errors": int(),
                    "lost": int(),
                    "longest_gap": int() | float(),
                }:
                    self.final = said
                case {"errors": int(errors), "workers": list(workers)} if _counts(workers):
                    self.progress = (errors, workers)
                case _:
                    self._strange = self._strange or f"{STRANGE}: {shortened(line)}"

    def ended(self) -> str:
        """Why it does not run any more; empty as long as it does."""
        code = self._process.poll()
        if code is None:
            return ""
        said = self._said()
        return PRINTED if self._secret in said else ended_with(code, said)

    def stop_writing(self) -> None:
        """From now on it reads its keys back, and ends."""
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()

    def finish(self) -> str:
        """Waits for its end; gives what was wrong about it, if anything was: then it has no figures, either."""
        wrong = self._ended()
        if wrong:
            self.final = None
        return wrong

    def _ended(self) -> str:
        try:
            code = self._process.wait(LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"no end in {LAST_WORDS_SECONDS:g} s after its last write"
        self._reader.join(LAST_WORDS_SECONDS)
        if self._secret in self._said():
            return PRINTED
        return self._strange or (self.ended() if code else "")

    def _said(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """Ends it at once, if it runs."""
        programs.kill(self._process)
        self.stop_writing()
        self._reader.join(LAST_WORDS_SECONDS)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()


def _counts(workers: Sequence[object]) -> bool:
    return bool(workers) and all(isinstance(count, int) for count in workers)
