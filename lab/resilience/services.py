"""Faults of DNS, Route 53, the resync, and the network's links."""

import time
from contextlib import AbstractContextManager

from lab.deployment.product import Product
from lab.deployment.world import World
from lab.fake_aws.failures import throttled
from lab.faults.haproxies import addresses_of, stop_task, wait_until_records_left
from lab.faults.network import DOWN_SECONDS, flap, sustain
from lab.faults.nodes import primary
from lab.faults.resync import resync_paused
from lab.resilience.limits import assert_noticed, assert_within_limits
from lab.resilience.loads import side_by_side
from lab.scenarios.scenario import Figures, expect

BOTH = 2
CACHE_LINK, CLIENT_LINK = "vpc-cache", "vpc-client"
DNS_DOWN_SECONDS = 60.0
RESYNC_DOWN_SECONDS = 600.0
THROTTLED_SECONDS = 20.0
SHORT_THROTTLED_SECONDS = 5.0
FLAPS = 5
RIGHT_AGAIN_SECONDS = 90.0
"""The schedule's minute and a run, after which the resync must have corrected the records."""


def dns_server_down_60s(world: World) -> Figures:
    """Both VPCs' resolvers are down for a minute: connected clients go on, others wait, with and without HAProxies."""
    with side_by_side(world, "dns-down", direct_fresh=True) as loads:
        world.stop_resolver()
        try:
            sustain(DNS_DOWN_SECONDS)
        finally:
            world.start_resolver()
    seen: Figures = {"down_seconds": DNS_DOWN_SECONDS, **loads.figures}
    assert_noticed(seen, "direct_fresh", DNS_DOWN_SECONDS / 2)
    return assert_within_limits(seen, connecting=True)


def resync_down_10min(world: World) -> Figures:
    """The resync is down for ten minutes (its concurrency is set to 0), and a HAProxy is replaced meanwhile."""
    half = RESYNC_DOWN_SECONDS / 2
    figures = replace_during(world, resync_paused(Product()), before=half, after=half)
    return assert_within_limits({"down_seconds": RESYNC_DOWN_SECONDS, **figures})


def route53_throttled(world: World) -> Figures:
    """Route 53 refuses every change (Throttling, Rate exceeded) while a HAProxy is replaced."""
    return _throttled(world, THROTTLED_SECONDS)


def route53_throttled_5s(world: World) -> Figures:
    """Route 53 refuses every change for five seconds while a HAProxy is replaced."""
    return _throttled(world, SHORT_THROTTLED_SECONDS)


def _throttled(world: World, seconds: float) -> Figures:
    product = Product()
    runs_before = len(product.log("run"))
    figures = replace_during(world, throttled(world.run_dir), after=seconds)
    runs = [line["outcome"] for line in product.log("run")[runs_before:]]
    return assert_within_limits({"throttled_seconds": seconds, "runs": runs, **figures})


def replace_during(
    world: World, fault: AbstractContextManager[None], *, before: float = 0, after: float
) -> Figures:
    """Replaces a HAProxy during a fault that keeps the records from changing, under load.

    `before` and `after` are how long (s) the fault lasts before and after the replacement begins. Raises
    ExpectationFailed when a record has changed meanwhile, LabError when the records are not correct in time.
    """
    product = Product()
    address = addresses_of(product, primary(world, "0003").hostname, count=BOTH)[0]
    with side_by_side(world, "replaced", direct_fresh=True) as loads:
        with fault:
            sustain(before)
            stop_task(product, address)
            sustain(after)
            used = {value for values in product.records().values() for value in values}
            expect(address in used, "the fault must have kept the records as they were", {})
        began = time.monotonic()
        wait_until_records_left(product, address, count=BOTH, timeout_seconds=RIGHT_AGAIN_SECONDS)
        seconds = round(time.monotonic() - began, 1)
    return {"right_again_seconds": seconds, **loads.figures}


def network_flaps(world: World) -> Figures:
    """The link to the nodes, then the clients' own, goes down for a second, five times each."""
    return _flapping(world, FLAPS)


def network_flaps_once(world: World) -> Figures:
    """The link to the nodes, then the clients' own, goes down for a second, once each."""
    return _flapping(world, 1)


def _flapping(world: World, times: int) -> Figures:
    with side_by_side(world, "flaps", direct_fresh=True) as loads:
        for link in (CACHE_LINK, CLIENT_LINK):
            flap(link, times)
            loads.wait_until_recovered()
    seen = assert_noticed({"flaps": times, **loads.figures}, "direct", DOWN_SECONDS / 2)
    return assert_within_limits(seen)
