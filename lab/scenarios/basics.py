"""The scenarios of `make lab`, in their order. Each raises ExpectationFailed when its docstring does not hold."""

from lab import layout
from lab.deployment import cdk as aws
from lab.deployment.modes import AccessMode
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.haproxies import lose_task, wait_until_records_left
from lab.scenarios import envoy as envoy_scenarios
from lab.scenarios import single_proxy as single
from lab.scenarios.failover import fail_over
from lab.scenarios.scenario import Figures, Scenario, client, expect, under_load

SLOTS = 16384
KEYS = 10_000
NEW_SHARD_SLOTS = 1365 * 3
NODES = 6


def direct_is_unreachable(world: World) -> Figures:
    """Without us: the client knows the true names, and has no route to what they mean."""
    seen = client(world, "connect")
    expect(not seen["ok"], "the client must not reach the cache directly", seen)
    expect("unreachable" in seen["error"].lower(), "the error must be the missing route", seen)
    return seen


def single_haproxy_fails_on_moved(world: World) -> Figures:
    """One HAProxy for the configuration endpoint: the first node answers, and sends the client where it cannot go."""
    with single.proxy(world):
        seen = client(world, "connect", "--moved")
    expect(not seen["ok"], "a cluster client must fail behind a single HAProxy", seen)
    expect(
        layout.ZONE in seen["moved"], "the node must have answered MOVED with a node's name", seen
    )
    return seen


def per_node_works(world: World) -> Figures:
    """The product deployed by the real CDK CLI: every node reached by its own name, with verified TLS."""
    aws.deploy()
    seen = client(world, "exercise")
    expect(seen["nodes"] == NODES, f"{NODES} nodes must be reached", seen)
    expect(seen["slots_covered"] == SLOTS, f"{SLOTS} slots must be covered", seen)
    expect(seen["keys_written"] >= KEYS, f"{KEYS} keys must be written", seen)
    expect(seen["keys_read_back"] == seen["keys_written"], "every key must be read back", seen)
    expect(seen["tls_verified"], "TLS must be verified for each node's own name", seen)
    expect(seen["ok"], "every command must work", seen)
    return seen


def wrong_password_fails(world: World) -> Figures:
    """The node itself refuses a wrong password: the proxies neither know nor check one."""
    seen = client(world, "connect", "--wrong-password")
    expect(not seen["ok"], "a wrong password must be refused", seen)
    expect(
        "invalid username-password pair" in seen["error"],
        "by the node itself (its WRONGPASS)",
        seen,
    )
    return seen


def wrong_ca_fails(world: World) -> Figures:
    """The client itself refuses the nodes' certificate when it trusts another authority: nobody ends TLS on the way."""
    seen = client(world, "connect", "--ca", str(world.run_dir / "wrong-ca.pem"))
    expect(not seen["ok"], "a foreign certificate authority must be refused", seen)
    expect("CERTIFICATE_VERIFY_FAILED" in seen["error"], "by the client's TLS", seen)
    return seen


def second_resync_plans_nothing(_: World) -> Figures:
    """The function's next run finds everything true."""
    product = Product()
    records = product.records()
    answers = [product.resync()["outcome"] for _ in range(2)]
    seen: Figures = {"outcomes": answers, "records": len(records), "changes": product.changes()}
    expect(answers == ["unchanged"] * 2, "two runs in a row must change nothing", seen)
    expect(product.records() == records, "the records must be as before", seen)
    return seen


def failover_follows(world: World) -> Figures:
    """A primary dies, its replica takes over, the dead one comes back: the client goes on, the records stay."""
    product = Product()
    records = product.records()
    seen = fail_over(world, AccessMode.PER_NODE, "0001")
    expect(product.records() == records, "a failover must not move a record", seen)
    return seen


def lost_proxy_is_replaced(world: World) -> Figures:
    """A HAProxy is lost with its host: ECS starts another elsewhere, the record follows, the client goes on."""
    product = Product()
    name = f"{layout.REPLICATION_GROUP}-0002-001.{layout.ZONE}"
    before = product.records()[name]
    with under_load(world, "lost-proxy") as load:
        lose_task(world.run_dir, before[0])
        wait_until_records_left(product, before[0], count=1, timeout_seconds=300)
        load.wait_for_writes(2000)
    after = product.records()
    seen: Figures = {"node": name, "before": before, "after": after[name], **load.figures}
    expect(len(after) == NODES + 1, "no record may be lost", seen)
    expect(before[0] not in str(after.values()), "nothing may lead to the lost HAProxy", seen)
    expect(seen["lost_acknowledged"] == 0, "no acknowledged write may be lost", seen)
    return seen


def scale_out_follows(world: World) -> Figures:
    """A fourth shard: a second deploy gives its nodes HAProxies and records, then slots move under load."""
    product = Product()
    with under_load(world, "scale-out") as load:
        shard = world.cluster.add_shard()
        aws.deploy("refresh=true")
        records = product.records()
        moved = world.cluster.move_slots(shard, NEW_SHARD_SLOTS)
        load.wait_for_writes(2000)
    seen: Figures = {"records": len(records), "slots_moved": moved, **load.figures}
    expect(seen["records"] == NODES + 2 + 1, "two more nodes must have records", seen)
    expect(len(seen["nodes"]) == NODES + 2, "the client must use the new nodes", seen)
    expect(seen["errors"] == 0, "the client must see no error", seen)
    expect(seen["lost_acknowledged"] == 0, "no acknowledged write may be lost", seen)
    return seen


SUITE: tuple[Scenario, ...] = (
    direct_is_unreachable,
    single_haproxy_fails_on_moved,
    per_node_works,
    wrong_password_fails,
    wrong_ca_fails,
    second_resync_plans_nothing,
    failover_follows,
    lost_proxy_is_replaced,
    scale_out_follows,
    *envoy_scenarios.SUITE,
)
"""Cheap proof first; each leaves the world as the next expects it."""
