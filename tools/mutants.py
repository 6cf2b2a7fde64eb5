"""Switches each guard off, one at a time, in a copy of the function, and says which test notices.

`make mutants`: a line a guard, and the exit code 1 when one can be switched off without any test failing. The rules
are taken from guard.RULES, so that a new one is here by itself; the others are named with the text that makes them up.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nodeway_runtime.planner.guard import RULES, mass_delete_needs_approval

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/unit/runtime/planner", "tests/unit/runtime/model"]
SECONDS = 120
QUICKLY = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


class NoSuchGuard(Exception):
    """The code does not say any more what a mutant replaces: the list below has to follow it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard, the file that it is in, and that file's text without it."""

    name: str
    file: str
    without: Callable[[str], str]


def allowing(function: str) -> Callable[[str], str]:
    """The text with a function that answers None at once."""

    def change(text: str) -> str:
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                lines = text.splitlines(keepends=True)
                at = node.body[1].lineno - 1
                return "".join([*lines[:at], "    return None\n", *lines[at:]])
        msg = f"there is no function {function}"
        raise NoSuchGuard(msg)

    return change


def saying(old: str, new: str) -> Callable[[str], str]:
    """The text with other words in one place."""

    def change(text: str) -> str:
        if text.count(old) != 1:
            msg = f"{old!r} is there {text.count(old)} times, not once"
            raise NoSuchGuard(msg)
        return text.replace(old, new)

    return change


def name_by_name(text: str) -> str:
    """The guard's text with a name and its marker judged apart."""
    if text.count(".subject") < 2:
        msg = "a refusal is not about a subject any more"
        raise NoSuchGuard(msg)
    return text.replace(".subject", ".record.name")


MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(rule.__name__, "planner/guard.py", allowing(rule.__name__)) for rule in RULES),
    Mutant(
        mass_delete_needs_approval.__name__,
        "planner/guard.py",
        allowing(mass_delete_needs_approval.__name__),
    ),
    Mutant(
        "approve lets only these deletes through",
        "planner/guard.py",
        saying("evidence.settings.approve == deletes.checksum", "evidence.settings.approve"),
    ),
    Mutant("a name is refused with its marker", "planner/guard.py", name_by_name),
    Mutant(
        "an absence ends whatever else is refused",
        "planner/guard.py",
        saying("c.subject in refused and not clears_absence(c)", "c.subject in refused"),
    ),
    Mutant(
        "READS_UNTIL_GONE",
        "model/ownership.py",
        saying("READS_UNTIL_GONE = 3", "READS_UNTIL_GONE = 1"),
    ),
    Mutant(
        "SECONDS_BETWEEN_READS",
        "model/ownership.py",
        saying("SECONDS_BETWEEN_READS = 20", "SECONDS_BETWEEN_READS = 0"),
    ),
    Mutant(
        "only our own names are deleted",
        "planner/plan.py",
        saying("if marker.owner == owner and name not in wanted", "if name not in wanted"),
    ),
    Mutant(
        "a name and its marker in one batch",
        "planner/apply.py",
        saying(
            "isinstance(change, Delete), change.subject",
            "isinstance(change, Delete), change.record.name",
        ),
    ),
    Mutant(
        "own HAProxy before stand-in",
        "model/topology.py",
        saying("tuple(p for p in found if not p.stand_in) or tuple(first)", "tuple(found)"),
    ),
    Mutant(
        "pending names only if all confirm the pattern",
        "model/topology.py",
        saying(
            'if any(node.hostname != f"{node.cache_cluster_id}.{zone}" for node in self.reachable)',
            "if False",
        ),
    ),
    Mutant(
        "placeholder until the endpoint is shown",
        "planner/stand_ins.py",
        saying("None if names[node] in topology.pending_names else node", "node"),
    ),
    Mutant(
        "stand-in limit",
        "planner/stand_ins.py",
        saying("max(0, settings.max_stand_ins - fleet.stand_ins)", "len(missing)"),
    ),
    Mutant(
        "no stand-in beside a service",
        "planner/stand_ins.py",
        saying(
            "fleet.nodes_with_own_task | snapshot.nodes_with_service | pending",
            "fleet.nodes_with_own_task | pending",
        ),
    ),
    Mutant(
        "no stand-in from an unread fleet",
        "planner/stand_ins.py",
        saying("[] if fleet.problems else sorted(", "sorted("),
    ),
    Mutant(
        "an incomplete read stops nothing",
        "planner/stand_ins.py",
        saying("    if not snapshot.problems:\n", "    if True:\n"),
    ),
    Mutant(
        "out of the records before retired",
        "planner/stand_ins.py",
        saying("if any(proxy.address in record.values for record in snapshot.records)", "if False"),
    ),
    Mutant(
        "retired before stopped",
        "planner/stand_ins.py",
        saying("TTLS_BEFORE_STOP = 3", "TTLS_BEFORE_STOP = 0"),
    ),
    Mutant(
        "an unread service serves every node",
        "planner/reconcile.py",
        saying("        nodes_with_service = topology.names\n", ""),
    ),
)


def main() -> int:
    """Tries them all, a few at a time."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        here = Path(scratch)
        whole = noticed(here / "whole", None)
        if whole:
            say(f"the tests fail as it is: {whole}")
            return 1
        with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
            told = pool.map(lambda one: noticed(here / str(MUTANTS.index(one)), one), MUTANTS)
            survivors = list(report(told))
    say(f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} guards are needed by a test")
    return 1 if survivors else 0


def report(told: Iterator[str]) -> Iterator[str]:
    """A line a mutant; gives the names of those that survived."""
    width = max(len(one.name) for one in MUTANTS)
    for mutant, test in zip(MUTANTS, told, strict=True):
        say(f"{mutant.name:<{width}}  {f'caught by {test}' if test else 'SURVIVED'}")
        if not test:
            yield mutant.name


def noticed(copy: Path, mutant: Mutant | None) -> str:
    """The first test that fails with the copy, with the mutant in it; empty when none does."""
    shutil.copytree(ROOT / "lambda", copy, ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is not None:
        file = copy / "nodeway_runtime" / mutant.file
        file.write_text(mutant.without(file.read_text()))
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "pytest_timeout",
            *TESTS,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(copy), **QUICKLY},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    failed = re.search(r"^FAILED .*/(\S+::.*?)( - .*)?$", run.stdout, re.MULTILINE)
    if run.returncode == 1 and failed:
        return failed.group(1)
    if run.returncode != 0:
        msg = f"the tests did not run: {run.stdout[-2000:]}{run.stderr[-2000:]}"
        raise RuntimeError(msg)
    return ""


def say(line: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
