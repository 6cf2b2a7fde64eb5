"""Scenarios of the resync: the topology changes, sources lie or fail, while a client writes."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lab import layout
from lab.deployment import cdk as aws
from lab.deployment.product import Product, client
from lab.deployment.record_sets import record_set, records_in_zone
from lab.deployment.world import World
from lab.scenarios.scenario import Figures, Scenario, expect, under_load
from lab.state_files import write_json
from lab.wait import wait_until

NODES = 6
SLOTS = 3000
BURST = 500
BURST_RUNS = 5
ROUTE53_NEGATIVE_TTL_SECONDS = 900
"""Of a zone whose SOA nobody lowered."""
READ_DISTANCE_SECONDS = 21
"""A little more than nodeway_runtime.model.ownership.SECONDS_BETWEEN_READS."""
NEVER = f"demo-0998-001.{layout.ZONE}"
ASKED = f"demo-0999-001.{layout.ZONE}"


def asked_too_early(world: World) -> Figures:
    """The trap: a name asked before it exists stays lost for its VPC's resolver; ours, with a low SOA, comes back."""
    seen: Figures = {"asked": look_up(world, ASKED)}
    with also_in_public_dns(world, ASKED, NEVER):
        seen["asked_too_early_still"] = look_up(world, ASKED)
        seen["never_asked_before"] = look_up(world, NEVER)
    ours = f"demo-0997-001.{layout.ZONE}"
    seen["in_our_zone_before"] = look_up(world, ours, side="client")
    record = record_set(ours, "10.20.1.250")
    began = time.monotonic()
    with records_in_zone(Product().outputs["HostedZoneId"], record):
        wait_until(
            lambda: look_up(world, ours, side="client") == "10.20.1.250",
            timeout_seconds=60,
            what=f"{ours} to be known in the client's network",
        )
        seen["in_our_zone_after_seconds"] = round(time.monotonic() - began, 2)
    expect(seen["asked"] == seen["asked_too_early_still"] == "", "the trap must be real", seen)
    expect(seen["never_asked_before"] != "", "the name must exist by then", seen)
    expect(
        seen["in_our_zone_after_seconds"] < ROUTE53_NEGATIVE_TTL_SECONDS / 10,
        "our zone's names must be known long before Route 53's own negative TTL",
        seen,
    )
    return seen


def scale_out_without_deploy(world: World) -> Figures:
    """A shard is announced: its stand-ins run before its nodes do, and lead to them seconds after ElastiCache says so.

    ElastiCache moves slots to new nodes some time after it calls them available; here it is as soon as they answer
    through their names.
    """
    product = Product()
    with under_load(world, "scale-out-early") as load:
        shard = world.cluster.announce_shard()
        names = [n.hostname for n in world.cluster.nodes if n.shard == shard]
        product.resync()
        prepared = wait_until(
            lambda: set(names) <= product.records().keys(),
            timeout_seconds=240,
            what=f"records for {', '.join(names)}",
        )
        world.cluster.bring_up_shard(shard)
        available = time.monotonic()
        publish_notification(product, "ElastiCache:CacheClusterProvisioningComplete")
        wait_until(
            lambda: all(is_answering(world, name) for name in names),
            timeout_seconds=180,
            what=f"{', '.join(names)} to answer in the client's network",
        )
        answering = time.monotonic() - available
        moved = world.cluster.move_slots(shard, SLOTS)
        load.wait_for_writes(100)
        first_write = time.monotonic() - available
        load.wait_for_writes(2000)
    early = [
        q for q in read_proxy_queries(world) if q["name"] in names and q["rcode"] == "NXDOMAIN"
    ]
    seen: Figures = {
        "shard": shard,
        "records_before_available": bool(prepared),
        "slots_moved": moved,
        "seconds_from_available_to_answers": round(answering, 2),
        "seconds_from_available_to_writes": round(first_write, 2),
        "real_names_asked_too_early": len(early),
        "stand_ins": len([p for p in product.proxies() if p.stand_in]),
        **load.figures,
    }
    expect(seen["stand_ins"] == len(names), "one stand-in for each new node", seen)
    expect(not early, "nothing of ours may ask for a node's name before it exists", seen)
    expect(set(names) <= set(seen["nodes"]), "the client must use the new nodes", seen)
    expect(
        seen["errors"] == 0 and seen["lost_acknowledged"] == 0, "without an error or a loss", seen
    )
    return seen


def publish_notification(product: Product, event: str) -> None:
    """Publish ElastiCache's notification to the topic of the deploy."""
    client("sns").publish(
        TopicArn=product.outputs["NotificationTopic"], Message=json.dumps({event: "demo"})
    )


