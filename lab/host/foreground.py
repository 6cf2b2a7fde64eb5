"""Programs in the foreground of a terminal."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.host import run_directory, sandbox

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell: 128 and SIGINT's number."""


def run_foreground(
    words: Sequence[str], cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Run a program to its end and return its exit code, as a shell gives it: 128 + N after signal N.

    Ctrl-C reaches the program through the terminal, so this process only waits for it; SIGTERM is forwarded.
    """
    process = subprocess.Popen(words, cwd=cwd or Path.cwd(), env=environment or os.environ)
    previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code
    finally:
        signal.signal(signal.SIGTERM, previous)


def run_in_new_lab(words: Sequence[str], cwd: Path | None = None) -> int:
    """Run a program in a sandbox of its own with a fresh run directory; returns its exit code.

    Raises LabError when this machine can build no sandbox, or when a lab is up.
    """
    with run_directory.fresh():
        return run_foreground(sandbox.command(words, pid_file=run_directory.pid_file()), cwd=cwd)
