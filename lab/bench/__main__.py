"""`make bench` and `make bench-tune`: measure in a sandbox, write the report, exit with 1 for a missed threshold."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab import layout
from lab.bench.load import tuning
from lab.bench.report import environment
from lab.bench.report.report import publish_report
from lab.bench.setup import programs
from lab.errors import LabError
from lab.host import sandbox
from lab.host.foreground import INTERRUPTED
from lab.report.publish import open_console

DOCS_ROUNDS = 5
"""With fewer rounds the page is written only with --docs."""


def measure(rounds: int, search_path: str, *, tune: bool) -> dict[str, Any]:
    """Runs lab.bench.session in a new sandbox and gives its result; raises LabError when it fails."""
    output = programs.HOME / "measured.json"
    output.unlink(missing_ok=True)
    options = json.dumps({"rounds": rounds, "tune": tune, "output": str(output)})
    run_dir = Path(os.environ.get("LAB_RUN_DIR", programs.HOME / "run"))
    shutil.rmtree(run_dir, ignore_errors=True)
    variables = {"PATH": search_path, "LAB_SERVER": "path", "LAB_RUN_DIR": str(run_dir)}
    try:
        done = subprocess.run(
            sandbox.command([sys.executable, "-m", "lab.bench.session", options]),
            cwd=layout.ROOT,
            env=os.environ | variables,
            check=False,
        )
    except KeyboardInterrupt:
        shutil.rmtree(run_dir, ignore_errors=True)
        raise
    finally:
        tuning.remove_cpu_limits()
    if done.returncode != 0:
        code = done.returncode
        raise LabError(f"nothing was measured (exit code {code}); logs in {run_dir}/logs")
    measured: dict[str, Any] = json.loads(output.read_text())
    output.unlink()
    # it holds private keys and a password
    shutil.rmtree(run_dir, ignore_errors=True)
    return measured


def _rounds(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r}; allowed: a whole number from 1")
    return int(word)


def main(words: list[str]) -> int:
    """Measures and writes the report; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench")
    parser.add_argument("--rounds", type=_rounds, default=DOCS_ROUNDS)
    parser.add_argument(
        "--tune", action="store_true", help="measure changes of HAProxy's configuration"
    )
    parser.add_argument(
        "--docs", action="store_true", help="write docs/performance.md with any number of rounds"
    )
    options = parser.parse_args(words)
    docs = options.docs or options.rounds >= DOCS_ROUNDS
    try:
        sandbox.check()
        search_path = programs.search_path()
        facts = {
            "machine": environment.machine(),
            "versions": environment.versions(search_path),
            "rounds": options.rounds,
        }
        measured = measure(options.rounds, search_path, tune=options.tune)
        return publish_report(measured, facts, open_console(), docs=docs, tune=options.tune)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; nothing of it stays\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
