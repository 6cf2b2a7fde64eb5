"""Faults of a node's certificate: expired, for another name, of an untrusted authority.

HAProxy's own check verifies it as well: clients get the certificate at first, and seconds later closed connections.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
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
"""Results of handshakes before the node serves the certificate; HAProxy closes connections while a front restarts."""
WILDCARD = f"*.{layout.ZONE}"
OTHER_NAME = "*.cache.example"
"""A name of no cluster: names of another cluster have the verdict clusters_mixed."""
WRONG = (Verdict.CERTIFICATE_WRONG, Verdict.CERTIFICATE_REFUSED)


def expired_certificate(world: World) -> AbstractContextManager[ExpectedVerdicts]:
    """A node's certificate has expired yesterday, as when its renewal was missed."""
    file, yesterday = "expired.pem", datetime.now(UTC) - timedelta(days=1)
    certificates.issue(world.run_dir, file, WILDCARD, not_after=yesterday)
    verdicts = (Verdict.CERTIFICATE_EXPIRED, Verdict.CERTIFICATE_REFUSED)
    return _served(world, file, verdicts)


def wrong_certificate(world: World) -> AbstractContextManager[ExpectedVerdicts]:
    """A node has a certificate for names that are not its own, of no cluster."""
    file = "other-name.pem"
    certificates.issue(world.run_dir, file, OTHER_NAME)
    return _served(world, file, WRONG)


def foreign_certificate(world: World) -> AbstractContextManager[ExpectedVerdicts]:
    """A node has a certificate for its own name, of an authority that neither client nor HAProxy trusts."""
    file = "foreign.pem"
    certificates.issue(world.run_dir, file, WILDCARD, authority=Authority.FOREIGN)
    return _served(world, file, WRONG)


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
    """Makes the node serve this certificate; a front before it is restarted, its data stay."""
    state = world.cluster.state
    node = replace(state.node(node.name), certificate=file)
    if state.server.tls:
        pem = str(world.run_dir / file)
        # its current certificate may be a wrong one
        with control(world, node, verified=False) as connection:
            ask(connection, "CONFIG", "SET", "tls-cert-file", pem, "tls-key-file", pem)
    else:
        own, front = node.pids
        with suppress(ProcessLookupError):
            os.kill(front, signal.SIGKILL)
        node = replace(node, pids=(own, valkey.start_front(node, world.run_dir)))
    state.put([node])
