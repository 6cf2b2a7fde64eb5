"""Scenarios of deploys: `cdk deploy`, a bad one, a rolling one and `cdk destroy`, while a client writes."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

from lab import layout
from lab.containers import container as containers
from lab.deployment import cdk as aws
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.observe import ecs as fleet
from lab.observe.inventory import added, inventory
from lab.scenarios.resync import look_up
from lab.scenarios.scenario import Figures, Scenario, client, expect, under_load
from lab.state_files import write_json
from lab.wait import wait_until

NODES = 6
PER_SHARD = 2
ADDED = "demo-0002-002"
"""The last of its shard to be replaced, so that no other service has to wait for it."""
RECORDS = "Custom::NodewayRecords"
NO_IMAGE = f"{layout.ACCOUNT}.dkr.ecr.{layout.REGION}.amazonaws.com/no-such-haproxy:2.8.25"
"""A mirror that nobody has made: what a wrong `image` looks like in practice."""
OTHER_IMAGE = "public.ecr.aws/docker/library/haproxy:2.8.24-alpine"
"""Another release, which the lab takes for the same programs."""
DRAINED_SECONDS = 300
"""ECS' longest stop timeout; a HAProxy without connections ends when its grace time has passed."""


def deployed(world: World) -> Figures:
    """The product, deployed by the real CDK CLI, while one node is not there yet."""
    aws.bootstrap()
    write_json(world.run_dir / "before.json", inventory())
    with without_node(world, ADDED):
        aws.deploy()
    return {"services": len(fleet.services(Product())), "records": len(Product().records())}


def change_one_node_changes_one_node(world: World) -> Figures:
    """A node more: `cdk diff` shows its service and task definition, and the deploy touches nothing else."""
    product, name = Product(), f"{ADDED}.{layout.ZONE}"
    before, tasks = fleet.services(product), fleet.service_tasks(product)
    with under_load(world, "one-node") as load:
        shown = list_changes(aws.diff("refresh=true"))
        began = datetime.now(UTC)
        aws.deploy(directory=aws.synthesized())
        load.wait_for_writes(500)
    after, started = fleet.services(product), fleet.service_tasks(product) - tasks
    touched = {(e.kind, e.stack) for e in fleet.events(product, began)}
    seen: Figures = {
        "diff": shown,
        "services": len(after),
        "untouched": sum(after.get(node) == one for node, one in before.items()),
        "tasks_started": len(started),
        "touched": sorted({kind for kind, _ in touched}),
        **load.figures,
    }
    added = [f"[+] {fleet.SERVICE}", f"[+] {fleet.DEFINITION}"]
    expect(
        [line for line in shown if RECORDS not in line] == added,
        "cdk diff must show one service and one task definition more, and nothing else",
        seen,
    )
    expect(after.keys() - before.keys() == {name}, f"{ADDED} must have a service now", seen)
    expect(seen["untouched"] == len(before), "ARN, revision and tasks of all others stay", seen)
    expect(started == after[name].tasks, "no other service may start a task", seen)
    expect(
        set(seen["touched"]) == {fleet.SERVICE, fleet.DEFINITION, RECORDS},
        "CloudFormation must touch this node's resources and the records only",
        seen,
    )
    expect(is_unbroken(seen), "without a failed write or a loss", seen)
    return seen


def bad_deploy_rolls_back(world: World) -> Figures:
    """An image that nobody can pull: the deploy fails with the reason and goes back; the old HAProxies go on."""
    product = Product()
    records, before = product.records(), fleet.services(product)
    with under_load(world, "bad-deploy") as load:
        began = datetime.now(UTC)
        done = aws.deploy(directory=aws.app_with(image=NO_IMAGE), check=False)
        load.wait_for_writes(500)
    failed = [e for e in fleet.events(product, began) if e.status.endswith("_FAILED")]
    states = {name: one["StackStatus"] for name, one in product.stacks().items()}
    seen: Figures = {
        "exit_code": done.returncode,
        "states": states,
        "reasons": sorted({event.reason for event in failed}),
        "records": len(product.records()),
        **load.figures,
    }
    nodes = {state for name, state in states.items() if "-nodes-" in name}
    expect(done.returncode != 0, "cdk must say that it failed", seen)
    expect("CannotPullContainerError" in done.stdout, "and why", seen)
    expect(nodes == {"UPDATE_ROLLBACK_COMPLETE"}, "the stack must go back", seen)
    expect({event.kind for event in failed} == {fleet.SERVICE}, "only services failed", seen)
    expect(fleet.services(product) == before, "every service is as before, tasks too", seen)
    expect(product.records() == records, "every record must be as it was", seen)
    expect(is_unbroken(seen), "without a failed write or a loss", seen)
    return seen


