"""Waits until a variant carries a request: a proxy has to resolve the node's name first."""

import ssl
from functools import partial

from lab.bench.load.connections import dial, get_command
from lab.bench.setup.testbed import Testbed
from lab.bench.setup.variants import Variant
from lab.host import network
from lab.wait import wait_until

START_SECONDS = 30.0
NIL = b"$-1\r\n"
"""The RESP2 answer for a key that does not exist."""


def wait_until_ready(testbed: Testbed, variant: Variant) -> Variant:
    """The variant, once it has carried a request to each shard. Raises LabError."""
    context = ssl.create_default_context(cafile=testbed.ca_file)
    for shard, address in zip(testbed.shards, variant.addresses, strict=True):
        carries = partial(
            _carries_request, context, address, shard.node.hostname, f"{shard.keys}none"
        )
        wait_until(
            partial(network.in_network, "client", carries),
            timeout_seconds=START_SECONDS,
            what=f"{variant.name} to carry a request",
        )
    return variant


def _carries_request(context: ssl.SSLContext, address: str, name: str, key: str) -> bool:
    try:
        with dial(context, address, name) as connection:
            connection.sendall(get_command(key))
            return connection.recv(len(NIL)) == NIL
    except OSError:
        return False