def is_answering(world: World, name: str) -> bool:
    """Whether a node answers TLS, with a certificate for its name, to a program in the client's network."""
    code = (
        "import os,socket,ssl,sys\n"
        "context = ssl.create_default_context(cafile=os.environ['LAB_CA_FILE'])\n"
        "with socket.create_connection((sys.argv[1], 6379), 2) as raw:\n"
        "    with context.wrap_socket(raw, server_hostname=sys.argv[1]) as s:\n"
        "        s.sendall(b'PING\\r\\n'); sys.exit(not s.recv(64))\n"
    )
    return world.client([sys.executable, "-c", code, name], check=False).returncode == 0


def stand_in_retired_after_deploy(world: World) -> Figures:
    """The next deploy gives the nodes their own HAProxies: records move there, then the stand-ins go."""
    product = Product()
    with under_load(world, "retire") as load:
        stand_ins = {p.address for p in product.proxies() if p.stand_in}
        aws.deploy("refresh=true")
        product.resync()

        def gone() -> bool:
            product.resync()
            return not [p for p in product.proxies() if p.stand_in]

        wait_until(gone, timeout_seconds=240, what="the stand-ins to be stopped")
        load.wait_for_writes(1000)
    used = {address for values in product.records().values() for address in values}
    steps = [line["step"].split(" ")[0] for line in product.log("stand-in")]
    seen: Figures = {"stand_ins": len(stand_ins), "steps": "".join(steps), **load.figures}
    expect(stand_ins, "there must have been stand-ins", seen)
    expect(not stand_ins & used, "no record may lead to a stand-in", seen)
    expect(steps[-1] == "-" and "~" in steps, "out of the records first, stopped then", seen)
    expect(
        seen["errors"] == 0 and seen["lost_acknowledged"] == 0, "without an error or a loss", seen
    )
    return seen


def scale_in_keeps_writes(world: World) -> Figures:
    """A shard leaves: its slots go first, its records after three reads without it, and nobody notices."""
    product = Product()
    with under_load(world, "scale-in") as load:
        shard = max(node.shard for node in world.cluster.nodes)
        names = [n.hostname for n in world.cluster.nodes if n.shard == shard]
        world.cluster.remove_shard(shard)
        first = count_records(product, names)
        began = time.monotonic()

        def gone() -> bool:
            product.resync()
            return not set(names) & product.records().keys()

        wait_until(gone, timeout_seconds=300, what=f"the records of {', '.join(names)} to go")
        seconds = time.monotonic() - began
        load.wait_for_writes(1000)
    seen: Figures = {
        "shard": shard,
        "kept_at_first": first,
        "seconds_until_gone": round(seconds, 1),
        "records": len(product.records()),
        **load.figures,
    }
    expect(first == len(names), "the first read without a node must keep its record", seen)
    expect(seconds >= READ_DISTANCE_SECONDS, "three reads take their time", seen)
    expect(
        seen["errors"] == 0 and seen["lost_acknowledged"] == 0, "without an error or a loss", seen
    )
    return seen


def node_ip_changes(world: World) -> Figures:
    """A node comes back at another address under its name: its HAProxy follows, the records stay."""
    product = Product()
    records = product.records()
    with under_load(world, "ip-changes") as load:
        killed = world.cluster.kill_primary("0003")
        world.cluster.wait_for_primary("0003", other_than=killed)
        world.cluster.restart_node(killed, new_address=True)
        world.cluster.failover("0003")
        load.wait_for_writes(2000)
        product.resync()
    seen: Figures = {"node": killed, **load.figures}
    expect(product.records() == records, "no record may move", seen)
    expect(len(seen["nodes"]) == NODES, "the client must use all nodes again", seen)
    return seen


def describe_throttled_changes_nothing(world: World) -> Figures:
    """ElastiCache refuses to answer: nothing is deleted, nothing moves."""
    fault = {"Code": "Throttling", "Message": "Rate exceeded", "Status": 400}
    return run_with_wrong_answer(world, lambda truth: truth | {"Fault": fault})


def empty_answer_changes_nothing(world: World) -> Figures:
    """ElastiCache answers that there is no node: it is not believed."""

    def emptied(truth: dict[str, Any]) -> dict[str, Any]:
        group = truth["ReplicationGroups"][0] | {"MemberClusters": [], "NodeGroups": []}
        return truth | {"ReplicationGroups": [group], "CacheClusters": []}

    return run_with_wrong_answer(world, emptied)


