"""Faults of a node's certificate: expired, for another name, of an authority that nobody trusts.

HAProxy's own check verifies it, too: the client sees it at first, and seconds later is closed by HAProxy.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lab import layout
from lab.cluster import certificates
from lab.cluster import node as valkey
from lab.cluster.certificates import Authority
from lab.cluster.node import Node, ask
from lab.deployment.world import World
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.faults.nodes import ENDPOINT, replica
from lab.observe import client_view as view
from lab.observe.steady_state import control
from lab.wait import wait_until
from nodeway_runtime.paths.verdicts import Verdict

SECONDS = 20
NOT_YET = {view.VERIFIED, view.CLOSED, view.SILENT, view.REFUSED}
"""What the client sees until the node serves the certificate: HAProxy closes while a front starts anew."""
WILDCARD = f"*.{layout.ZONE}"
OTHER_NAME = "*.cache.example"
"""Of no cluster: a certificate with another cluster's names is a cluster mixed up."""
WRONG = (Verdict.CERTIFICATE_WRONG, Verdict.CERTIFICATE_REFUSED)


@contextmanager
def expired_certificate(world: World) -> Iterator[ExpectedVerdicts]:
    """A node's certificate has expired yesterday, as when its renewal was missed."""
    file, yesterday = "expired.pem", datetime.now(UTC) - timedelta(days=1)
    certificates.issue(world.run_dir, file, WILDCARD, not_after=yesterday)
    verdicts = (Verdict.CERTIFICATE_EXPIRED, Verdict.CERTIFICATE_REFUSED)
    with _served(world, file, verdicts) as expected:
        yield expected


@contextmanager
def wrong_certificate(world: World) -> Iterator[ExpectedVerdicts]:
    """A node has a certificate for names that are not its own, of no cluster."""
    file = "other-name.pem"
    certificates.issue(world.run_dir, file, OTHER_NAME)
    with _served(world, file, WRONG) as expected:
        yield expected


@contextmanager
def foreign_certificate(world: World) -> Iterator[ExpectedVerdicts]:
    """A node has a certificate for its own name, of an authority that neither client nor HAProxy trusts."""
    file = "foreign.pem"
    certificates.issue(world.run_dir, file, WILDCARD, authority=Authority.FOREIGN)
    with _served(world, file, WRONG) as expected:
        yield expected


@contextmanager
def _served(world: World, file: str, verdicts: tuple[Verdict, ...]) -> Iterator[ExpectedVerdicts]:
    node = replica(world, "0001")

    def refused() -> bool:
        return view.handshake(world, node.hostname) not in NOT_YET

    _serve(world, node, file)
    try:
        wait_until(
            lambda: view.from_client(refused),
            timeout_seconds=SECONDS,
            what=f"{node.hostname} to serve {file}",
        )
        yield expect_verdicts(node.hostname, verdicts=verdicts, beside=ENDPOINT)
    finally:
        _serve(world, node, certificates.NODE)


def _serve(world: World, node: Node, file: str) -> None:
    """The node serves this certificate from now on, its data untouched; a front is started anew for it."""
    state = world.cluster.state
    node = replace(state.node(node.name), certificate=file)
    if state.server.tls:
        pem = str(world.run_dir / file)
        # whatever it serves until now must not keep it from being told
        with control(world, node, verified=False) as connection:
            ask(connection, "CONFIG", "SET", "tls-cert-file", pem, "tls-key-file", pem)
    else:
        own, front = node.pids
        with suppress(ProcessLookupError):
            os.kill(front, signal.SIGKILL)
        node = replace(node, pids=(own, valkey.start_front(node, world.run_dir)))
    state.put([node])
