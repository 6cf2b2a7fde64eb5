"""What holds after every step of the machine, whatever has happened; each function is one promise.

They look at the world's truth (the fakes and the ledger), never at what the program believes.
"""

from collections.abc import Callable

from nodeway_runtime.model.changes import Delete, Update
from nodeway_runtime.model.ownership import markers_by_name
from nodeway_runtime.model.topology import Hostname, RecordType
from nodeway_runtime.planner.guard import MASS_DELETE_SHARE
from tests.property.machine.watched import PARKING, Run
from tests.property.machine.world import World
from tests.support.fakes import ENDPOINT

SECONDS_OF_ABSENCE = 40
"""Between the first and the third of three reads that are 20 seconds apart."""


def a_member_keeps_its_answer(world: World) -> None:
    """A name that was answered is answered while its node is a member."""
    there = {ENDPOINT, *(member.hostname for member in world.members)}
    for name in world.answered & there:
        assert world.values(name), f"{name} had an answer and has none, and its node is there"


def a_name_leads_to_its_own_node(world: World) -> None:
    """Never to another's HAProxy."""
    for name, values in world.ours().items():
        if name == ENDPOINT:
            continue
        for value in values:
            pinned = value in world.pinned.get(name, ())
            served = world.ecs.addresses.get(value)
            assert pinned or served == name, f"{name} leads to {value}, a HAProxy of {served}"


def one_stand_in_answers(world: World) -> None:
    """Or the other one would never leave the records, and never stop."""
    stand_ins = {task.address for task in world.ecs.tasks.values() if task.stand_in}
    for name, values in world.ours().items():
        assert name == ENDPOINT or len(stand_ins.intersection(values)) <= 1, f"{name}: {values}"


def the_endpoint_leads_to_nodes_that_serve(world: World) -> None:
    """What a client asks first must be able to answer: no node that is still being created."""
    for value in world.values(ENDPOINT) if world.owns(ENDPOINT) else ():
        node = world.ecs.addresses.get(value, "")
        assert node in world.elasticache.told, f"{ENDPOINT} leads to {value} of {node or 'nobody'}"


def foreign_records_are_as_they_were(world: World) -> None:
    """Byte for byte."""
    for at, one in world.foreign.items():
        assert world.zone.sets.get(at) == one, f"{at} was {one}, is {world.zone.sets.get(at)}"


def only_announced_names_have_records(world: World) -> None:
    """No name is made up."""
    assert world.ours().keys() <= world.announced


def deletes_stay_under_the_limit(world: World, run: Run) -> None:
    """More than a share of what is owned needs a person's word about exactly these."""
    plan = run.a_deletes
    owned = sum(one.owner == "nodeway" for one in markers_by_name(run.zone.seen).values())
    allowed = max(1, int(owned * MASS_DELETE_SHARE))
    approved = run.settings.approve == plan.checksum
    assert len(plan.changes) <= allowed or approved, f"{world.clock.now}: {plan} of {owned}"


def half_a_read_takes_nothing_away(world: World, run: Run) -> None:
    """Unknown is not empty."""
    if not run.incomplete or run.raced:
        return
    for change in run.zone.asked:
        gone = isinstance(change, Delete)
        less = (
            isinstance(change, Update)
            and change.old.type is RecordType.A
            and not set(change.old.values) <= set(change.new.values)
        )
        name = (change.old if isinstance(change, Delete) else change.new).name
        pinned = name in world.settings.pins
        assert pinned or not (gone or less), f"after half a read: {change}"


def a_blind_run_takes_nothing_away(world: World, run: Run) -> None:
    """No node at all, or no healthy HAProxy at all: far more likely a fault than the truth."""
    if run.blind and not run.raced:
        for change in run.zone.asked:
            assert not isinstance(change, Delete) or change.old.name in world.settings.pins, change


def only_the_soa_is_overwritten(world: World, run: Run) -> None:
    """Anything else is changed only if it is still what was read."""
    del run
    for change in (one for batch in world.zone.taken for one in batch):
        kind = change["ResourceRecordSet"]["Type"]
        assert change["Action"] != "UPSERT" or kind == "SOA", change


def a_stand_in_serves_once_its_node_does(world: World, run: Run) -> None:
    """A whole run that was shown the node's endpoint leads the stand-in there."""
    if run.outcome is None or run.raced or run.incomplete or not run.true or run.only_looked:
        return
    nodes = {m.hostname: m.cache_cluster_id for m in world.members if m.shown}
    for task in world.ecs.running:
        if task.stand_in and Hostname(task.node) in nodes:
            found = world.route53.zones["Z0PARK"].sets.get((f"{task.backend}.", "CNAME", ""), {})
            assert found.get("ResourceRecords") == [{"Value": task.node}], f"{task}: {found}"


