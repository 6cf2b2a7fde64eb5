"""What is judged by all walks together: whether the zone is seen, which cluster it is, how it announces its nodes."""

from dataclasses import replace

import pytest

from nodeway_runtime.paths.cluster_view import NodeReply
from nodeway_runtime.paths.diagnose import diagnose
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import Failure, NameTrace
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, named
from tests.support.probing import (
    ADDRESSES,
    BLIND,
    STRANGER,
    address_trace,
    failed_trace,
    healthy,
    member,
    members,
    name_trace,
    shared,
    targets,
    unresolved,
    with_endpoint,
)

SHARED = ("10.20.9.1", "10.20.9.2")


def announced(endpoint: str) -> list[NameTrace]:
    """The whole cluster, in which the first node is announced so by all."""
    view = (member(ONE, endpoint), *members(TWO, THREE))
    return [name_trace(one, address_trace(one, view=view)) for one in (ONE, TWO, THREE)]


def test_no_name_leads_to_a_proxy_of_ours_where_the_zone_is_not_seen() -> None:
    """Each leads elsewhere, and nobody is there: the nodes' own addresses, which a client never reaches."""
    rows = diagnose(targets(), each(Failure.UNREACHABLE))

    assert {row.verdict for row in rows} == {Verdict.ZONE_NOT_SEEN}
    assert rows[0].detail == "10.30.1.0: it says so; the record says 10.20.1.1"


@pytest.mark.parametrize(
    ("endpoint", "verdict", "detail"),
    [
        ("10.30.1.5", Verdict.ANNOUNCES_IP, "it announces 10.30.1.5"),
        ("", Verdict.ANNOUNCES_IP, "it announces no name"),
        ("?", Verdict.ANNOUNCES_IP, "it announces no name"),
        ("old-0001-001.old.x.use1.cache.amazonaws.com", Verdict.ANNOUNCES_ELSEWHERE,
         "it announces old-0001-001.old.x.use1.cache.amazonaws.com"),
    ],
)  # fmt: skip
def test_node_that_all_announce_wrongly_is_the_one_row(
    endpoint: str, verdict: Verdict, detail: str
) -> None:
    """The others only repeat it."""
    rows = diagnose(targets(), announced(endpoint))

    assert [(row.verdict, row.detail) for row in rows] == [
        (verdict, detail),
        *[(Verdict.OK, "")] * 2,
    ]


def test_node_that_alone_announces_another_wrongly_is_the_one_row() -> None:
    """It sends its own clients to an address that nobody else tells."""
    rows = diagnose(targets(), [*healthy()[:2], announced("10.30.1.5")[2]])

    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.OK, Verdict.ANNOUNCES_IP]
    assert rows[2].detail == "it sends clients to 10.30.1.5"


def test_node_of_another_cluster_is_outvoted() -> None:
    """It has a view of its own, in which none of ours is."""
    stranger = replace(member(ONE), node_id="f" * 40)
    foreign = address_trace(reply=NodeReply("f" * 40, (stranger,), None))
    ours = [name_trace(one, address_trace(one, view=members(TWO, THREE))) for one in (TWO, THREE)]

    rows = diagnose(targets(), [name_trace(ONE, foreign), *ours])

    assert [row.verdict for row in rows] == [Verdict.CLUSTERS_MIXED, Verdict.OK, Verdict.OK]
    assert rows[0].detail == "10.20.1.1: a node that no other one knows"


def test_endpoint_that_leads_to_another_cluster_is_mixed() -> None:
    mixed = name_trace(ENDPOINT, address_trace(ONE), STRANGER)

    row = diagnose(with_endpoint(), [*healthy(), mixed])[-1]

    assert (row.verdict, row.role) == (Verdict.CLUSTERS_MIXED, "endpoint")
    assert (row.node_id, row.shard) == ("", "")


def test_shared_proxy_that_leads_to_another_node_is_wrong() -> None:
    several = [
        name_trace(one, address_trace(ONE, SHARED[0], view=members(ONE, TWO))) for one in (ONE, TWO)
    ]

    rows = diagnose(shared(), several)

    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.WRONG_PROXY]
    assert rows[1].detail == f"10.20.9.1 leads to {ONE}"


