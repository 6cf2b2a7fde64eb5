"""What holds for every world that can be thought up."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from nodeway_runtime.model.changes import Create, Delete, Update
from nodeway_runtime.model.ownership import Marker, marker_record, markers_by_name, subject
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Fleet, Record, RecordType, Topology, address
from nodeway_runtime.planner.apply import apply
from nodeway_runtime.planner.desired import Desired, compute_desired
from nodeway_runtime.planner.guard import Evidence, check, clears_absence
from nodeway_runtime.planner.plan import Plan, diff
from nodeway_runtime.planner.reconcile import Outcome
from tests.support.fakes import (
    ENDPOINT,
    NOW,
    OWNER,
    ZONE,
    marked,
    named,
    node,
    only_addresses,
    proxy,
    record,
    settings,
    snapshot,
    soa,
    topology,
    world,
)
from tests.support.ports import FakeZone

NOBODY = topology()
LABELS = [f"demo-{shard:04}-{member:03}" for shard in (1, 2, 3) for member in (1, 2)]
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]

labels = st.sampled_from(LABELS)
ips = st.integers(1, 40).map(lambda n: address(f"10.20.0.{n}"))
problems = st.sampled_from([(), ("a page was not read",)])
members = st.builds(
    lambda label, zone, shown: node(
        label, zone=zone, status="available" if shown else "modifying", endpoint=shown
    ),
    labels,
    st.sampled_from(ZONES),
    st.booleans(),
)
topologies = st.builds(
    lambda nodes, said, endpoint: topology(*nodes, problems=said, endpoint=endpoint),
    st.lists(members, max_size=6, unique_by=lambda one: one.cache_cluster_id),
    problems,
    st.booleans(),
)
proxies = st.builds(
    lambda label, ip, zone, healthy: proxy(label, ip, zone=zone, healthy=healthy),
    labels,
    ips,
    st.sampled_from(ZONES),
    st.booleans(),
)
fleets = st.builds(
    lambda tasks, said: Fleet(tuple(tasks), said),
    st.lists(proxies, max_size=8, unique_by=lambda one: one.address),
    problems,
)
a_records = st.builds(
    Record.a,
    st.sampled_from([*map(named, LABELS), ENDPOINT, named("stranger")]),
    st.lists(ips, min_size=1, max_size=4),
    st.sampled_from([5, 60]),
)
beside = st.one_of(
    st.none(),
    st.just(Marker("another")),
    st.integers(0, 2).map(lambda n: Marker(OWNER, NOW - timedelta(hours=1) if n else None, n)),
)
"""What stands beside a name: nothing, another's marker, or ours."""


def pair(record: Record, marker: Marker | None) -> tuple[Record, ...]:
    """A name, and its marker if it has one."""
    return (record,) if marker is None else (record, marker_record(record.name, marker, 5))


zones = st.lists(
    st.builds(pair, a_records, beside), max_size=8, unique_by=lambda pair: pair[0].name
).map(lambda pairs: tuple(chain.from_iterable(pairs)))
all_settings = st.builds(
    lambda pins: settings(pins={named(label): tuple(values) for label, values in pins.items()}),
    st.dictionaries(
        st.sampled_from([*LABELS, "pinned"]), st.lists(ips, min_size=1, max_size=2), max_size=2
    ),
)


def plan(current: tuple[Record, ...], desired: tuple[Record, ...], seen: Topology = NOBODY) -> Plan:
    """What turns these records into those; no node has any of their names unless a test says so."""
    return diff(current, Desired(desired, {}, ()), seen, owner=OWNER, now=NOW)


def ours(records: tuple[Record, ...]) -> set[Record]:
    """The addresses that have our marker."""
    mine = {name for name, marker in markers_by_name(records).items() if marker.owner == OWNER}
    return {one for one in only_addresses(records) if one.name in mine}


