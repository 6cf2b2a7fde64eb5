"""Stage 4: what no plan may do. Each rule is proven needed: without it, its case goes through."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.ownership import Marker, marker_record
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Fleet, Record, RecordType, Topology, address, hostname
from nodeway_runtime.planner.guard import (
    RULES,
    Evidence,
    Rule,
    absent_in_few_reads_stays,
    check,
    clients_zone_is_not_the_proxies,
    empty_changes_nothing,
    foreign_record_stays,
    incomplete_forbids_deletes,
    last_address_of_a_live_node_stays,
    nothing_healthy_changes_nothing,
    other_zones_name_stays_out,
)
from nodeway_runtime.planner.plan import Plan
from tests.support.fakes import (
    NOW,
    ONE,
    OWNER,
    THREE,
    TWO,
    fleet,
    marked,
    named,
    proxy,
    record,
    settings,
    snapshot,
    soa,
    topology,
)

HEALTHY = fleet(proxy(ONE, "10.20.1.5"))
SICK = fleet(proxy(ONE, "10.20.1.5", healthy=False))
OLD, NEW = record(ONE, "10.20.1.4"), record(ONE, "10.20.1.5")
MOVE = Update(OLD, NEW, "")
GROW = Update(OLD, record(ONE, "10.20.1.4", "10.20.1.5"), "")
LOWER_SOA = Update(soa(), soa(ttl=5), "")
UNREAD = topology(ONE, problems=("a page is missing",))
TAKE_OVER = settings(take_over=True)
MINUTE_AGO = NOW - timedelta(seconds=60)
PIN = {named(ONE): (address("10.20.1.5"),)}
STRANGE = Record.a(hostname("demo-0001-001.elsewhere.example"), [address("10.20.1.5")], 5)


def absent(*labels: str, reads: int = 2) -> tuple[Record, ...]:
    """Names of ours whose nodes were absent in that many reads before."""
    records = (record(label, f"10.20.9.{n + 1}") for n, label in enumerate(labels))
    return marked(*records, since=MINUTE_AGO, reads=reads)


def deletes(records: tuple[Record, ...]) -> tuple[Delete, ...]:
    return tuple(Delete(one, "") for one in records)


def seen(
    there: Topology,
    *records: Record,
    running: Fleet = HEALTHY,
    told: Settings | None = None,
    **more: Any,  # noqa: ANN401 (the observation's other fields)
) -> Evidence:
    """What the rules may look at."""
    return Evidence.of(snapshot(there, running, *records, **more), told or settings())


LOOP: dict[str, Any] = {
    "zone_vpcs": frozenset({"vpc-0000000a"}),
    "told": settings(proxy_vpc_id="vpc-0000000a"),
}
LEFT = absent(THREE)
ONCE = absent(THREE, reads=1)
LIVE = marked(record(TWO, "10.20.1.6"), since=MINUTE_AGO, reads=2)

# one for each of RULES: a new rule comes with the case that it exists for
NEEDED: dict[Rule, tuple[Change, Evidence, str]] = {
    clients_zone_is_not_the_proxies: (
        Create(NEW, ""),
        seen(topology(ONE), **LOOP),
        "the zone is associated with the HAProxies' own VPC vpc-0000000a",
    ),
    empty_changes_nothing: (
        Create(NEW, ""),
        seen(topology()),
        "the topology that was read has no node with an endpoint",
    ),
    nothing_healthy_changes_nothing: (
        MOVE,
        seen(topology(ONE), *marked(OLD), running=SICK),
        "no proxy at all is healthy",
    ),
    incomplete_forbids_deletes: (
        Delete(LEFT[0], ""),
        seen(topology(ONE, problems=("page 2 was throttled",)), *LEFT),
        "the read was incomplete: page 2 was throttled",
    ),
    last_address_of_a_live_node_stays: (
        Delete(LIVE[0], ""),
        seen(topology(ONE, TWO), *LIVE),
        "it is the last address of a live node",
    ),
    absent_in_few_reads_stays: (
        Delete(ONCE[0], ""),
        seen(topology(ONE), *ONCE),
        "its node was absent in 1 complete reads before this one, not 2",
    ),
    foreign_record_stays: (
        MOVE,
        seen(topology(ONE), OLD),
        "it has no marker of ours; take it over with -c take_over=true",
    ),
    other_zones_name_stays_out: (
        Create(STRANGE, ""),
        seen(topology(ONE)),
        "it is not a name of the zone demo.abc123.use1.cache.amazonaws.com",
    ),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_check_refuses_the_case_of_each_rule_and_no_other_rule_would(rule: Rule) -> None:
    """The refusal names rule and reason; without the rule its case goes through: each one carries its weight."""
    change, evidence, reason = NEEDED[rule]

    verdict = check(Plan((change,)), evidence)
    without = check(Plan((change,)), evidence, tuple(r for r in RULES if r is not rule))

    assert verdict.plan.changes == ()
    assert [(r.change, r.rule, r.reason) for r in verdict.refusals] == [
        (change, rule.__name__, reason)
    ]
    assert (without.plan.changes, without.refusals) == ((change,), ())


def test_check_refuses_name_by_name() -> None:
    """A node that lost its last proxy does not stop another's record from being corrected."""
    plan = Plan((MOVE, *deletes(LIVE)))

    verdict = check(plan, seen(topology(ONE, TWO), *marked(OLD), *LIVE))

    assert verdict.plan.changes == (MOVE,)
    assert [r.change for r in verdict.refusals] == list(deletes(LIVE))