def each(failure: Failure) -> list[NameTrace]:
    """Names that lead to the nodes' own addresses."""
    return [failed_trace(one, failure, f"10.30.1.{n}") for n, one in enumerate(ADDRESSES)]


WRONG = announced("10.30.1.5")
LATE = name_trace(ONE, replace(WRONG[0].traces[0], certificate_days=1.0))
STALE = [failed_trace(one, Failure.UNREACHABLE, "10.20.1.9") for one in (ONE, TWO)]
NONSENSE = (replace(member(ONE, "10.30.1.5"), node_id="f" * 40),)
"""A view with none of ours in it, not even itself: nothing follows of it."""
VIEWS = [tuple(replace(one, shard=shard) for one in members()) for shard in (1, 2, 3)]
"""Of one cluster, though each counts shards in its own order."""
RIGHT = [
    name_trace(one, address_trace(one, view=view))
    for one, view in zip((ONE, TWO, THREE), VIEWS, strict=True)
]
TWICE = [name_trace(f"extra-{n}", WRONG[1].traces[0]) for n in range(2)]
LOST = unresolved(ONE, Failure.NO_SUCH_NAME)
OTHER = name_trace(TWO, address_trace(TWO, SHARED[1]))
OWN_RECORD = replace(shared(), records={**(shared().records or {}), named(ONE): ()})
OK, IP = Verdict.OK, Verdict.ANNOUNCES_IP

WORLDS: dict[str, tuple[Targets, list[NameTrace], list[Verdict]]] = {
    "one name leads to a proxy: the zone is seen, the others' answers are old": (
        *(targets(), [*STALE, *healthy(THREE)]),
        [Verdict.STALE_ANSWER, Verdict.STALE_ANSWER, OK],
    ),
    "nobody can ask the zone": (BLIND, each(Failure.REFUSED), [Verdict.DEAD_PROXY] * 3),
    # who answered was reached without us: what is wrong is not the way
    "reached": (targets(), each(Failure.NONE), [OK] * 3),
    "reached, login": (targets(), each(Failure.BAD_LOGIN), [Verdict.WRONG_PASSWORD] * 3),
    "reached, not ready": (targets(), each(Failure.NOT_READY), [Verdict.NODE_NOT_READY] * 3),
    "reached, no right": (targets(), each(Failure.NO_PERMISSION), [Verdict.NO_PERMISSION] * 3),
    "others say what a node is": (
        *(targets(), [name_trace(ONE, address_trace(ONE, view=NONSENSE)), *healthy(TWO, THREE)]),
        [OK] * 3,
    ),
    "three that differ in nothing that matters win over two that are wrong": (
        *(targets(), [*RIGHT, *TWICE]),
        [OK] * 3,
    ),
    "announced wrongly before its certificate ends": (targets(), [LATE, *WRONG[1:]], [IP, OK, OK]),
    # that is the node's own row, where one knows better which it is
    "the endpoint is not how a node is announced": (
        *(with_endpoint(), [*WRONG, name_trace(ENDPOINT, address_trace(ONE))]),
        [IP, OK, OK, OK],
    ),
    # a record for any name is that of each, but for names with their own: a pin, as in DNS itself
    "any name, no proxy": (
        *(shared(), [failed_trace(ONE, Failure.REFUSED, "10.20.9.1"), OTHER]),
        [Verdict.DEAD_PROXY, OK],
    ),
    "any name, old answer": (
        *(shared(), [failed_trace(ONE, Failure.REFUSED, "10.20.9.7"), OTHER]),
        [Verdict.STALE_ANSWER, OK],
    ),
    "any name, not resolved": (shared(), [LOST, OTHER], [Verdict.CACHED_NXDOMAIN, OK]),
    "its own record is empty": (OWN_RECORD, [LOST, OTHER], [Verdict.MISSING_RECORD, OK]),
}


@pytest.mark.parametrize(("map_", "several", "verdicts"), WORLDS.values(), ids=WORLDS)
def test_each_name_is_judged_by_what_all_walks_met(
    map_: Targets, several: list[NameTrace], verdicts: list[Verdict]
) -> None:
    assert [row.verdict for row in diagnose(map_, several)] == verdicts
