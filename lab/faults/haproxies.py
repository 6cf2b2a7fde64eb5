"""Faults of HAProxies: one that is gone with its host, and one whose host says nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import layout
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.expectation import Expectation, expect
from lab.faults.nodes import replica
from lab.faults.resync import resync_paused
from lab.faults.silence import silenced
from lab.observe import client_view as view
from lab.scenarios.basics import lose_task
from lab.wait import wait_until
from nodeway_runtime.paths.verdicts import Verdict

SECONDS = 20


@contextmanager
def dead_proxy(world: World) -> Iterator[Expectation]:
    """A HAProxy is lost with its host; ECS replaces it elsewhere, but the resync is down and the record stays."""
    product, name = Product(), replica(world, "0001").hostname
    with resync_paused(product):
        for address in product.records()[name]:
            lose_task(world.run_dir, address)
        yield nobody_answers(world, name)


@contextmanager
def silent_proxy(world: World) -> Iterator[Expectation]:
    """A HAProxy's host falls silent, as it does behind a security group that forgot the clients; ECS sees nothing."""
    product, name = Product(), replica(world, "0002").hostname
    with silenced(*product.records()[name]):
        yield nobody_answers(world, name)


def nobody_answers(world: World, name: str) -> Expectation:
    """What follows when the client gets no answer at a name's address any more; waits for it."""

    def dead() -> bool:
        return view.handshake(world, name) == view.SILENT

    wait_until(
        lambda: view.from_client(dead), timeout_seconds=SECONDS, what=f"{name} not to answer"
    )
    beside = (layout.CONFIGURATION_ENDPOINT,)
    return expect(name, verdicts=(Verdict.DEAD_PROXY,), beside=beside)
