"""The rounds: every load over every way, one after the other, another one first each time.

It must never let one way wait for its turn while others are measured: A B C, B C A, C A B.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from lab.bench.load import profiles as loads
from lab.bench.load import sampling as measure
from lab.bench.load.profiles import Load, Sample
from lab.bench.setup.site import Site
from lab.bench.setup.variants import Variant
from lab.errors import LabError


class Progress(Protocol):
    """Who is told how far it is."""

    def step(self, number: int, of: int, what: str) -> None:
        """One run of so many begins."""


def play(
    site: Site,
    variants: Sequence[Variant],
    wanted: Sequence[Load],
    rounds: int,
    progress: Progress,
) -> list[Sample]:
    """All rounds; the first variant is the one that the number of requests is found with. Raises LabError."""
    variants = [_at_rest(variant) for variant in variants]
    for variant in variants:
        _to_sleep(variant)
    counts = {load.name: loads.calibrated(site, variants[0], load) for load in wanted}
    samples: list[Sample] = []
    total = rounds * len(wanted)
    places = {load.name: place for place, load in enumerate(wanted)}
    # proxies keep the memory of what they served: the crowd finds them fresh
    crowds_first = sorted(wanted, key=lambda load: not load.crowd)
    for number in range(rounds):
        turned = [*variants[number % len(variants) :], *variants[: number % len(variants)]]
        for place, load in enumerate(crowds_first):
            progress.step(number * len(wanted) + place, total, f"round {number + 1}: {load.name}")
            samples += (
                _sample(site, variant, load, counts[load.name], number)
                for variant in turned
                if load.name not in variant.cannot
            )
    order = {variant.name: place for place, variant in enumerate(variants)}
    return sorted(samples, key=lambda one: (one.round, places[one.load], order[one.variant]))


def _at_rest(variant: Variant) -> Variant:
    """The way with the memory of its fresh proxies."""
    return replace(variant, kb=sum(map(measure.private_kb, variant.pids)))


@contextmanager
def awake(variant: Variant) -> Iterator[None]:
    """One that never rests does so until it is measured again."""
    for pid in variant.pids if variant.spins else ():
        os.kill(pid, signal.SIGCONT)
    try:
        yield
    finally:
        _to_sleep(variant)


def _to_sleep(variant: Variant) -> None:
    for pid in variant.pids if variant.spins else ():
        os.kill(pid, signal.SIGSTOP)


def _sample(site: Site, variant: Variant, load: Load, requests: int, number: int) -> Sample:
    try:
        with awake(variant):
            return loads.sample(site, variant, load, requests, number)
    except LabError as error:
        raise LabError(f"{variant.name}, {load.name}: {error}") from error
