"""`make bench` and `make bench-tune`: measure in a sandbox, write the report, exit with 1 for a missed threshold."""

import argparse
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import layout
from lab.bench.load import tuning
from lab.bench.load.profiles import LOADS, Sample
from lab.bench.report import page, plots
from lab.bench.report.statistics import rows
from lab.bench.report.thresholds import check_thresholds
from lab.bench.setup import programs
from lab.bench.setup.variants import AGAIN, DIRECT
from lab.errors import LabError
from lab.host import run_directory, sandbox
from lab.host.foreground import INTERRUPTED, run_in_new_lab
from lab.report.publish import open_console, publish
from lab.report.threshold import Threshold
from lab.report.versions import read_proxy_versions, read_version

DOCS_ROUNDS = 5
"""With fewer rounds the page is written only with --docs."""


def measure(rounds: int, *, tune: bool) -> dict[str, Any]:
    """Runs lab.bench.session in a new sandbox and gives its result; raises LabError when it fails."""
    output = programs.HOME / "measured.json"
    output.unlink(missing_ok=True)
    options = json.dumps({"rounds": rounds, "tune": tune, "output": str(output)})
    try:
        code = run_in_new_lab([sys.executable, "-m", "lab.bench.session", options], cwd=layout.ROOT)
    finally:
        tuning.remove_cpu_limits()
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code != 0:
        raise LabError(f"nothing was measured (exit code {code}); logs in {run_directory.logs()}")
    measured: dict[str, Any] = json.loads(output.read_text())
    output.unlink()
    return measured


def read_machine() -> dict[str, object]:
    """Cores, CPU model, kernel and load average of this machine; not its name."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.machine(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def read_versions() -> dict[str, str]:
    """The versions of all programs of the benchmark; raises LabError when there is no Envoy."""
    proxies = read_proxy_versions()
    if "envoy" not in proxies:
        raise LabError(
            f"the benchmark compares with Envoy, which has no package for {platform.machine()}:"
            " run it on x86_64"
        )
    own = {name: read_version(shutil.which(name) or name) for name in programs.PACKAGES}
    return {"HAProxy": proxies["haproxy"], "Envoy": proxies["envoy"], **own}


def publish_report(
    measured: Mapping[str, Any], report: dict[str, Any], *, tune: bool, docs: bool
) -> int:
    """Writes and prints the report of what was measured, with `docs` the page, too; gives the exit code.

    `report`: machine, versions and rounds. Raises LabError when a threshold was not measured.
    """
    samples = [Sample(**one) for one in measured["samples"]]
    # a tuning is compared with two unchanged copies; the copy with a quarter of a core is not one of them
    base = (tuning.COPY, tuning.COPY_AGAIN) if tune else (DIRECT, AGAIN)
    report["rows"] = rows(samples, base, measured["cannot"])
    thresholds: list[Threshold] = []
    if tune:
        part = "tuning"
        report["not_run"] = measured["not_run"]
        tables = [page.tuning_table(report)]
    else:
        part = "report"
        report["loads"] = {load.name: load.what for load in LOADS}
        tables = [page.load_table(report, load) for load in report["loads"]]
        thresholds = check_thresholds(samples)
        plots.write_all(report, programs.HOME)
    console = open_console()
    whole = report | {"samples": measured["samples"]}
    code = publish(console, programs.HOME / f"{part}.json", whole, tables, thresholds)
    for name, why in measured["not_run"].items():
        console.print(f"not run: {name}: {why}")
    if docs:
        page.write(part, report, thresholds)
        console.print(f"written to {page.PAGE.name}, {page.FIGURES.name} and {page.IMAGES.name}/")
    return code


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
        os.environ.setdefault("LAB_RUN_DIR", str(programs.HOME / "run"))
        os.environ |= {"PATH": programs.search_path(), "LAB_SERVER": "path"}
        facts = {"machine": read_machine(), "versions": read_versions(), "rounds": options.rounds}
        measured = measure(options.rounds, tune=options.tune)
        return publish_report(measured, facts, tune=options.tune, docs=docs)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; nothing of it stays\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
