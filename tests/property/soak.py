"""`make soak`: fresh examples of the state machine, for at least 20,000 steps, and then of every property.

`make check` has the same examples each time. Here the seed is another one in each run; `--seed` repeats a run.
"""

import argparse
import secrets
import subprocess
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine.machine import Machine
from tests.property.machine.rules import STATS

STEPS = 20_000
STEPS_OF_A_MACHINE = 50
MACHINES_OF_A_ROUND = 50
PROPERTY_SECONDS = 1_800


def soak(steps: int, first_seed: int, *, shrink: bool) -> None:
    """Runs machines until that many steps are made; raises what they find, with the shortest way to it."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    profile = settings(
        max_examples=MACHINES_OF_A_ROUND,
        stateful_step_count=STEPS_OF_A_MACHINE,
        derandomize=False,
        database=None,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    current = first_seed
    while count_steps() < steps:
        machine = seed(current)(type("Machine", (Machine,), {}))
        run_state_machine_as_test(machine, settings=profile)
        current += 1


def count_steps() -> int:
    return sum(count for name, count in STATS.items() if name.startswith("step: "))


def main() -> int:
    """Prints the seed and the counts, whatever the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**8), help="repeats a run")
    parser.add_argument("--no-shrink", action="store_true", help="stop at the first finding")
    chosen = parser.parse_args()
    sys.stdout.write(f"seed {chosen.seed} (make soak SEED={chosen.seed} repeats this run)\n")
    sys.stdout.flush()
    began = time.monotonic()
    try:
        soak(chosen.steps, chosen.seed, shrink=not chosen.no_shrink)
    finally:
        took = time.monotonic() - began
        lines = [f"{count:>8}  {name}" for name, count in sorted(STATS.items()) if count]
        lines.append(f"{count_steps():>8}  steps in {took:.0f} s, seed {chosen.seed}")
        sys.stdout.write("\n".join(lines) + "\n")
    fresh = ("--hypothesis-profile=fresh", f"--hypothesis-seed={chosen.seed}")
    tests = ("tests/property", "tests/synth/proxies/test_nodes_stack.py")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", *fresh, *tests]
    return subprocess.run(command, check=False, timeout=PROPERTY_SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main())
