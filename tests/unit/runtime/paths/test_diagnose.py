"""From what walks met to a verdict a name: each verdict from the least that makes it, and which cause wins."""

from dataclasses import replace

import pytest

from nodeway_runtime.model.topology import Address
from nodeway_runtime.paths.cluster_view import NodeReply
from nodeway_runtime.paths.diagnose import EXPIRES_SOON_DAYS, diagnose, shard_of
from nodeway_runtime.paths.report import Row
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import Failure, NameTrace
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, ZONE, named
from tests.support.probing import (
    ADDRESSES,
    BLIND,
    STRANGER,
    address_trace,
    failed_trace,
    healthy,
    member,
    name_trace,
    node_id,
    targets,
    task_at,
    unresolved,
)

OTHERS = healthy(TWO, THREE)
LOOPS = targets(proxies_see_zone=True)
ALONE = (replace(member(ONE, "10.30.1.5"), node_id="f" * 40),)
"""A stranger's view of a cluster: what it announces is not what is wrong with it."""
IN_TIME = address_trace(ONE, certificate_days=float(EXPIRES_SOON_DAYS))
SOON = address_trace(ONE, certificate_days=EXPIRES_SOON_DAYS - 0.1)


def judged(one: NameTrace, map_: Targets | None = None) -> Row:
    """The row of a name beside others in order, which tell what the cluster is."""
    rows = diagnose(map_ or targets(), [one, *OTHERS])
    return next(row for row in rows if row.name == one.name)


def other_name(*names: str) -> NameTrace:
    return failed_trace(ONE, Failure.OTHER_NAME, certificate_names=names)


@pytest.mark.parametrize(
    ("one", "map_", "verdict"),
    [
        (name_trace(ONE, address_trace()), targets(), Verdict.OK),
        (unresolved(ONE, Failure.NO_SUCH_NAME), targets(TWO, names=(named(ONE),)), Verdict.MISSING_RECORD),
        (unresolved(ONE, Failure.NO_SUCH_NAME), targets(), Verdict.CACHED_NXDOMAIN),
        (unresolved(ONE, Failure.NO_SUCH_NAME), BLIND, Verdict.NAME_NOT_FOUND),
        (unresolved(ONE, Failure.RESOLVER_SILENT), targets(), Verdict.RESOLVER_SILENT),
        (name_trace(ONE, address_trace(ONE, ADDRESSES[TWO])), targets(), Verdict.WRONG_PROXY),
        (name_trace(ONE, address_trace(TWO, ADDRESSES[ONE])), targets(), Verdict.WRONG_PROXY),
        (failed_trace(ONE, Failure.REFUSED, "10.20.1.9"), targets(), Verdict.STALE_ANSWER),
        (failed_trace(ONE, Failure.REFUSED), targets(), Verdict.DEAD_PROXY),
        (failed_trace(ONE, Failure.UNREACHABLE), targets(), Verdict.DEAD_PROXY),
        (failed_trace(ONE, Failure.REFUSED), BLIND, Verdict.DEAD_PROXY),
        (failed_trace(ONE, Failure.TLS_CLOSED), LOOPS, Verdict.PROXY_LOOPS),
        (failed_trace(ONE, Failure.TLS_SILENT), LOOPS, Verdict.PROXY_LOOPS),
        (failed_trace(ONE, Failure.TLS_CLOSED), targets(), Verdict.NODE_DOWN),
        (failed_trace(ONE, Failure.TLS_SILENT), targets(), Verdict.NODE_DOWN),
        (failed_trace(ONE, Failure.CLOSED), targets(), Verdict.NODE_DOWN),
        (failed_trace(ONE, Failure.SILENT), targets(), Verdict.NODE_SILENT),
        (failed_trace(ONE, Failure.NOT_READY), targets(), Verdict.NODE_NOT_READY),
        (failed_trace(ONE, Failure.EXPIRED), targets(), Verdict.CERTIFICATE_EXPIRED),
        (failed_trace(ONE, Failure.UNTRUSTED), targets(), Verdict.CERTIFICATE_WRONG),
        (other_name("*.elsewhere.example"), targets(), Verdict.CERTIFICATE_WRONG),
        (other_name(), targets(), Verdict.CERTIFICATE_WRONG),
        (other_name("*.carts.x.use1.cache.amazonaws.com"), targets(), Verdict.CLUSTERS_MIXED),
        (other_name("*.carts.x.cnn1.cache.amazonaws.com.cn"), targets(), Verdict.CLUSTERS_MIXED),
        (name_trace(ONE, SOON), targets(), Verdict.CERTIFICATE_EXPIRES_SOON),
        (name_trace(ONE, IN_TIME), targets(), Verdict.OK),
        (name_trace(ONE, STRANGER), targets(), Verdict.CLUSTERS_MIXED),
        (name_trace(ONE, address_trace(reply=NodeReply("f" * 40, ALONE))), targets(), Verdict.CLUSTERS_MIXED),
        (NameTrace(named(ONE)), targets(), Verdict.CACHED_NXDOMAIN),
        (NameTrace(named(ONE)), BLIND, Verdict.NAME_NOT_FOUND),
        (failed_trace(ONE, Failure.BAD_LOGIN), targets(), Verdict.WRONG_PASSWORD),
        (failed_trace(ONE, Failure.NO_PERMISSION), targets(), Verdict.NO_PERMISSION),
    ],
)  # fmt: skip
def test_each_verdict_has_the_least_that_makes_it(
    one: NameTrace, map_: Targets, verdict: Verdict
) -> None:
    assert judged(one, map_).verdict is verdict


