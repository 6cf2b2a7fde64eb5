"""The rounds: in each, every load runs over every variant, in another order each time: A B C, B C A, C A B."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import psutil

from lab.bench.load.connections import get
from lab.bench.load.profiles import Load, Sample, calibrate, measure
from lab.bench.load.sampling import private_kib
from lab.bench.setup.testbed import Testbed
from lab.bench.setup.variants import Variant
from lab.errors import LabError
from lab.host import network
from lab.report.progress import Progress
from lab.wait import wait_until

START_SECONDS = 30.0
NIL = b"$-1\r\n"
"""The RESP2 answer for a key that does not exist."""


def wait_until_ready(testbed: Testbed, variant: Variant) -> None:
    """Waits until a variant has carried a request to each shard: a proxy resolves a name first. Raises LabError."""
    context = ssl.create_default_context(cafile=testbed.ca_file)

    def carries_requests() -> bool:
        try:
            return all(
                get(context, address, shard.node.hostname, f"{shard.keys}none") == NIL
                for shard, address in zip(testbed.shards, variant.addresses, strict=True)
            )
        except OSError:
            return False

    wait_until(
        partial(network.in_network, "client", carries_requests),
        timeout_seconds=START_SECONDS,
        what=f"{variant.name} to carry a request",
    )


def run_rounds(
    testbed: Testbed,
    variants: Sequence[Variant],
    loads: Sequence[Load],
    rounds: int,
    progress: Progress,
) -> list[Sample]:
    """All samples; the first variant decides on the number of requests of each load. Raises LabError."""
    variants = [replace(variant, idle_kib=private_kib(variant.pids)) for variant in variants]
    for variant in variants:
        _suspend(variant)
    counts = {load.name: calibrate(testbed, variants[0], load) for load in loads}
    samples: list[Sample] = []
    # proxies keep the memory of earlier loads, so idle connections come first
    in_order = sorted(loads, key=lambda load: not load.idle_connections)
    for number in range(rounds):
        first = number % len(variants)
        for place, load in enumerate(in_order):
            step = number * len(loads) + place
            progress.step(step, rounds * len(loads), f"round {number + 1}: {load.name}")
            samples += (
                _measure(testbed, variant, load, counts[load.name], number)
                for variant in [*variants[first:], *variants[:first]]
                if load.name not in variant.unsupported
            )
    places = [[one.name for one in group] for group in (loads, variants)]
    return sorted(
        samples,
        key=lambda one: (one.round, places[0].index(one.load), places[1].index(one.variant)),
    )


def _suspend(variant: Variant) -> None:
    for pid in variant.pids if variant.spins else ():
        psutil.Process(pid).suspend()


@contextmanager
def _resumed(variant: Variant) -> Iterator[None]:
    """An always-busy proxy runs during its own measurement only."""
    for pid in variant.pids if variant.spins else ():
        psutil.Process(pid).resume()
    try:
        yield
    finally:
        _suspend(variant)


def _measure(testbed: Testbed, variant: Variant, load: Load, requests: int, number: int) -> Sample:
    try:
        with _resumed(variant):
            return measure(testbed, variant, load, requests, number)
    except LabError as error:
        raise LabError(f"{variant.name}, {load.name}: {error}") from error
