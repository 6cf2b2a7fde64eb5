"""`python -m lab.bench.session JSON`: the measurement itself, in the sandbox; writes its samples as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from lab.bench.load import tuning
from lab.bench.load.profiles import LOADS, write_values
from lab.bench.load.rounds import run_rounds, wait_until_ready
from lab.bench.setup import variants, veth
from lab.bench.setup.testbed import Testbed, start_testbed
from lab.bench.setup.variants import AGAIN, DIRECT, ProxyContainers, Variant
from lab.errors import LabError
from lab.host.foreground import INTERRUPTED
from lab.report.progress import Progress


def start_variants(testbed: Testbed) -> list[Variant]:
    """The variants of the benchmark; the two direct ones are not neighbours."""
    starter = ProxyContainers(testbed)
    return [
        variants.direct(testbed, DIRECT),
        variants.kernel(starter, testbed),
        variants.deployed(testbed),
        variants.direct(testbed, AGAIN),
        variants.envoy(starter, testbed),
        variants.sni(starter, testbed),
    ]


def start_trials(testbed: Testbed) -> tuple[list[Variant], dict[str, str]]:
    """The variants of the tuning, both Envoys included, and why a trial cannot run, by its name."""
    starter = ProxyContainers(testbed)
    started = {trial.name: tuning.start(starter, testbed, trial) for trial in tuning.TRIALS}
    trials = [one for one in started.values() if isinstance(one, Variant)]
    rivals = [variants.envoy(starter, testbed), variants.envoy_batched(starter, testbed)]
    not_run = {name: why for name, why in started.items() if isinstance(why, str)}
    return [*trials, *rivals], not_run


def run(options: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Starts everything and measures; gives the samples, and what cannot be measured, by variant. Raises LabError."""
    testbed = start_testbed(progress.log)
    veth.connect_client(testbed)
    write_values(testbed)
    progress.log("how many requests take about a second, directly")
    if options["tune"]:
        found, not_run = start_trials(testbed)
        loads = tuning.TUNED_LOADS
    else:
        found, not_run = start_variants(testbed), {}
        loads = LOADS
    for variant in found:
        wait_until_ready(testbed, variant)
    samples = run_rounds(testbed, found, loads, options["rounds"], progress)
    return {
        "samples": [asdict(one) for one in samples],
        "cannot": {variant.name: dict(variant.unsupported) for variant in found},
        "not_run": not_run,
    }


def main(options: dict[str, Any]) -> int:
    """Measures; gives the exit code, 1 with a line about what failed."""
    try:
        with Progress(Console(soft_wrap=True)) as progress:
            measured = run(options, progress)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    Path(options["output"]).write_text(json.dumps(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
