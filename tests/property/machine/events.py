"""What can happen to a world, one function each: to the nodes, to the HAProxies, to the zone, to AWS itself."""

from collections.abc import Callable
from dataclasses import replace

from nodeway_runtime.model.topology import Hostname, hostname
from tests.property.machine.foreign import LABELS, somebody_changes, somebody_writes
from tests.property.machine.world import World
from tests.support.fake_aws.ecs import Task
from tests.support.fake_aws.elasticache import Member, View
from tests.support.fakes import ZONE, named

ELSEWHERE = "demo.other999.use1.cache.amazonaws.com"


def label_of(world: World, number: int) -> str | None:
    there = sorted(world.elasticache.members)
    return there[number % len(there)] if there else None


def node_is_added(world: World, number: int) -> None:
    """A member is being created; ElastiCache shows no endpoint of it."""
    label = LABELS[number % len(LABELS)]
    if label not in world.elasticache.members:
        zone, now = f"us-east-1{'abc'[number % 3]}", world.clock.timestamp()
        world.elasticache.put(Member(label, named(label), zone, since=now))
        world.announced.add(named(label))


def node_is_available(world: World, number: int) -> None:
    """Its endpoint is shown from now on."""
    hidden = sorted(m.cache_cluster_id for m in world.members if not m.shown)
    if hidden:
        world.elasticache.become(hidden[number % len(hidden)], "available", shown=True)


def scales_out(world: World, number: int) -> None:
    """A member is there, with its endpoint."""
    node_is_added(world, number)
    label = LABELS[number % len(LABELS)]
    if not world.elasticache.members[label].shown:
        world.elasticache.become(label, "available", shown=True)


def scales_in(world: World, number: int) -> None:
    """Half of the members are gone."""
    for label in sorted(world.elasticache.members)[number % 2 :: 2]:
        del world.elasticache.members[label]


def all_are_available(world: World, number: int) -> None:
    """Every endpoint is shown, and perhaps a deployment follows."""
    for label in sorted(world.elasticache.members):
        world.elasticache.become(label, "available", shown=True)
    if number % 2 and all(m.hostname.endswith(ZONE) for m in world.members):
        is_deployed(world, 1)


def node_is_hidden(world: World, number: int) -> None:
    """A member that is being modified may lose its endpoint for a while."""
    label = label_of(world, number)
    if label and len(world.members) > number % 3 and world.elasticache.members[label].shown:
        world.elasticache.become(label, "modifying", shown=False)


def node_leaves(world: World, number: int) -> None:
    """First `deleting`, then gone."""
    label = label_of(world, number)
    if label is None:
        return
    if world.elasticache.members[label].status != "deleting":
        world.elasticache.become(label, "deleting", shown=bool(number % 2))
    else:
        del world.elasticache.members[label]


def node_is_gone(world: World, number: int) -> None:
    """From one moment to the next."""
    label = label_of(world, number)
    if label is not None:
        del world.elasticache.members[label]


def node_is_replaced(world: World, number: int) -> None:
    """The same id, created again in another zone."""
    label = label_of(world, number)
    if label is not None:
        old = world.elasticache.members[label]
        world.elasticache.put(Member(old.cache_cluster_id, named(label), "us-east-1c"))


def node_is_renamed(world: World, number: int) -> None:
    """Its name is no longer its id and the zone; it may even be in another zone."""
    label = label_of(world, number)
    if label is not None and number % 3 == 0 and world.elasticache.members[label].shown:
        domain = ELSEWHERE if number % 5 == 0 else ZONE
        name = hostname(f"odd-{label}.{domain}")
        world.elasticache.put(replace(world.elasticache.members[label], hostname=name))
        world.announced.add(name)


def fails_over(world: World, number: int) -> None:
    """Cluster mode shows nothing of it but another order."""
    world.elasticache.turned += number


def is_deployed(world: World, number: int) -> None:
    """Services for the nodes that are known now: one HAProxy each, or two."""
    known = [m.hostname for m in world.members if m.shown]
    world.ecs.services = dict.fromkeys(known, 1 + (number % 4 == 0))
    world.ecs.keep_services()


def old_deploy(world: World, number: int) -> None:
    """A deployment that knew only some of them."""
    is_deployed(world, 1)
    for name in sorted(world.ecs.services)[number % 3 :]:
        del world.ecs.services[name]
    world.ecs.keep_services()


def a_task(world: World, number: int) -> Task | None:
    """One that runs."""
    there = sorted(world.ecs.running, key=lambda task: task.arn)
    return there[number % len(there)] if there else None


def task_dies(world: World, number: int) -> None:
    """Its service starts another, with another address, when time goes by."""
    task = a_task(world, number)
    if task is not None:
        task.stopped = True


def task_hangs(world: World, number: int) -> None:
    """Its health check speaks against it."""
    task = a_task(world, number)
    if task is not None and task.healthy(world.clock.timestamp()):
        task.hung_at = world.clock.timestamp()


def all_tasks_hang(world: World, number: int) -> None:
    """No HAProxy anywhere is healthy."""
    for task in world.ecs.running:
        task.hung_at = task.hung_at or world.clock.timestamp() - number % 20


def task_is_replaced(world: World, number: int) -> None:
    """A rolling update: the new one runs beside the old one, which then goes."""
    own = sorted((t for t in world.ecs.running if not t.stand_in), key=lambda task: task.arn)
    if own:
        old = own[number % len(own)]
        if sum(t.node == old.node for t in own) > world.ecs.services.get(Hostname(old.node), 0):
            old.stopped = True
        else:
            world.ecs.begin(old.node)


def time_passes(world: World, number: int) -> None:
    """ECS keeps its services meanwhile."""
    world.clock.advance(number)
    world.ecs.keep_services()


def name_is_pinned(world: World, number: int) -> None:
    """Or no longer."""
    name = named([*LABELS, "static"][number % 9])
    unpin = name in world.settings.pins or number % 2 == 0
    world.pin(name, None if unpin else f"10.77.0.{number + 1}")


def aws_tells(world: World, number: int, view: View) -> None:
    """What ElastiCache shows for the next runs; a lie must be short, since three equal reads are believed."""
    world.elasticache.view = view
    world.views_left = 1 if view is View.LIE else 1 + number % 3


def ecs_is_unsure(world: World, number: int) -> None:
    """At the next run, about one task."""
    world.ecs.unsure = number > 0


BETWEEN_CALLS: tuple[Callable[[World, int], None], ...] = (
    node_is_added,
    node_is_available,
    node_is_hidden,
    node_is_gone,
    is_deployed,
    task_dies,
    task_hangs,
    somebody_writes,
    somebody_changes,
)
"""What may happen while a run is under way."""