def a_stand_in_drains_before_it_stops(world: World, run: Run) -> None:
    """Three TTLs after its address was last in a record."""
    three_ttls = 3 * run.settings.ttl_seconds
    for task in world.ecs.tasks.values():
        if task.stopped_by_us == run.at and not run.raced:
            since = run.at - world.resolved.get(task.address, 0.0)
            assert since >= three_ttls - task.late, f"{task} was resolved {since} s before"


def one_minute_starts_one_stand_in(world: World) -> None:
    """Whatever is lost or raced: a second call in the same minute is the same task."""
    minutes = ((t, t.asked_by // 60, t.started // 60) for t in world.ecs.tasks.values())
    started = [(t.node, run) for t, run, now in minutes if t.stand_in and run == now]
    assert len(set(started)) == len(started), f"started twice: {sorted(started)}"


def a_record_goes_only_after_three_reads_without_its_node(world: World, run: Run) -> None:
    """Reads that are 20 s apart, one after the other."""
    now, told = world.clock.timestamp(), world.shown
    for change in run.a_deletes.deletes:
        name = change.old.name
        by_name, by_id = told.get(name, 0.0), told.get(name.partition(".")[0], 0.0)
        seen = max(by_name, by_id)
        assert name != ENDPOINT
        assert now - seen >= SECONDS_OF_ABSENCE or run.raced, f"{name} seen {now - seen} s ago"


def one_stand_in_a_node(world: World) -> None:
    """Unless the other one hangs, or two runs raced and the next ones have not made it one again."""
    good = [t.node for t in world.ecs.running if t.stand_in and not retired(t) and not t.hung_at]
    twice = {node for node in good if good.count(node) > 1}
    assert world.unsettled or twice <= world.doubled, f"two stand-ins for {sorted(twice)}"
    world.stats["nodes with two stand-ins after a race"] += len(twice - world.doubled)
    world.doubled = twice


def stand_ins_stay_under_the_limit(world: World) -> None:
    """The limit is what a person pays for; only two runs that race may pass it, until their stand-ins go."""
    count = sum(task.stand_in for task in world.ecs.running)
    limit = max(world.settings.max_stand_ins, world.over_limit)
    assert world.unsettled or count <= limit, f"{count} stand-ins"
    world.over_limit = count


def nobody_asks_too_early(world: World) -> None:
    """Whoever asks for a name before it exists is told for 15 minutes that it does not."""
    for (name, kind, _), one in world.route53.zones["Z0PARK"].sets.items():
        if kind == "CNAME":
            target = one["ResourceRecords"][0]["Value"]
            assert target in world.elasticache.told, f"{name} leads to {target}, not yet there"


def a_stand_in_finds_its_backend(world: World) -> None:
    """While it runs, for a node that is there: a HAProxy without a backend's address serves nobody."""
    there = {
        at[0].removesuffix(".")
        for at in world.route53.zones["Z0PARK"].sets
        if at[1] in {"A", "CNAME"}
    }
    names = {member.hostname for member in world.members}
    for task in world.ecs.running:
        if task.stand_in and Hostname(task.node) in names and not world.unsettled:
            assert task.backend.endswith(PARKING)
            assert task.backend in there, f"{task.backend} of the stand-in {task.arn} is gone"


def retired(task: object) -> bool:
    """Whether a stand-in is on its way out."""
    return "nodeway:retired-at" in getattr(task, "tags", {})


ALWAYS: tuple[Callable[[World], None], ...] = (
    a_member_keeps_its_answer,
    a_name_leads_to_its_own_node,
    one_stand_in_answers,
    the_endpoint_leads_to_nodes_that_serve,
    foreign_records_are_as_they_were,
    only_announced_names_have_records,
    one_stand_in_a_node,
    stand_ins_stay_under_the_limit,
    nobody_asks_too_early,
    a_stand_in_finds_its_backend,
    one_minute_starts_one_stand_in,
)
OF_A_RUN: tuple[Callable[[World, Run], None], ...] = (
    deletes_stay_under_the_limit,
    half_a_read_takes_nothing_away,
    a_record_goes_only_after_three_reads_without_its_node,
    a_blind_run_takes_nothing_away,
    only_the_soa_is_overwritten,
    a_stand_in_serves_once_its_node_does,
    a_stand_in_drains_before_it_stops,
)


def check(world: World) -> None:
    """All of them, and then the ledger of this step is closed."""
    for run in world.runs:
        for promised in OF_A_RUN:
            promised(world, run)
    for always in ALWAYS:
        always(world)
    members = {member.hostname for member in world.members}
    ours = world.ours()
    world.answered = {n for n in (*members, ENDPOINT) if ours.get(n)}
    world.runs.clear()
