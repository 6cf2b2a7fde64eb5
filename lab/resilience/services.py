"""Faults of what stands beside the way of a connection: DNS, Route 53, the resync, the network's links."""

import time

from lab.deployment.product import Product
from lab.deployment.world import World
from lab.fake_aws.failures import throttled
from lab.faults.haproxies import addresses_of, stop_task, wait_until_records_left
from lab.faults.network import DOWN_SECONDS, flap, sustain
from lab.faults.nodes import primary
from lab.faults.resync import resync_paused
from lab.resilience.limits import felt, hold
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
"""How long after the resync, or Route 53, is back the records are right: the schedule's minute, and a run."""


def dns_server_down_60s(world: World) -> Figures:
    """Both VPCs' resolvers are down for a minute: who is connected stays so, who is not waits, with and without us."""
    with side_by_side(world, "dns-down", direct_fresh=True) as loads:
        world.stop_resolver()
        try:
            sustain(DNS_DOWN_SECONDS)
        finally:
            world.start_resolver()
        loads.recovered()
    seen: Figures = {"down_seconds": DNS_DOWN_SECONDS, **loads.figures}
    felt(seen, "direct_fresh", DNS_DOWN_SECONDS / 2)
    hold(seen, connecting=True)
    return seen


def resync_down_10min(world: World) -> Figures:
    """The resync is down for ten minutes (its concurrency is set to 0), and a HAProxy is replaced meanwhile."""
    product = Product()
    address = addresses_of(product, primary(world, "0003").hostname, count=BOTH)[0]
    with side_by_side(world, "resync-down", direct_fresh=True) as loads:
        with resync_paused(product):
            sustain(RESYNC_DOWN_SECONDS / 2)
            stop_task(product, address)
            sustain(RESYNC_DOWN_SECONDS / 2)
            expect(address in used(product), "nobody may have changed the records", {})
        right = seconds_until_right(product, address)
        loads.recovered()
    seen: Figures = {
        "down_seconds": RESYNC_DOWN_SECONDS,
        "right_again_seconds": right,
        **loads.figures,
    }
    hold(seen)
    return seen


def route53_throttled(world: World) -> Figures:
    """Route 53 refuses every change (Throttling, Rate exceeded) while a HAProxy is replaced."""
    return _throttled(world, THROTTLED_SECONDS)


def route53_throttled_5s(world: World) -> Figures:
    """Route 53 refuses every change for five seconds while a HAProxy is replaced."""
    return _throttled(world, SHORT_THROTTLED_SECONDS)


def _throttled(world: World, seconds: float) -> Figures:
    product = Product()
    failed = len(product.log("run"))
    address = addresses_of(product, primary(world, "0003").hostname, count=BOTH)[0]
    with side_by_side(world, "throttled", direct_fresh=True) as loads:
        with throttled(world.run_dir):
            stop_task(product, address)
            sustain(seconds)
            expect(address in used(product), "Route 53 must have refused every change", {})
        right = seconds_until_right(product, address)
        loads.recovered()
    runs = [line["outcome"] for line in product.log("run")[failed:]]
    seen: Figures = {
        "throttled_seconds": seconds,
        "runs": runs,
        "right_again_seconds": right,
        **loads.figures,
    }
    hold(seen)
    return seen


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
            loads.recovered()
    seen: Figures = {"flaps": times, **loads.figures}
    felt(seen, "direct", DOWN_SECONDS / 2)
    hold(seen)
    return seen


def used(product: Product) -> set[str]:
    """Every address that a record leads to."""
    return {address for values in product.records().values() for address in values}


def seconds_until_right(product: Product, old: str) -> float:
    """How long the records take to have left an address; raises LabError when it is too long."""
    began = time.monotonic()
    wait_until_records_left(product, old, count=BOTH, timeout_seconds=RIGHT_AGAIN_SECONDS)
    return round(time.monotonic() - began, 1)
