"""The HAProxies' tasks as a fault needs them: by address, by age, replaced. It looks and acts through the ECS API."""

from lab import layout
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.errors import LabError
from lab.observe.ecs import describe_tasks
from lab.observe.haproxies import held
from lab.scenarios.basics import restarts_in_place
from lab.wait import wait_until

RESTARTABLE_SECONDS = 90
"""More than ECS's minute, in which it does not start a container again."""


def task_at(product: Product, address: str) -> str:
    """The ARN of the task that has an address; raises LabError when none has."""
    pages = (
        client("ecs").get_paginator("list_tasks").paginate(cluster=product.outputs["EcsCluster"])
    )
    for page in pages:
        for told in describe_tasks(product, page["taskArns"]):
            details = {d["name"]: d["value"] for a in told["attachments"] for d in a["details"]}
            if details.get("privateIPv4Address") == address:
                return str(told["taskArn"])
    msg = f"no task has the address {address}"
    raise LabError(msg)


def busiest(world: World, among: tuple[str, ...]) -> str:
    """The address whose HAProxy has the most sessions now: the one that is missed."""
    return max(among, key=lambda address: held(world.run_dir, {address}).sessions)


def aged(world: World, address: str) -> None:
    """Waits until the HAProxy at an address runs long enough to be started again in its task; raises LabError."""
    wait_until(
        lambda: restarts_in_place(world.run_dir, address),
        timeout_seconds=RESTARTABLE_SECONDS,
        what=f"the HAProxy at {address} to be old enough for a restart in its task",
    )


def stop_task(product: Product, address: str) -> None:
    """ECS stops the task at an address, and its service starts another elsewhere."""
    arn = task_at(product, address)
    client("ecs").stop_task(cluster=product.outputs["EcsCluster"], task=arn, reason="lab: fault")


def primary_name(world: World, shard: str) -> str:
    """The host name of the node that leads a shard."""
    return world.cluster.state.node(world.cluster.primaries()[shard]).hostname


def addresses(product: Product, name: str, *, count: int) -> tuple[str, ...]:
    """The addresses that a node's name has now; raises LabError unless they are so many."""
    found = product.records()[name]
    if len(found) != count:
        msg = f"{name} has {len(found)} HAProxies; this fault is played with {count} (zone {layout.ZONE})"
        raise LabError(msg)
    return found


def gone_from_records(product: Product, *old: str, count: int, timeout_seconds: float) -> None:
    """Waits until no record leads to these addresses, and each node has so many others."""

    def moved() -> bool:
        records = product.records()
        nodes = [
            values for name, values in records.items() if name != layout.CONFIGURATION_ENDPOINT
        ]
        used = {address for values in records.values() for address in values}
        return not used & set(old) and all(len(values) == count for values in nodes)

    wait_until(
        moved, timeout_seconds=timeout_seconds, what=f"the records to have left {', '.join(old)}"
    )
