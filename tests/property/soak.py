"""`make soak`: the machine for at least 20,000 steps from a fixed seed, and what happened in them."""

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine.machine import Machine
from tests.property.machine.rules import STATS

STEPS = 20_000
SEED = 20260101
STEPS_OF_A_MACHINE = 50
MACHINES_OF_A_ROUND = 50


def soak(steps: int, first_seed: int, *, shrink: bool) -> None:
    """Runs until that many steps are made; raises what the machine finds, with the shortest way to it."""
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
    while made() < steps:
        machine = seed(current)(type("Machine", (Machine,), {}))
        run_state_machine_as_test(machine, settings=profile)
        current += 1


def made() -> int:
    """The steps so far."""
    return sum(count for name, count in STATS.items() if name.startswith("step: "))


def main() -> None:
    """Prints the counts, whatever the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--no-shrink", action="store_true", help="stop at the first finding")
    chosen = parser.parse_args()
    began = time.monotonic()
    try:
        soak(chosen.steps, chosen.seed, shrink=not chosen.no_shrink)
    finally:
        took = time.monotonic() - began
        lines = [f"{count:>8}  {name}" for name, count in sorted(STATS.items()) if count]
        lines.append(f"{made():>8}  steps in {took:.0f} s, seed {chosen.seed}")
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
