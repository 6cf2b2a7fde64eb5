"""Scenarios of shared HAProxies: two for all nodes, for clients that send the node's name as SNI."""

import socket
import ssl

from lab import layout
from lab.deployment import modes as ways
from lab.deployment.modes import SHARED_FLEET, AccessMode
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.haproxies import lose_task, wait_until_records_left
from lab.host import network
from lab.scenarios.basics import NEW_SHARD_SLOTS, NODES, SLOTS
from lab.scenarios.failover import fail_over
from lab.scenarios.scenario import Figures, client, expect, under_load
from nodeway_runtime.paths.verdicts import Verdict

WILDCARD = f"*.{layout.ZONE}"
NODE = f"{layout.REPLICATION_GROUP}-0001-001.{layout.ZONE}"
TASKS = 2


def shared_serves_sni_clients(world: World) -> Figures:
    """Two HAProxies, one wildcard record: every node by its own name, with verified TLS; without a name, nothing."""
    ways.deploy(AccessMode.SHARED, world.run_dir)
    product = Product(SHARED_FLEET)
    seen = client(world, "exercise", mode=AccessMode.SHARED)
    records = product.records()
    wrong = client(world, "connect", "--wrong-password", mode=AccessMode.SHARED)
    foreign = client(
        world, "connect", "--ca", str(world.run_dir / "wrong-ca.pem"), mode=AccessMode.SHARED
    )
    seen |= {
        "records": len(records),
        "haproxies": len(records.get(WILDCARD, ())),
        "wrong_password": wrong.get("error", "connected"),
        "wrong_ca": foreign.get("error", "connected"),
        "without_a_name": handshake(world, None),
        "with_a_foreign_name": handshake(world, f"demo-0001-001.demo.{layout.REGION}.example"),
        "with_a_node_s_name": handshake(world, NODE),
        "outcomes": [product.resync()["outcome"] for _ in range(2)],
        "verdicts": sorted({row.verdict for row in product.probe().rows}),
    }
    expect(seen["nodes"] == NODES, f"{NODES} nodes must be reached", seen)
    expect(seen["slots_covered"] == SLOTS, f"{SLOTS} slots must be covered", seen)
    expect(seen["tls_verified"], "TLS must be verified for each node's own name", seen)
    expect(seen["ok"], "every command must work", seen)
    expect((seen["records"], seen["haproxies"]) == (1, TASKS), "one record, two HAProxies", seen)
    expect("invalid username-password" in seen["wrong_password"], "the node must refuse it", seen)
    expect("CERTIFICATE_VERIFY_FAILED" in seen["wrong_ca"], "the client must verify", seen)
    expect(seen["with_a_node_s_name"] == "connected", "a node's name must be enough", seen)
    closed = {seen["without_a_name"], seen["with_a_foreign_name"]}
    expect(closed == {"closed"}, "who names no node of the cluster must be closed", seen)
    expect(seen["outcomes"] == ["unchanged"] * 2, "two runs in a row must change nothing", seen)
    expect(seen["verdicts"] == [Verdict.OK], "the probe must find every path in order", seen)
    return seen


def handshake(world: World, name: str | None) -> str:
    """The result of a TLS handshake at a node's name, with this name as SNI."""
    context = ssl.create_default_context(cafile=str(world.run_dir / "ca.pem"))
    context.check_hostname = False
    address = Product(SHARED_FLEET).records()[WILDCARD][0]

    def shake() -> str:
        with socket.create_connection((address, layout.PORT), timeout=10) as connection:
            try:
                context.wrap_socket(connection, server_hostname=name).close()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
                return "closed"
            return "connected"

    return network.in_network("client", shake)


def shared_failover(world: World) -> Figures:
    """A primary dies, its replica takes over, the dead one comes back: the client goes on through the same two."""
    return fail_over(world, AccessMode.SHARED, "0001")


def shared_lost_haproxy(world: World) -> Figures:
    """One of the two is lost with its host: the record follows, and the client goes on by the other."""
    product = Product(SHARED_FLEET)
    before = product.records()[WILDCARD]
    with under_load(world, "shared-lost", mode=AccessMode.SHARED) as load:
        lose_task(world.run_dir, before[0])
        wait_until_records_left(product, before[0], count=len(before), timeout_seconds=300)
        load.wait_for_each_thread(200)
    seen: Figures = {
        "before": before,
        "after": product.records()[WILDCARD],
        **load.figures,
    }
    expect(seen["lost_acknowledged"] == 0, "no acknowledged write may be lost", seen)
    return seen


def shared_scale_out(world: World) -> Figures:
    """A fourth shard, and nothing of ours to do: slots move to names that the wildcard answers already."""
    product = Product(SHARED_FLEET)
    records, changes = product.records(), product.changes()
    with under_load(world, "shared-scale-out", mode=AccessMode.SHARED) as load:
        shard = world.cluster.add_shard()
        moved = world.cluster.move_slots(shard, NEW_SHARD_SLOTS)
        load.wait_for_writes(2000)
        leading = world.cluster.primaries()[shard]
    seen: Figures = {
        "records": len(records),
        "slots_moved": moved,
        "changes": product.changes() - changes,
        **load.figures,
    }
    expect(product.records() == records, "no record may have to change", seen)
    # its replica may not have been in sync when the client asked for the topology
    expect(f"{leading}.{layout.ZONE}" in seen["nodes"], "the client must use the new node", seen)
    expect(seen["errors"] == 0, "the client must see no error", seen)
    expect(seen["lost_acknowledged"] == 0, "no acknowledged write may be lost", seen)
    return seen


SUITE = (
    shared_serves_sni_clients,
    shared_failover,
    shared_lost_haproxy,
    shared_scale_out,
)
