"""A walk over real connections: what each leg meets, what it says, and what it sends."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nodeway_runtime.paths.cluster_view import Member
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace
from nodeway_runtime.probe.walker import Login, Timeouts, Walker
from tests.support.fakes import ONE, named
from tests.support.probing import SECRET
from tests.support.programs.resp_node import (
    ANSWERS,
    NAMES,
    NODE_ID,
    PATIENT,
    QUICK,
    Authority,
    Node,
    Talk,
    authority,
    bulk,
    closing,
    node,
    silent,
)

USER = Login("probe", SECRET)
QUESTIONS = [("AUTH", "probe", SECRET), ("PING",), ("CLUSTER", "MYID"), ("INFO",)]


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the client trusts."""
    return authority(tmp_path_factory.mktemp("trusted"))


@pytest.fixture
def well(trusted: Authority) -> Iterator[Node]:
    """A node in order."""
    with node(trusted.signed(NAMES), lambda here: here.answering()) as here:
        yield here


def only(walked: NameTrace) -> AddressTrace:
    """The walk of a name's only address."""
    (one,) = walked.traces
    return one


def test_walk_without_login_asks_whether_the_node_answers_and_nothing_else(
    trusted: Authority, well: Node
) -> None:
    walked = trusted.walker(well.port).trace(named(ONE), view=True)

    walk = only(walked)
    assert (walked.failure, walked.name, walk.address) == (Failure.NONE, named(ONE), "127.0.0.1")
    assert (walk.failure, walk.reached, walk.detail) == (Failure.NONE, "answer", "")
    assert well.got == [("PING",)]
    assert walk.reply.node_id is None
    assert set(walk.milliseconds) == {"connect", "tls", "answer"}
    assert min(walk.milliseconds.values()) >= 0
    assert walked.resolve_milliseconds is not None
    assert walk.certificate_days == pytest.approx(300, abs=0.1)


@pytest.mark.parametrize("view", [False, True])
def test_walk_with_login_asks_the_node_who_it_is_and_perhaps_for_its_view(
    trusted: Authority, well: Node, *, view: bool
) -> None:
    walk = only(trusted.walker(well.port, login=USER).trace(named(ONE), view=view))

    member = Member(NODE_ID, named(ONE), primary=True, shard=0)
    assert (walk.failure, walk.reached) == (Failure.NONE, "identity")
    assert well.got == [*QUESTIONS, *([("CLUSTER", "SHARDS")] if view else [])]
    assert (walk.reply.node_id, walk.reply.members) == (NODE_ID, (member,) if view else None)
    assert walk.reply.counters is not None
    assert (walk.reply.counters.moved, walk.reply.counters.primary) == (3, True)


def test_server_without_cluster_shards_is_asked_for_its_slots(trusted: Authority) -> None:
    """Redis 6."""
    slots = b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n" + bulk(named(ONE)) + b":6379\r\n" + bulk(NODE_ID)
    old = ANSWERS | {  # type: ignore[operator]  # both are dicts
        "CLUSTER SHARDS": b"-ERR Unknown subcommand or wrong number of arguments for 'SHARDS'\r\n",
        "CLUSTER SLOTS": slots,
    }
    with node(trusted.signed(NAMES), lambda here: here.answering(old)) as here:
        walk = only(trusted.walker(here.port, login=USER).trace(named(ONE), view=True))

    assert here.got[-1] == ("CLUSTER", "SLOTS")
    assert walk.reply.members == (Member(NODE_ID, named(ONE), primary=True, shard=0),)


def test_each_address_of_a_name_is_walked(trusted: Authority, well: Node) -> None:
    """Once, whatever the resolver repeats, and in an order that does not change from run to run."""
    walker = trusted.walker(well.port, "127.0.0.3", "127.0.0.1", "127.0.0.1")

    walked = walker.trace(named(ONE), view=False)

    assert [(one.address, one.failure) for one in walked.traces] == [
        ("127.0.0.1", Failure.NONE),
        ("127.0.0.3", Failure.REFUSED),
    ]


def walk_to(
    port: int, trusted: Authority, *addresses: str, seconds: Timeouts = PATIENT
) -> AddressTrace:
    """Of a name that leads to the first of these addresses."""
    return only(trusted.walker(port, *addresses, seconds=seconds).trace(named(ONE), view=False))


def test_nobody_listens(trusted: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])

    walk = walk_to(port, trusted)

    assert (walk.failure, walk.reached) == (Failure.REFUSED, "nothing")
    assert walk.detail == "Connection refused"


