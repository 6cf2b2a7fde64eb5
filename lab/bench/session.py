"""`python -m lab.bench.session JSON`: the measuring itself, in the sandbox; writes the figures as JSON.

It must never judge: lab.bench.__main__ does, outside.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from lab.bench.load import profiles as loads
from lab.bench.load import rounds, tuning
from lab.bench.load import warmup as warm
from lab.bench.load.profiles import LOADS, Sample
from lab.bench.load.progress import Teller
from lab.bench.setup import site, variants
from lab.bench.setup import veth as cables
from lab.bench.setup.site import Site
from lab.bench.setup.variants import AGAIN, DIRECT, Variant, Yard
from lab.errors import LabError


def ways(yard: Yard, place: Site) -> list[Variant]:
    """The ways that are compared; the two that are the same are not neighbours."""
    return [
        variants.direct(place, DIRECT),
        variants.kernel(yard, place),
        variants.deployed(place),
        variants.direct(place, AGAIN),
        variants.envoy(yard, place),
        variants.sni(yard, place),
    ]


def compared(place: Site, count: int, teller: Teller) -> dict[str, Any]:
    """The benchmark."""
    found = [warm.up(place, way) for way in ways(Yard(place), place)]
    samples = rounds.play(place, found, LOADS, count, teller)
    return told(samples, found)


def tried(place: Site, count: int, teller: Teller) -> dict[str, Any]:
    """The tuning: Envoy with batched writes is there to be fair to it."""
    yard = Yard(place)
    started = {trial.name: tuning.start(yard, place, trial) for trial in tuning.TRIALS}
    trials = [one for one in started.values() if isinstance(one, Variant)]
    rivals = [
        variants.envoy(yard, place),
        variants.envoy_batched(yard, place),
    ]
    found = [warm.up(place, way) for way in (*trials, *rivals)]
    samples = rounds.play(place, found, tuning.TUNED_LOADS, count, teller)
    not_run = {name: why for name, why in started.items() if isinstance(why, str)}
    return told(samples, found) | {"not_run": not_run}


def told(samples: Sequence[Sample], found: Sequence[Variant]) -> dict[str, Any]:
    """The samples as JSON has them, and what could not be measured."""
    cannot = [
        {"variant": way.name, "load": load, "why": why}
        for way in found
        for load, why in way.cannot.items()
    ]
    return {"samples": [asdict(one) for one in samples], "cannot": cannot}


def main() -> int:
    """Measures; gives 1 with a line that says what was wrong."""
    asked = json.loads(sys.argv[1])
    console = Console(soft_wrap=True)
    try:
        with Teller(console) as teller:
            place = site.up(teller.say)
            cables.to_nodes(place)
            loads.fill(place)
            teller.say("how many requests take about a second, directly")
            measured = (tried if asked["tune"] else compared)(place, asked["rounds"], teller)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    Path(asked["output"]).write_text(json.dumps(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