@given(current=zones, desired=zones)
def test_applying_a_diff_reaches_the_desired_records(
    current: tuple[Record, ...], desired: tuple[Record, ...]
) -> None:
    """From any zone to any other in three reads; foreign names that nobody wants stay as they are."""
    zone = FakeZone(ZONE, current)

    for minute in range(3):
        now = NOW + timedelta(minutes=minute)
        wanted = Desired(desired, {}, ())
        apply(diff(zone.records(), wanted, NOBODY, owner=OWNER, now=now), zone, "property")

    names = {one.name for one in only_addresses(desired)}
    foreign = {one for one in only_addresses(current) - ours(current) if one.name not in names}
    assert only_addresses(zone.records()) == only_addresses(desired) | foreign


@given(current=zones, seen=topologies, running=fleets, wanted=all_settings, data=st.data())
def test_plan_is_the_same_in_whatever_order_things_were_read(
    current: tuple[Record, ...],
    seen: Topology,
    running: Fleet,
    wanted: Settings,
    data: st.DataObject,
) -> None:
    """AWS promises no order; the plan has one."""
    shuffled = data.draw(st.permutations(current))
    nodes, tasks = (
        data.draw(st.permutations(seen.nodes)),
        data.draw(st.permutations(running.proxies)),
    )

    turned = replace(seen, nodes=tuple(nodes))
    as_read = compute_desired(seen, running, soa(), wanted)
    otherwise = compute_desired(turned, replace(running, proxies=tuple(tasks)), soa(), wanted)

    one = diff(current, as_read, seen, owner=OWNER, now=NOW)
    other = diff(tuple(shuffled), otherwise, turned, owner=OWNER, now=NOW)

    assert other == one
    assert other.checksum == one.checksum


def test_a_run_that_takes_an_absence_back_leaves_the_address() -> None:
    """What drew the exception above: our name with one absent read, its node live, and no HAProxy."""
    here = world(
        topology(LABELS[0]), Fleet(()), *marked(record(LABELS[0], "10.20.0.1"), since=NOW, reads=1)
    )

    first, second = here.run(), here.run()

    assert first.refusals == ()
    assert [one.rule for one in second.refusals] == ["nothing_healthy_changes_nothing"] * 2
    assert {one.name for one in only_addresses(here.zone.records())} == {named(LABELS[0])}


@given(current=zones, seen=topologies, running=fleets, wanted=all_settings)
def test_whatever_is_read_a_run_keeps_to_what_is_promised(
    current: tuple[Record, ...], seen: Topology, running: Fleet, wanted: Settings
) -> None:
    """Of one run over any zone; each promise is a function."""
    here = world(seen, running, *current)

    outcome = here.run(wanted)

    after = only_addresses(here.zone.records())
    live_names_keep_an_answer(current, after, seen)
    deletes_stay_under_the_limit(current, outcome)
    names_lead_to_their_own_node(outcome, running, wanted)
    if not outcome.refusals:
        zone_is_as_desired(current, after, outcome)


def live_names_keep_an_answer(
    current: tuple[Record, ...], after: set[Record], seen: Topology
) -> None:
    """A member's name that had an answer still has one, and so has the configuration endpoint."""
    live = {one.name for one in only_addresses(current) if seen.has_member(one.name)}
    assert live <= {one.name for one in after}


def deletes_stay_under_the_limit(current: tuple[Record, ...], outcome: Outcome) -> None:
    """One name, or three in ten."""
    gone = only_addresses(one.old for one in outcome.plan.deletes)
    owned = [one for one in markers_by_name(current).values() if one.owner == OWNER]
    assert len(gone) <= max(1, int(0.3 * len(owned)))


def names_lead_to_their_own_node(outcome: Outcome, running: Fleet, wanted: Settings) -> None:
    """What is written for a node is the address of that node's own healthy proxy, or its pin."""
    writes: list[Create | Update] = [*outcome.plan.creates, *outcome.plan.updates]
    for one in only_addresses(change.new for change in writes):
        own = {p.address for p in running.proxies if p.node == one.name and p.healthy}
        assert one.name in {ENDPOINT, *wanted.pins} or set(one.values) == own