def test_no_way_leads_there(trusted: Authority) -> None:
    """The broadcast address takes no connection."""
    walk = walk_to(6379, trusted, "255.255.255.255")

    assert (walk.failure, walk.reached) == (Failure.UNREACHABLE, "nothing")
    assert walk.detail


def test_nobody_takes_the_connection(trusted: Authority) -> None:
    """As where a security group drops it: the queue of a listener that accepts nobody is full."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.socket() as first,
        socket.socket() as second,
    ):
        for one in (first, second):
            one.setblocking(False)  # noqa: FBT003 (socket's own)
            one.connect_ex(full.getsockname())

        walk = walk_to(int(full.getsockname()[1]), trusted, seconds=QUICK)

    assert (walk.failure, walk.reached) == (Failure.UNREACHABLE, "nothing")
    assert walk.detail == "timed out"


@pytest.mark.parametrize(
    "talk",
    [lambda _: closing, lambda _: lambda plain: plain.sendall(b"-ERR no TLS here\r\n")],
    ids=["closes, as HAProxy without a node", "no TLS"],
)
def test_proxy_accepts_and_begins_no_tls(trusted: Authority, talk: Callable[[Node], Talk]) -> None:
    with node(None, talk) as here:
        walk = walk_to(here.port, trusted)

    assert (walk.failure, walk.reached) == (Failure.TLS_CLOSED, "connect")
    assert walk.detail


def test_proxy_accepts_and_says_nothing(trusted: Authority) -> None:
    """It has its own time for that: the next leg's is not waited for."""
    began = time.monotonic()
    with node(None, lambda _: silent) as here:
        walk = walk_to(here.port, trusted, seconds=replace(PATIENT, tls=0.3))

    assert (walk.failure, walk.reached) == (Failure.TLS_SILENT, "connect")
    assert "timed out" in walk.detail
    assert time.monotonic() - began < PATIENT.connect


@pytest.mark.parametrize(("days", "since_days"), [(-1, 9), (9, -1)], ids=["expired", "to come"])
def test_certificate_is_of_another_time(trusted: Authority, days: float, since_days: float) -> None:
    context = trusted.signed(NAMES, days=days, since_days=since_days)
    with node(context, lambda here: here.answering()) as here:
        walk = walk_to(here.port, trusted)

    assert (walk.failure, walk.reached, here.got) == (Failure.EXPIRED, "connect", [])
    assert "certificate" in walk.detail


OTHERS = "*.carts.x9y8z7.use1.cache.amazonaws.com"


@pytest.mark.parametrize(
    ("foreign", "names", "failure", "told"),
    [
        (False, OTHERS, Failure.OTHER_NAME, (OTHERS,)),
        (True, NAMES, Failure.UNTRUSTED, ()),
    ],
    ids=["other names", "an authority that nobody trusts"],
)
def test_certificate_is_somebody_elses(
    *,
    trusted: Authority,
    tmp_path: Path,
    foreign: bool,
    names: str,
    failure: Failure,
    told: tuple[str, ...],
) -> None:
    """Its names are told unless anybody could have written them; no password is ever given to it."""
    signer = authority(tmp_path) if foreign else trusted
    with node(signer.signed(names), lambda here: here.answering()) as here:
        walk = only(trusted.walker(here.port, login=USER).trace(named(ONE), view=True))

    assert (walk.failure, walk.certificate_names, here.got) == (failure, told, [])


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        (socket.EAI_NONAME, Failure.NO_SUCH_NAME),
        (socket.EAI_NODATA, Failure.NO_SUCH_NAME),
        (socket.EAI_AGAIN, Failure.RESOLVER_SILENT),
        (socket.EAI_FAIL, Failure.RESOLVER_SILENT),
    ],
)
def test_name_without_an_address_is_none_or_nobody_says_so(
    trusted: Authority, number: int, trouble: Failure
) -> None:
    def fails(*_: object) -> list[object]:
        raise socket.gaierror(number, "in its own words")

    walker = replace(trusted.walker(6379), look_up=fails)

    walked = walker.trace(named(ONE), view=True)

    assert (walked.failure, walked.traces, walked.detail) == (trouble, (), "in its own words")


def test_this_host_s_own_resolver_is_the_one_that_is_asked() -> None:
    """A name that nobody may have; without a network there is nobody to say so."""
    walked = Walker.of(6379).trace("demo-0001-001.invalid", view=False)

    assert walked.failure in {Failure.NO_SUCH_NAME, Failure.RESOLVER_SILENT}
    assert only(Walker.of(1).trace("localhost", view=False)).failure is Failure.REFUSED


def test_password_is_in_no_repr(trusted: Authority) -> None:
    assert SECRET not in repr(trusted.walker(6379, login=USER))
    assert SECRET not in repr(USER)
