"""Waits until a way carries a request: a proxy has to learn the node's address first."""

from lab.bench.load import connections as crowd
from lab.bench.setup.site import Shard, Site
from lab.bench.setup.variants import Variant
from lab.host import network
from lab.wait import wait_until

START_SECONDS = 30.0
NOTHING = b"$-1\r\n"
"""The answer when a key does not exist."""


def up(site: Site, variant: Variant) -> Variant:
    """The way, once a request went through it to each shard. Raises LabError."""
    for shard, address in zip(site.shards, variant.addresses, strict=True):
        _carries(site, shard, address, variant.name)
    return variant


def _carries(site: Site, shard: Shard, address: str, name: str) -> None:
    told = {
        "address": address,
        "name": shard.node.hostname,
        "authority": str(site.world.run_dir / "ca.pem"),
    }
    key = f"{shard.keys}none"

    def asked() -> bool:
        try:
            with crowd.connect(told) as connection:
                # not PING: Envoy answers that itself. Not inline: it does not know that form.
                connection.sendall(f"*2\r\n$3\r\nGET\r\n${len(key)}\r\n{key}\r\n".encode())
                return connection.recv(len(NOTHING)) == NOTHING
        except OSError:
            return False

    wait_until(
        lambda: network.in_network("client", asked),
        timeout_seconds=START_SECONDS,
        what=f"{name} to carry a request",
    )
