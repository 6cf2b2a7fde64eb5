"""From what walks met to a verdict a name: each verdict from the least that makes it, and which cause wins."""

from dataclasses import replace

import pytest

from nodeway_runtime.model.topology import Address
from nodeway_runtime.paths.cluster_view import NodeReply
from nodeway_runtime.paths.diagnose import EXPIRES_SOON_DAYS, diagnose, shard_of
from nodeway_runtime.paths.report import Row
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, ZONE, named
from tests.support.probing import (
    ADDRESSES,
    at,
    expected,
    healthy,
    member,
    node_id,
    troubled,
    walk,
    walked,
)

OTHERS = healthy(TWO, THREE)
BLIND = expected(records=None, proxies=())
"""The map of a laptop without AWS."""
LOOPS = expected(proxies_see_zone=True)
SOON = walk(ONE, certificate_days=EXPIRES_SOON_DAYS - 0.1)
STRANGER = walk(reply=NodeReply("f" * 40))


def judged(one: NameTrace, map_: Targets | None = None) -> Row:
    """The row of a name beside others in order, which tell what the cluster is."""
    rows = diagnose(map_ or expected(), [one, *OTHERS])
    return next(row for row in rows if row.name == one.name)


def lost(trouble: Failure) -> NameTrace:
    """A name without an address."""
    return NameTrace(named(ONE), (), trouble, "so it says")


def of(address: str, *names: str) -> NameTrace:
    """A certificate for other names."""
    return troubled(ONE, Failure.OTHER_NAME, address, certificate_names=names)


@pytest.mark.parametrize(
    ("one", "map_", "verdict"),
    [
        (walked(ONE, walk()), expected(), Verdict.OK),
        (lost(Failure.NO_SUCH_NAME), expected(TWO, names=(named(ONE),)), Verdict.MISSING_RECORD),
        (lost(Failure.NO_SUCH_NAME), expected(), Verdict.CACHED_NXDOMAIN),
        (lost(Failure.NO_SUCH_NAME), BLIND, Verdict.NAME_NOT_FOUND),
        (lost(Failure.RESOLVER_SILENT), expected(), Verdict.RESOLVER_SILENT),
        (walked(ONE, walk(ONE, ADDRESSES[TWO])), expected(), Verdict.WRONG_PROXY),
        (walked(ONE, walk(TWO, ADDRESSES[ONE])), expected(), Verdict.WRONG_PROXY),
        (troubled(ONE, Failure.REFUSED, "10.20.1.9"), expected(), Verdict.STALE_ANSWER),
        (troubled(ONE, Failure.REFUSED), expected(), Verdict.DEAD_PROXY),
        (troubled(ONE, Failure.UNREACHABLE), expected(), Verdict.DEAD_PROXY),
        (troubled(ONE, Failure.REFUSED), BLIND, Verdict.DEAD_PROXY),
        (troubled(ONE, Failure.TLS_CLOSED), LOOPS, Verdict.PROXY_LOOPS),
        (troubled(ONE, Failure.TLS_SILENT), LOOPS, Verdict.PROXY_LOOPS),
        (troubled(ONE, Failure.TLS_CLOSED), expected(), Verdict.NODE_DOWN),
        (troubled(ONE, Failure.TLS_SILENT), expected(), Verdict.NODE_DOWN),
        (troubled(ONE, Failure.CLOSED), expected(), Verdict.NODE_DOWN),
        (troubled(ONE, Failure.SILENT), expected(), Verdict.NODE_SILENT),
        (troubled(ONE, Failure.NOT_READY), expected(), Verdict.NODE_NOT_READY),
        (troubled(ONE, Failure.EXPIRED), expected(), Verdict.CERTIFICATE_EXPIRED),
        (troubled(ONE, Failure.UNTRUSTED), expected(), Verdict.CERTIFICATE_WRONG),
        (of(ADDRESSES[ONE], "*.elsewhere.example"), expected(), Verdict.CERTIFICATE_WRONG),
        (of(ADDRESSES[ONE]), expected(), Verdict.CERTIFICATE_WRONG),
        (of(ADDRESSES[ONE], "*.carts.x.use1.cache.amazonaws.com"), expected(), Verdict.CLUSTERS_MIXED),
        (of(ADDRESSES[ONE], "*.carts.x.cnn1.cache.amazonaws.com.cn"), expected(), Verdict.CLUSTERS_MIXED),
        (walked(ONE, SOON), expected(), Verdict.CERTIFICATE_EXPIRES_SOON),
        (walked(ONE, STRANGER), expected(), Verdict.CLUSTERS_MIXED),
        (troubled(ONE, Failure.BAD_LOGIN), expected(), Verdict.WRONG_PASSWORD),
        (troubled(ONE, Failure.NO_PERMISSION), expected(), Verdict.NO_PERMISSION),
    ],
)  # fmt: skip
def test_each_verdict_has_the_least_that_makes_it(
    one: NameTrace, map_: Targets, verdict: Verdict
) -> None:
    assert judged(one, map_).verdict is verdict


