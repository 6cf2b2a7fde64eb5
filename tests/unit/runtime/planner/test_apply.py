"""Stage 5: batches that Route 53 takes, whole and in order."""

from dataclasses import replace

import pytest

from nodeway_runtime.model.changes import Change, Create, Delete, Update
from nodeway_runtime.model.topology import RecordType
from nodeway_runtime.planner.apply import (
    BATCH_CHARACTERS,
    BATCH_ELEMENTS,
    apply,
    request_size,
    split_into_batches,
)
from nodeway_runtime.planner.plan import Plan
from tests.support.fake_aws.route53 import CHARACTERS, ELEMENTS
from tests.support.fakes import ONE, ZONE, marked, record, soa
from tests.support.ports import FakeZone


def many(count: int, *, addresses: int = 1, net: int = 20) -> Plan:
    """Creates of that many names with that many addresses each."""
    return Plan(
        tuple(
            Create(
                record(
                    f"n{i:04}",
                    *(f"10.{net}.{i // 240}.{i % 240 + j + 1}" for j in range(addresses)),
                ),
                "",
            )
            for i in range(count)
        )
    )


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        (Create(record(ONE, "10.0.0.1", "10.0.0.2"), ""), (2, 16)),
        (Update(record(ONE, "10.0.0.1"), record(ONE, "10.0.0.22"), ""), (2, 17)),
        (Delete(record(ONE, "10.0.0.1"), ""), (1, 8)),
        (Update(soa(text="abc"), soa(text="abcd"), ""), (2, 7)),
    ],
    ids=["create", "update counts twice", "delete", "SOA counts twice"],
)
def test_weight_counts_as_route53_does(change: Change, cost: tuple[int, int]) -> None:
    """Record elements and value characters, an update's both sides."""
    assert request_size(change) == cost


@pytest.mark.parametrize("addresses", [1, 2, 8])
def test_batches_stay_below_both_limits_and_keep_the_order(addresses: int) -> None:
    """However many addresses a name has, no batch is over, and together they are the plan."""
    plan = many(1200, addresses=addresses)

    cut = list(split_into_batches(plan))

    for batch in cut:
        elements, characters = (
            sum(w) for w in zip(*(request_size(change) for change in batch), strict=True)
        )
        assert elements <= BATCH_ELEMENTS < ELEMENTS
        assert characters <= BATCH_CHARACTERS < CHARACTERS
    assert tuple(change for batch in cut for change in batch) == plan.changes


def test_batches_keep_each_name_and_its_marker_together() -> None:
    """A batch is atomic: a name is never there without the word whose it is, nor the word without the name."""
    records = [marked(record(f"n{n:04}", "10.20.1.1")) for n in range(700)]
    creates = [Create(one, "") for pair in records[:500] for one in pair]
    deletes = [Delete(one, "") for pair in records[500:] for one in pair]

    cut = list(split_into_batches(Plan((*creates, *deletes))))

    assert [len(batch) for batch in cut] == [900, 500]
    for batch in cut:
        subjects = [change.subject for change in batch]
        assert all(subjects.count(name) == 2 for name in set(subjects))


LONG = tuple(replace(record(f"n{n}", "10.0.0.1"), values=("9" * 10_000,)) for n in range(3))
HUGE = soa(text="9" * 20_000)
SINGLES = many(BATCH_ELEMENTS - 1).changes
PAIR = tuple(Create(one, "") for one in marked(record("z", "10.20.1.1")))
ADDRESS, LOWER = Create(record(ONE, "10.0.0.1"), ""), Update(soa(), soa(ttl=5), "")
GONE = Delete(record("z", "10.0.0.2"), "")
CUT: dict[str, tuple[tuple[Change, ...], list[int]]] = {
    "few elements are too many characters": (tuple(Update(x, x, "") for x in LONG), [1, 1, 1]),
    "too big alone: Route 53's to refuse": ((Update(HUGE, HUGE, ""),), [1]),
    "before a pair that does not fit whole": ((*SINGLES, *PAIR), [BATCH_ELEMENTS - 1, 2]),
    # the role allows addresses and the SOA by separate statements, and a request must match one of them whole
    "the SOA and addresses": ((LOWER, ADDRESS, GONE), [1, 2]),
    "the SOA between addresses": ((ADDRESS, LOWER, GONE), [1, 1, 1]),
}


@pytest.mark.parametrize(("changes", "sizes"), CUT.values(), ids=CUT)
def test_batches_are_cut_where_route53_and_the_role_need_it(
    changes: tuple[Change, ...], sizes: list[int]
) -> None:
    """Nothing is dropped, and the order stays."""
    cut = list(split_into_batches(Plan(changes)))

    assert [len(batch) for batch in cut] == sizes
    assert tuple(change for batch in cut for change in batch) == changes


def test_apply_fills_a_zone_of_five_hundred_nodes() -> None:
    """A large cluster is written in one go, and moved to new addresses in a few batches."""
    zone = FakeZone(ZONE)
    first, second = many(500), many(500, net=21)

    filled = apply(first, zone, "fill")
    moved = apply(
        Plan(
            tuple(
                Update(a.new, b.new, "") for a, b in zip(first.creates, second.creates, strict=True)
            )
        ),
        zone,
        "move",
    )

    assert [len(one.changes) for one in filled] == [500]
    assert [len(one.changes) for one in moved] == [450, 50]
    assert [one.change_id for one in (*filled, *moved)] == ["C1", "C2", "C3"]
    assert {r for r in zone.records() if r.type is RecordType.A} == {
        create.new for create in second.creates
    }