def test_check_never_parts_a_name_from_its_marker() -> None:
    """A marker without a rule against it is refused with its name, for the name's reason."""
    pair = (Create(marker_record(named(ONE), Marker(OWNER), 5), ""), MOVE)

    verdict = check(Plan(pair), seen(topology(ONE), OLD, running=SICK, told=TAKE_OVER))

    assert verdict.plan.changes == ()
    assert {(r.rule, r.reason) for r in verdict.refusals} == {
        ("nothing_healthy_changes_nothing", "no proxy at all is healthy")
    }
    assert tuple(r.change for r in verdict.refusals) == pair


def test_check_lets_an_absence_end_though_the_record_is_refused() -> None:
    """Else the count would go on from before, at the next read without the node."""
    old, back = marked(OLD, since=NOW, reads=2)[1], marked(OLD)[1]
    pair = (MOVE, Update(old, back, "its node is there again"))

    verdict = check(Plan(pair), seen(UNREAD, OLD, old))

    assert verdict.plan.changes == pair[1:]
    assert [r.change for r in verdict.refusals] == [MOVE]


COUNT = Update(marked(OLD)[1], marked(OLD, since=NOW, reads=1)[1], "")
FORGET = Update(COUNT.new, COUNT.old, "")
OURS_NOW = Update(marked(OLD, owner="x")[1], marked(OLD)[1], "")
OURS = seen(topology(ONE), *marked(OLD))
BLIND = seen(topology(ONE), *marked(OLD), running=fleet())
HALF_READ = seen(UNREAD, *marked(OLD))
PINNED = settings(pins=PIN)

ALLOWED: dict[str, tuple[Change, Evidence]] = {
    "SOA while nothing is known": (LOWER_SOA, seen(topology(), running=fleet(), **LOOP)),
    "more while nothing is healthy": (GROW, BLIND),
    "more while incomplete": (GROW, HALF_READ),
    "move": (MOVE, OURS),
    "delete of a node that is gone": (Delete(LEFT[0], ""), seen(topology(ONE), *LEFT)),
    "count": (COUNT, seen(topology(TWO), *marked(OLD))),
    "forget the count while nothing is healthy": (FORGET, BLIND),
    "forget the count while incomplete": (FORGET, HALF_READ),
    "take over what is nobody's": (MOVE, seen(topology(ONE), OLD, told=TAKE_OVER)),
    "take over another's": (MOVE, seen(topology(ONE), *marked(OLD, owner="x"), told=TAKE_OVER)),
    "take over a marker while incomplete": (OURS_NOW, seen(UNREAD, OLD, told=TAKE_OVER)),
    "create while incomplete": (Create(NEW, ""), seen(UNREAD)),
    "a zone of clients": (Create(NEW, ""), seen(topology(ONE), zone_vpcs=frozenset({"vpc-c"}))),
    # a pin is what a person sets when all else fails: it needs no source to agree
    "pin, unread": (MOVE, seen(topology(problems=("no answer",)), *marked(OLD), told=PINNED)),
    "pin, no nodes": (MOVE, seen(topology(), *marked(OLD), told=PINNED)),
    "pin, nothing healthy": (MOVE, seen(topology(ONE), *marked(OLD), running=SICK, told=PINNED)),
}