def test_name_without_a_walk_or_a_trouble_has_no_address() -> None:
    assert judged(NameTrace(named(ONE))).verdict is Verdict.CACHED_NXDOMAIN
    assert judged(NameTrace(named(ONE)), BLIND).verdict is Verdict.NAME_NOT_FOUND


def test_name_that_nobody_walked_says_so() -> None:
    rows = diagnose(expected(), healthy(ONE))

    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.NOT_WALKED, Verdict.NOT_WALKED]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(Failure.TLS_SILENT, None), (Failure.BAD_LOGIN, None), (Failure.NONE, ONE)],
)
def test_name_that_leads_to_the_wrong_proxy_is_that_whatever_is_there(
    trouble: Failure, said: str | None
) -> None:
    """The first cause wins: what the other node says is of no use to who wanted this one."""
    one = walk(said, ADDRESSES[TWO], trouble)

    row = judged(walked(ONE, one))

    assert (row.verdict, row.detail) == (Verdict.WRONG_PROXY, f"10.20.1.2 is the proxy of {TWO}")


def test_stranger_comes_before_what_he_announces() -> None:
    view = (replace(member(ONE, "10.30.1.5"), node_id="f" * 40),)

    assert (
        judged(walked(ONE, walk(reply=NodeReply("f" * 40, view)))).verdict is Verdict.CLUSTERS_MIXED
    )


@pytest.mark.parametrize("order", [1, -1])
def test_name_is_as_bad_as_its_worst_path(order: int) -> None:
    """One of two proxies is gone: half of the clients notice."""
    second = "10.20.1.11"
    map_ = expected(
        records={named(ONE): (Address(ADDRESSES[ONE]), Address(second))},
        proxies=(at(ONE), at(ONE, second)),
    )
    paths = [walk(ONE), walk(None, second, Failure.REFUSED)][::order]

    row = judged(walked(ONE, *paths), map_)

    assert row.verdict is Verdict.DEAD_PROXY
    assert {path.address: path.verdict for path in row.paths} == {
        ADDRESSES[ONE]: Verdict.OK,
        second: Verdict.DEAD_PROXY,
    }


def test_row_has_whose_path_it_is_and_how_long_each_leg_took() -> None:
    legs = {"connect": 0.4, "tls": 3.1, "answer": 1.2}

    row = judged(walked(ONE, walk(ONE, milliseconds=legs)))

    (path,) = row.paths
    assert (path.proxy, path.reached) == (at(ONE), "identity")
    assert (path.connect_milliseconds, path.tls_milliseconds, path.answer_milliseconds) == (
        0.4,
        3.1,
        1.2,
    )
    assert (row.role, row.shard, row.node_id, row.resolve_milliseconds) == (
        *("primary", "0001", node_id(ONE), 0.5),
    )


def test_role_is_nobody_s_to_say_without_counters() -> None:
    assert judged(walked(ONE, walk(reply=NodeReply(node_id(ONE))))).role == ""
    assert judged(troubled(ONE, Failure.REFUSED)).role == ""


@pytest.mark.parametrize(
    ("name", "shard"),
    [(ONE, "0001"), (f"a-b-0012-003.{ZONE}", "0012"), (str(ENDPOINT), ""), ("a-b-c", ""), ("", "")],
)
def test_shard_is_in_a_name_that_elasticache_made(name: str, shard: str) -> None:
    assert shard_of(name) == shard


def test_walk_of_the_same_name_twice_is_one_row() -> None:
    assert len(diagnose(expected(ONE), [*healthy(ONE), *healthy(ONE)])) == 1


def test_certificate_that_ends_on_the_last_day_that_is_late_enough_is_in_order() -> None:
    exact: AddressTrace = walk(ONE, certificate_days=float(EXPIRES_SOON_DAYS))

    assert judged(walked(ONE, exact)).verdict is Verdict.OK