def rolling_change_goes_in_waves(world: World) -> Figures:
    """Another HAProxy image for all: in each shard one HAProxy after the other, and the records follow each."""
    product = Product()
    before = fleet.services(product)
    with under_load(world, "rolling") as load:
        began = datetime.now(UTC)
        aws.deploy(directory=aws.app_with(image=OTHER_IMAGE))
        load.wait_for_writes(1000)
    after = fleet.services(product)
    times = read_update_times(product, fleet.events(product, began))
    new = {proxy.node: str(proxy.address) for proxy in product.proxies() if proxy.healthy}
    seen: Figures = {
        "rolled": sum(not one.tasks & before[node].tasks for node, one in after.items()),
        "same_services": sum(one.arn == before[node].arn for node, one in after.items()),
        "waves": {shard: [node.split(".")[0] for node, _ in one] for shard, one in times.items()},
        "records": len(product.records()),
        **load.figures,
    }
    expect(seen["rolled"] == seen["same_services"] == NODES, "every service must roll", seen)
    expect(len(times) == NODES // PER_SHARD, "CloudFormation must tell of each shard", seen)
    for one in times.values():
        expect(len(one) == PER_SHARD, "each shard has two HAProxies", seen)
        expect(was_one_by_one(product, one, before, after), "one after the other", seen)
    expect(
        {node: product.records()[node] for node in new} == {n: (a,) for n, a in new.items()},
        "each record must lead to the new HAProxy",
        seen,
    )
    seen["works"] = client(world, "connect", "--expect", "ok")["ok"]
    expect(seen["works"] and is_unbroken(seen), "without a failed write or a loss", seen)
    return seen


def destroy_leaves_nothing(world: World) -> Figures:
    """`cdk destroy` takes the records, then everything else: every service of the account is as it was before."""
    names = [*Product().records()]
    hidden = {name: look_up(world, name, side="client") for name in names}
    aws.destroy(directory=aws.synthesized())
    left = added(json.loads((world.run_dir / "before.json").read_text()), inventory())
    true = {name: look_up(world, name) for name in names}
    wait_until(
        lambda: all(look_up(world, name, side="client") == true[name] for name in names),
        timeout_seconds=60,
        what="the client to be told the true addresses",
    )
    wait_until(
        lambda: not containers.running(world.run_dir),
        timeout_seconds=DRAINED_SECONDS,
        what="the last HAProxy to end",
    )
    late = added(json.loads((world.run_dir / "before.json").read_text()), inventory())
    seen: Figures = {"left": left, "left_later": late, "names": len(names)}
    expect(len(names) == NODES + 1, "the names must have been there", seen)
    expect(not set(hidden.values()) & set(true.values()), "and have led to HAProxies", seen)
    expect(not left, "nothing of ours may be left", seen)
    expect(not late, "nor come back by itself, as a log group can", seen)
    return seen


def is_unbroken(seen: Figures) -> bool:
    """Whether a client that retries once had no failed write, and lost none."""
    return bool(seen["failed"] == 0 and seen["lost_acknowledged"] == 0)


def list_changes(diff: str) -> list[str]:
    """The resources that `cdk diff` shows: sign and type, sorted."""
    return sorted(
        " ".join(found) for found in re.findall(r"^(\[[-+~]\]) (\w+::[\w:]+)", diff, re.MULTILINE)
    )


Times = list[tuple[str, dict[str, datetime]]]


def read_update_times(product: Product, told: list[fleet.Event]) -> dict[str, Times]:
    """When each service's update began and was complete, by shard, in the order of their begin."""
    node_of = fleet.logical_ids(product)
    nodes: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for event in told:
        if event.kind == fleet.SERVICE and event.status.startswith("UPDATE_"):
            nodes[node_of[event.logical_id]][event.status] = event.at
    shards: defaultdict[str, Times] = defaultdict(list)
    for node, times in sorted(nodes.items(), key=lambda one: min(one[1].values())):
        shards[node.split("-")[1]].append((node, times))
    return dict(shards)


def was_one_by_one(
    product: Product,
    times: Times,
    before: dict[str, fleet.NodeService],
    after: dict[str, fleet.NodeService],
) -> bool:
    """Whether a shard's HAProxies were replaced one after the other, for CloudFormation and for ECS."""
    in_order = all(
        first["UPDATE_COMPLETE"] <= second["UPDATE_IN_PROGRESS"]
        for (_, first), (_, second) in pairwise(times)
    )
    lives = []
    for node, _ in times:
        began = [t["createdAt"] for t in fleet.describe_tasks(product, [*after[node].tasks])]
        ended = [t["stoppingAt"] for t in fleet.describe_tasks(product, [*before[node].tasks])]
        lives.append((min(began), max(ended)))
    return in_order and all(ended <= began for (_, ended), (began, _) in pairwise(lives))


@contextmanager
def without_node(world: World, name: str) -> Iterator[None]:
    """Leave a node out of ElastiCache's answers for the time of the block."""
    path = world.run_dir / "elasticache.json"
    truth = json.loads(path.read_text())
    group = json.loads(json.dumps(truth["ReplicationGroups"][0]))
    group["MemberClusters"].remove(name)
    for shard in group["NodeGroups"]:
        members = shard["NodeGroupMembers"]
        shard["NodeGroupMembers"] = [one for one in members if one["CacheClusterId"] != name]
    others = [one for one in truth["CacheClusters"] if one["CacheClusterId"] != name]
    write_json(path, truth | {"ReplicationGroups": [group], "CacheClusters": others})
    try:
        yield
    finally:
        write_json(path, truth)


SUITE: tuple[Scenario, ...] = (
    deployed,
    change_one_node_changes_one_node,
    bad_deploy_rolls_back,
    rolling_change_goes_in_waves,
    destroy_leaves_nothing,
)
"""Each leaves the world as the next expects it."""