@pytest.mark.parametrize(("change", "observed"), ALLOWED.values(), ids=ALLOWED)
def test_check_allows_what_hurts_nobody(change: Change, observed: Evidence) -> None:
    """The guard is no reason for records to be stale."""
    assert check(Plan((change,)), observed).plan.changes == (change,)


TASK_UNREAD = fleet(proxy(ONE, "10.20.1.5"), problems=("a task was not described",))
PINNED_LOOP = LOOP | {"told": settings(pins=PIN, proxy_vpc_id="vpc-0000000a")}
REFUSED: dict[str, tuple[Evidence, Rule]] = {
    "topology unread": (HALF_READ, incomplete_forbids_deletes),
    "fleet unread": (
        seen(topology(ONE), *marked(OLD), running=TASK_UNREAD),
        incomplete_forbids_deletes,
    ),
    "zone unread": (
        seen(topology(ONE), *marked(OLD), other_problems=("the VPCs were not told",)),
        incomplete_forbids_deletes,
    ),
    "pin of a foreign name": (seen(topology(ONE), OLD, told=PINNED), foreign_record_stays),
    "pin that makes a loop": (
        seen(topology(ONE), *marked(OLD), **PINNED_LOOP),
        clients_zone_is_not_the_proxies,
    ),
}


@pytest.mark.parametrize("change", [MOVE, COUNT], ids=["an address", "a count towards a delete"])
@pytest.mark.parametrize(("observed", "rule"), REFUSED.values(), ids=REFUSED)
def test_check_refuses_what_takes_away(change: Change, observed: Evidence, rule: Rule) -> None:
    """An update that drops an address is a removal, and so is a read that would be counted; a pin excuses neither."""
    assert [r.rule for r in check(Plan((change,)), observed).refusals] == [rule.__name__]


@pytest.mark.parametrize("marker", [False, True], ids=["no marker", "another's marker"])
@pytest.mark.parametrize(
    "change",
    [MOVE, Delete(OLD, ""), Create(marked(OLD)[1], "")],
    ids=["update", "delete", "marker"],
)
def test_check_leaves_foreign_names_whole(change: Change, *, marker: bool) -> None:
    """Whatever the change; the reason says whose it is and what to do."""
    theirs = marked(OLD, owner="nodeway/other/demo", since=MINUTE_AGO, reads=3)
    evidence = seen(topology(TWO), *(theirs if marker else (OLD,)))

    (refusal,) = check(Plan((change,)), evidence, (foreign_record_stays,)).refusals

    why = "it belongs to nodeway/other/demo" if marker else "it has no marker of ours"
    assert refusal.reason == f"{why}; take it over with -c take_over=true"


@pytest.mark.parametrize("name", [named(ONE), f"_nodeway.{named(ONE)}"], ids=["name", "marker"])
def test_check_leaves_a_name_whose_way_is_barred_even_when_it_may_take_over(name: str) -> None:
    """A CNAME, an alias or a text of somebody's: Route 53 would refuse the whole batch, every other name with it."""
    barred = Record(hostname(name), RecordType.OTHER, ("CNAME",), 0)
    pair = tuple(Create(one, "") for one in marked(NEW))
    other = tuple(Create(one, "") for one in marked(record(TWO, "10.20.1.6")))

    verdict = check(Plan((*pair, *other)), seen(topology(ONE, TWO), barred, told=TAKE_OVER))

    assert verdict.plan.changes == other
    assert {r.rule for r in verdict.refusals} == {"foreign_record_stays"}
    why = "a record set of another kind is in its way; take that away or move it"
    assert {r.reason for r in verdict.refusals} == {why}