def foreign_record_survives(world: World) -> Figures:
    """Somebody else's records in the zone are not ours, not even one that is called like a node."""
    del world
    product = Product()
    foreign = [
        record_set(f"demo-0555-001.{layout.ZONE}.", "10.9.9.9", ttl=60),
        record_set(f"text.{layout.ZONE}.", '"hello"', kind="TXT", ttl=60),
        record_set(f"alias.{layout.ZONE}.", "example.com", kind="CNAME", ttl=60),
    ]
    names = {one["Name"] for one in foreign}

    def there() -> list[dict[str, Any]]:
        zone_id = product.outputs["HostedZoneId"]
        zone = client("route53").list_resource_record_sets(HostedZoneId=zone_id)
        return [one for one in zone["ResourceRecordSets"] if one["Name"] in names]

    with records_in_zone(product.outputs["HostedZoneId"], *foreign):
        before = there()
        outcomes = [product.resync()["outcome"] for _ in range(3)]
        after = there()
    seen: Figures = {"outcomes": outcomes, "foreign_records": len(after)}
    expect(len(before) == len(foreign), "they must have been there", seen)
    expect(after == before, "each must be as it was", seen)
    return seen


def burst_of_500_events(_: World) -> Figures:
    """500 task events at once, delivered as EventBridge does: a few runs, not 500."""
    product = Product()
    function = client("lambda")
    before = len(product.log("run"))
    event = {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {"lastStatus": "RUNNING"},
    }
    for _number in range(BURST):
        name, payload = product.outputs["ResyncFunction"], json.dumps(event)
        function.invoke(FunctionName=name, InvocationType="Event", Payload=payload)

    def told() -> list[dict[str, Any]]:
        return [line for line in product.log("run")[before:] if line["trigger"] == "aws.ecs"]

    wait_until(
        lambda: len(told()) >= BURST, timeout_seconds=300, what=f"{BURST} events to be handled"
    )
    runs = [line for line in told() if line["outcome"] != "skipped"]
    seen: Figures = {"events": BURST, "runs": len(runs)}
    expect(0 < len(runs) <= BURST_RUNS, f"at most {BURST_RUNS} runs", seen)
    return seen


def run_with_wrong_answer(world: World, lie: Callable[[dict[str, Any]], dict[str, Any]]) -> Figures:
    """Run the function while ElastiCache answers something else: every record stays, and the client sees no error."""
    product = Product()
    records = product.records()
    path = world.run_dir / "elasticache.json"
    truth = json.loads(path.read_text())
    with under_load(world, "lie") as load:
        write_json(path, lie(truth))
        try:
            outcomes = [product.resync()["outcome"] for _ in range(3)]
            load.wait_for_writes(1000)
        finally:
            write_json(path, truth)
        outcomes.append(product.resync()["outcome"])
    seen: Figures = {"outcomes": outcomes, "records": len(product.records()), **load.figures}
    expect(product.records() == records, "every record must be as it was", seen)
    expect(
        seen["errors"] == 0 and seen["lost_acknowledged"] == 0, "without an error or a loss", seen
    )
    return seen


def count_records(product: Product, names: list[str]) -> int:
    """How many of these names have a record after one more run."""
    product.resync()
    return len(set(names) & product.records().keys())


def read_proxy_queries(world: World) -> list[dict[str, Any]]:
    """The queries of the proxy VPC's resolver, with their answers."""
    lines = (world.run_dir / "logs" / "resolver.log").read_text().splitlines()
    return [one for one in map(json.loads, lines) if one["view"] == "proxy"]


def look_up(world: World, name: str, *, side: str = "proxy") -> str:
    """The address that a program in that network gets for a name; empty when there is none."""
    code = (
        "import socket,sys\n"
        "try: print(socket.gethostbyname(sys.argv[1]))\n"
        "except socket.gaierror: print()"
    )
    argv = [sys.executable, "-c", code, name]
    return (world.client(argv) if side == "client" else world.beside_proxies(argv)).stdout.strip()


@contextmanager
def also_in_public_dns(world: World, *names: str) -> Iterator[None]:
    """Add these names to public DNS for the time of the block."""
    path = world.run_dir / "public_dns.json"
    before = json.loads(path.read_text())
    write_json(path, before | {name: ["10.30.1.250"] for name in names})
    try:
        yield
    finally:
        write_json(path, before)


def deployed(_: World) -> Figures:
    """The product, deployed by the real CDK CLI."""
    aws.deploy()
    return {"records": len(Product().records())}


SUITE: tuple[Scenario, ...] = (
    deployed,
    asked_too_early,
    describe_throttled_changes_nothing,
    empty_answer_changes_nothing,
    foreign_record_survives,
    burst_of_500_events,
    node_ip_changes,
    scale_out_without_deploy,
    stand_in_retired_after_deploy,
    scale_in_keeps_writes,
)
"""Each leaves the world as the next expects it."""
