"""What is judged by all walks together: whether the zone is seen, which cluster it is, how it announces its nodes."""

from dataclasses import replace

import pytest

from nodeway_runtime.paths.cluster_view import NodeReply
from nodeway_runtime.paths.diagnose import diagnose
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
    lost_all = [
        failed_trace(one, Failure.UNREACHABLE, f"10.30.1.{n}") for n, one in enumerate(ADDRESSES)
    ]

    rows = diagnose(targets(), lost_all)

    assert {row.verdict for row in rows} == {Verdict.ZONE_NOT_SEEN}
    assert rows[0].detail == "10.30.1.0: it says so; the record says 10.20.1.1"


def test_one_name_that_leads_to_a_proxy_shows_that_the_zone_is_seen() -> None:
    """Then any other address is only an old one."""
    stale = [failed_trace(one, Failure.UNREACHABLE, "10.20.1.9") for one in (ONE, TWO)]

    rows = diagnose(targets(), [*stale, *healthy(THREE)])

    assert [row.verdict for row in rows] == [Verdict.STALE_ANSWER] * 2 + [Verdict.OK]


@pytest.mark.parametrize(
    ("trouble", "verdict"),
    [
        (Failure.NONE, Verdict.OK),
        (Failure.BAD_LOGIN, Verdict.WRONG_PASSWORD),
        (Failure.NOT_READY, Verdict.NODE_NOT_READY),
        (Failure.NO_PERMISSION, Verdict.NO_PERMISSION),
    ],
)
def test_network_that_reaches_the_nodes_without_us_needs_no_zone(
    trouble: Failure, verdict: Verdict
) -> None:
    """Who answered was reached: what is wrong is not the way."""
    found = [failed_trace(one, trouble, f"10.30.1.{n}") for n, one in enumerate(ADDRESSES)]

    assert {row.verdict for row in diagnose(targets(), found)} == {verdict}


def test_where_the_zone_cannot_be_asked_nobody_says_that_it_is_not_seen() -> None:
    found = diagnose(BLIND, [failed_trace(ONE, Failure.REFUSED, "10.30.1.1")])

    assert found[0].verdict is Verdict.DEAD_PROXY


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


def test_node_that_tells_of_nobody_else_s_cluster_is_judged_by_what_others_say() -> None:
    """Its view has none of ours in it, not even itself: nonsense, of which nothing follows."""
    nonsense = (replace(member(ONE, "10.30.1.5"), node_id="f" * 40),)
    several = [name_trace(ONE, address_trace(ONE, view=nonsense)), *healthy(TWO, THREE)]

    assert {row.verdict for row in diagnose(targets(), several)} == {Verdict.OK}


def test_views_of_one_cluster_count_together_though_each_counts_shards_in_its_own_order() -> None:
    """Two that are the same, and wrong, must not win over three that differ in nothing that matters."""
    wrong = (member(ONE, "10.30.1.5"), *members(TWO, THREE))
    right = [tuple(replace(one, shard=shard) for one in members()) for shard in (1, 2, 3)]
    labels = (ONE, TWO, THREE)
    several = [
        name_trace(one, address_trace(one, view=view))
        for one, view in zip(labels, right, strict=True)
    ]
    several += [name_trace(f"extra-{n}", address_trace(TWO, view=wrong)) for n in range(2)]

    assert diagnose(targets(), several)[0].verdict is Verdict.OK


def test_what_a_node_announces_comes_before_its_certificate_s_end() -> None:
    late = announced("10.30.1.5")
    late[0] = name_trace(ONE, replace(late[0].traces[0], certificate_days=1.0))

    assert diagnose(targets(), late)[0].verdict is Verdict.ANNOUNCES_IP


def test_endpoint_that_leads_to_another_cluster_is_mixed() -> None:
    mixed = name_trace(ENDPOINT, address_trace(ONE), STRANGER)

    row = diagnose(with_endpoint(), [*healthy(), mixed])[-1]

    assert (row.verdict, row.role) == (Verdict.CLUSTERS_MIXED, "endpoint")
    assert (row.node_id, row.shard) == ("", "")


def test_endpoint_does_not_say_how_one_of_its_nodes_is_announced() -> None:
    """That is the node's own row, where one knows better which it is."""
    several = [*announced("10.30.1.5"), name_trace(ENDPOINT, address_trace(ONE))]

    rows = diagnose(with_endpoint(), several)

    assert [row.verdict for row in rows] == [Verdict.ANNOUNCES_IP, *[Verdict.OK] * 3]


def test_shared_proxy_that_leads_to_another_node_is_wrong() -> None:
    several = [
        name_trace(one, address_trace(ONE, SHARED[0], view=members(ONE, TWO))) for one in (ONE, TWO)
    ]

    rows = diagnose(shared(), several)

    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.WRONG_PROXY]
    assert rows[1].detail == f"10.20.9.1 leads to {ONE}"


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (failed_trace(ONE, Failure.REFUSED, "10.20.9.1"), Verdict.DEAD_PROXY),
        (failed_trace(ONE, Failure.REFUSED, "10.20.9.7"), Verdict.STALE_ANSWER),
        (unresolved(ONE, Failure.NO_SUCH_NAME), Verdict.CACHED_NXDOMAIN),
    ],
)
def test_record_for_any_name_is_that_of_each(one: NameTrace, verdict: Verdict) -> None:
    other = name_trace(TWO, address_trace(TWO, SHARED[1]))

    assert diagnose(shared(), [one, other])[0].verdict is verdict


def test_own_record_of_a_name_wins_over_the_one_for_any() -> None:
    """A pin, as in DNS itself."""
    pinned = replace(shared(), records={**(shared().records or {}), named(ONE): ()})

    found = diagnose(pinned, [unresolved(ONE, Failure.NO_SUCH_NAME)])

    assert found[0].verdict is Verdict.MISSING_RECORD
