"""`make bench` and `make bench-tune`: measure in a sandbox, judge, write, and say where it is.

It must never end well when a bar is not met: the exit code is 1 then.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from lab import layout
from lab.bench.load import tuning
from lab.bench.report import environment as machine
from lab.bench.report import report
from lab.bench.setup import programs
from lab.errors import LabError
from lab.host import sandbox

DOCS_ROUNDS = 5
"""With fewer rounds the pages are left as they are, unless they are asked for."""
INTERRUPTED = 130
WIDTH_WITHOUT_TERMINAL = 160


def measured(rounds: int, search: str, *, tune: bool) -> dict[str, Any]:
    """What the sandbox measured; raises LabError when it could not."""
    output = programs.HOME / "measured.json"
    output.unlink(missing_ok=True)
    asked = json.dumps({"rounds": rounds, "tune": tune, "output": str(output)})
    run_dir = Path(os.environ.get("LAB_RUN_DIR", programs.HOME / "run"))
    shutil.rmtree(run_dir, ignore_errors=True)
    environment = {"PATH": search, "LAB_SERVER": "path", "LAB_RUN_DIR": str(run_dir)}
    try:
        done = subprocess.run(
            sandbox.command([sys.executable, "-m", "lab.bench.session", asked]),
            cwd=layout.ROOT,
            env=os.environ | environment,
            check=False,
        )
    except KeyboardInterrupt:
        shutil.rmtree(run_dir, ignore_errors=True)
        raise
    finally:
        tuning.tidy()
    if done.returncode != 0:
        raise LabError(
            f"nothing was measured (exit code {done.returncode}); logs in {run_dir}/logs"
        )
    found: dict[str, Any] = json.loads(output.read_text())
    output.unlink()
    # certificates' keys and a password
    shutil.rmtree(run_dir, ignore_errors=True)
    return found


def _rounds(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r}; allowed: a whole number from 1")
    return int(word)


def main(words: list[str]) -> int:
    """Measures, judges, writes; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench")
    parser.add_argument("--rounds", type=_rounds, default=DOCS_ROUNDS)
    parser.add_argument(
        "--tune", action="store_true", help="what changes of HAProxy's configuration give"
    )
    parser.add_argument(
        "--docs", action="store_true", help="write docs/performance.md with any number of rounds"
    )
    options = parser.parse_args(words)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        sandbox.check()
        search = programs.path()
        facts = {
            "machine": machine.machine(),
            "versions": machine.versions(search),
            "rounds": options.rounds,
        }
        found = measured(options.rounds, search, tune=options.tune)
        made = report.tuned(found, facts) if options.tune else report.made(found, facts)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; nothing of it stays\n")
        return INTERRUPTED
    return report.give(
        made, console, docs=options.docs or options.rounds >= DOCS_ROUNDS, tune=options.tune
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