def test_name_that_nobody_walked_says_so() -> None:
    rows = diagnose(targets(), healthy(ONE))

    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.NOT_WALKED, Verdict.NOT_WALKED]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(Failure.TLS_SILENT, None), (Failure.BAD_LOGIN, None), (Failure.NONE, ONE)],
)
def test_name_that_leads_to_the_wrong_proxy_is_that_whatever_is_there(
    trouble: Failure, said: str | None
) -> None:
    """The first cause wins: what the other node says is of no use to who wanted this one."""
    one = address_trace(said, ADDRESSES[TWO], trouble)

    row = judged(name_trace(ONE, one))

    assert (row.verdict, row.detail) == (Verdict.WRONG_PROXY, f"10.20.1.2 is the proxy of {TWO}")


@pytest.mark.parametrize("order", [1, -1])
def test_name_is_as_bad_as_its_worst_path(order: int) -> None:
    """One of two proxies is gone: half of the clients notice."""
    second = "10.20.1.11"
    map_ = targets(
        records={named(ONE): (Address(ADDRESSES[ONE]), Address(second))},
        proxies=(task_at(ONE), task_at(ONE, second)),
    )
    paths = [address_trace(ONE), address_trace(None, second, Failure.REFUSED)][::order]

    row = judged(name_trace(ONE, *paths), map_)

    assert row.verdict is Verdict.DEAD_PROXY
    assert {path.address: path.verdict for path in row.paths} == {
        ADDRESSES[ONE]: Verdict.OK,
        second: Verdict.DEAD_PROXY,
    }


def test_row_has_whose_path_it_is_and_how_long_each_leg_took() -> None:
    legs = {"connect": 0.4, "tls": 3.1, "answer": 1.2}

    row = judged(name_trace(ONE, address_trace(ONE, milliseconds=legs)))

    (path,) = row.paths
    assert (path.proxy, path.reached) == (task_at(ONE), "identity")
    milliseconds = (path.connect_milliseconds, path.tls_milliseconds, path.answer_milliseconds)
    assert milliseconds == (0.4, 3.1, 1.2)
    assert (row.role, row.shard, row.node_id) == ("primary", "0001", node_id(ONE))
    assert row.resolve_milliseconds == 0.5


def test_role_is_nobody_s_to_say_without_counters() -> None:
    assert judged(name_trace(ONE, address_trace(reply=NodeReply(node_id(ONE))))).role == ""
    assert judged(failed_trace(ONE, Failure.REFUSED)).role == ""


@pytest.mark.parametrize(
    ("name", "shard"),
    [(ONE, "0001"), (f"a-b-0012-003.{ZONE}", "0012"), (str(ENDPOINT), ""), ("a-b-c", ""), ("", "")],
)
def test_shard_is_in_a_name_that_elasticache_made(name: str, shard: str) -> None:
    assert shard_of(name) == shard


def test_walk_of_the_same_name_twice_is_one_row() -> None:
    assert len(diagnose(targets(ONE), [*healthy(ONE), *healthy(ONE)])) == 1