def zone_is_as_desired(current: tuple[Record, ...], after: set[Record], outcome: Outcome) -> None:
    """If the guard has nothing against it, every address is as desired, no more and no less.

    But for a live node without a HAProxy whose name was counted as absent: that run only takes the count back, and
    the next one is refused the delete.
    """
    desired = only_addresses(outcome.desired.records)
    unwanted = {one for one in after if one.name not in {want.name for want in desired}}
    assert after - unwanted == desired
    counted = {name for name, marker in markers_by_name(current).items() if marker.absent_reads}
    left = {one.name for one in unwanted & ours(current)}
    seen = outcome.snapshot.topology
    assert not [one for one in left - counted if seen.has_member(one)]


@given(current=zones, seen=topologies, running=fleets, wanted=all_settings)
def test_runs_come_to_an_end_and_touch_no_foreign_name(
    current: tuple[Record, ...], seen: Topology, running: Fleet, wanted: Settings
) -> None:
    """Two runs settle what they may; the next has nothing left to write, and the one after it refuses the same.

    Two, since deletes that are too many for what the first run owns may be few enough for what the second does. A
    minute apart, runs may count absences; without our marker a name stays, and another's marker too, to the letter.
    """
    here = world(seen, running, *current)
    here.run(wanted)
    here.run(wanted)

    third = here.run(wanted)
    assert (third.applied, third.plan) == ((), Plan())
    assert third.refusals == here.run(wanted).refusals

    for minute in range(1, 4):
        here.run(wanted, NOW + timedelta(minutes=minute))
    mine = {one.name for one in ours(current)}
    foreign = {one for one in current if subject(one.name) not in mine}
    assert foreign <= set(here.zone.records())


@given(current=zones, seen=topologies, running=fleets, wanted=all_settings)
def test_no_run_takes_away_what_it_did_not_see_whole(
    current: tuple[Record, ...], seen: Topology, running: Fleet, wanted: Settings
) -> None:
    """With a problem anywhere every address stays; without a node no record changes. But for a person's pins."""
    kept = {one for one in only_addresses(current) if one.name not in wanted.pins}
    partly = world(replace(seen, problems=("a page was not read",)), running, *current)
    empty = world(replace(seen, nodes=()), running, *current)

    partly.run(wanted)
    empty.run(wanted)

    after = {one.name: set(one.values) for one in only_addresses(partly.zone.records())}
    assert all(set(one.values) <= after[one.name] for one in kept)
    left = only_addresses(empty.zone.records())
    assert {one for one in left if one.name not in wanted.pins} == kept


@given(current=zones, desired=zones, seen=topologies, running=fleets)
def test_guard_only_ever_takes_changes_away(
    current: tuple[Record, ...], desired: tuple[Record, ...], seen: Topology, running: Fleet
) -> None:
    """What is allowed and what is refused are together the plan, in its order; nothing is added or rewritten."""
    found = plan(current, desired, seen)

    verdict = check(found, Evidence.of(snapshot(seen, running, *current), settings()))

    refused = {one.change for one in verdict.refusals}
    assert verdict.plan.changes == tuple(c for c in found.changes if c not in refused)
    assert len(verdict.plan.changes) + len(verdict.refusals) == len(found.changes)
    names = {change.subject for change in verdict.plan.changes if not clears_absence(change)}
    assert not names & {change.subject for change in refused}


@given(current=zones, desired=zones)
def test_plan_applies_deletes_last_and_only_updates_the_soa(
    current: tuple[Record, ...], desired: tuple[Record, ...]
) -> None:
    """No name is without an answer while another is written, and a zone has exactly one SOA; equals need no plan."""
    changes = plan((*current, soa()), (*desired, soa(ttl=5))).changes

    kinds = [isinstance(change, Delete) for change in changes]
    assert kinds == sorted(kinds)
    assert [c for c in changes if c.record.type is RecordType.SOA] == [changes[0]]
    assert isinstance(changes[0], Update)
    assert plan(current, current) == Plan()