def cluster_of(count: int, gone: int) -> tuple[Topology, tuple[Record, ...], Plan]:
    """A cluster of that many nodes of which the last are gone, its records, and the plan to delete theirs."""
    labels = [f"demo-{n:04}-001" for n in range(count)]
    left = absent(*labels[count - gone :])
    here = marked(*(record(label, "10.20.1.5") for label in labels[: count - gone]))
    return topology(*labels[: count - gone]), (*here, *left), Plan(deletes(left))


@pytest.mark.parametrize(
    ("count", "gone", "allowed"),
    [
        (2, 1, True),
        (3, 1, True),
        (3, 2, False),
        (6, 1, True),
        (6, 2, False),
        (7, 2, True),
        (10, 3, True),
        (10, 4, False),
        (500, 150, True),
        (500, 151, False),
    ],
)
def test_check_lets_a_run_delete_a_node_or_three_in_ten(
    count: int, gone: int, *, allowed: bool
) -> None:
    """A cluster of two can shrink; most of a cluster cannot vanish in one run."""
    there, records, plan = cluster_of(count, gone)

    verdict = check(plan, seen(there, *records))

    assert (verdict.plan == plan) is allowed
    assert {r.rule for r in verdict.refusals} == (
        set() if allowed else {"mass_delete_needs_approval"}
    )
    assert len(verdict.plan.changes) + len(verdict.refusals) == len(plan.changes)


def test_check_counts_only_our_own_names_as_the_cluster() -> None:
    """Another deployment's names in the zone do not make room for more deletes."""
    there, records, plan = cluster_of(6, 2)
    theirs = marked(*(record(f"other-{n}", "10.66.0.1") for n in range(20)), owner="another")

    assert check(plan, seen(there, *records, *theirs)).plan.changes == ()


def test_check_deletes_many_when_exactly_these_are_approved() -> None:
    """The refusal's own words say what to approve; the same deletes then go, whenever they were counted."""
    there, records, plan = cluster_of(6, 4)
    reason = check(plan, seen(there, *records)).refusals[0].reason
    checksum = reason.rpartition("approve=")[2]

    verdict = check(plan, seen(there, *records, told=settings(approve=checksum)))

    assert reason == (
        "4 deletes of 6 records in one run, and 1 are allowed;"
        f" if they are right: approve={checksum}"
    )
    assert verdict.plan == plan
    assert verdict.refusals == ()


@pytest.mark.parametrize("gone", [3, 5], ids=["fewer", "more"])
def test_check_approves_no_other_deletes(gone: int) -> None:
    """An approval is for one set of names and addresses, and used up with it."""
    reviewed = Plan(tuple(d for d in cluster_of(6, 4)[2].deletes if d.record.type == "A"))
    there, records, plan = cluster_of(6, gone)

    verdict = check(plan, seen(there, *records, told=settings(approve=reviewed.checksum)))

    assert verdict.plan.changes == ()


def test_check_goes_on_with_everything_else_while_deletes_wait_for_approval() -> None:
    """Creates and updates are not held back, and deletes that another rule refused are not counted."""
    there, records, plan = cluster_of(6, 2)
    move = Update(record("demo-0000-001", "10.20.1.5"), record("demo-0000-001", "10.20.1.9"), "")
    more = Create(record("demo-0009-001", "10.20.1.9"), "")
    grown = replace(there, nodes=(*there.nodes, *topology("demo-0009-001").nodes))

    verdict = check(Plan((more, move, *plan.changes)), seen(grown, *records))

    assert verdict.plan.changes == (more, move)


def test_check_does_not_count_what_is_refused_anyway() -> None:
    """One delete that may go, and one that may not, is one delete."""
    there, records, plan = cluster_of(3, 1)
    live = Delete(records[0], "")

    verdict = check(Plan((*plan.changes, live)), seen(there, *records))

    assert verdict.plan == plan
    assert [r.rule for r in verdict.refusals] == ["last_address_of_a_live_node_stays"]
