"""Nodes that refuse, are not ready, break off, or mean harm: each ends as one trouble, and soon."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from nodeway_runtime.paths.trace import AddressTrace, Failure
from nodeway_runtime.probe.resp import MAX_ANSWER_BYTES
from nodeway_runtime.probe.walker import Login, Timeouts
from tests.support.fakes import ONE, named
from tests.support.probing import SECRET
from tests.support.programs.resp_node import (
    ANSWERS,
    MOST_SENT,
    NAMES,
    PATIENT,
    Authority,
    Node,
    authority,
    bulk,
    node,
    silent,
)

USER = Login("probe", SECRET)
IMPATIENT = replace(PATIENT, answer=0.3)
Talk = Callable[[Node], Callable[..., None]]


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the client trusts."""
    return authority(tmp_path_factory.mktemp("trusted"))


def walk_to(
    trusted: Authority, talk: Talk, login: Login | None = USER, *, seconds: Timeouts = PATIENT
) -> tuple[AddressTrace, Node]:
    """A walk to a node that talks so."""
    with node(trusted.signed(NAMES), talk) as here:
        walker = trusted.walker(here.port, login=login, seconds=seconds)
        (walk,) = walker.trace(named(ONE), view=True).traces
    return walk, here


def saying(**answers: bytes) -> Talk:
    """A node in order but for these answers; `_` in a name stands for a space."""
    changed = {**ANSWERS, **{name.replace("_", " "): one for name, one in answers.items()}}
    return lambda here: here.answering(changed)


@pytest.mark.parametrize(
    ("talk", "trouble", "reached"),
    [
        (saying(AUTH=b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"), Failure.BAD_LOGIN, "tls"),
        (saying(AUTH=b"-ERR AUTH <password> called without any password configured\r\n"), Failure.BAD_LOGIN, "tls"),
        (saying(AUTH=b"-LOADING Valkey is loading the dataset in memory\r\n"), Failure.NOT_READY, "tls"),
        (saying(AUTH=b"-ERR max number of clients reached\r\n"), Failure.NOT_READY, "tls"),
        (saying(PING=b"-LOADING Redis is loading the dataset in memory\r\n"), Failure.NOT_READY, "tls"),
        (saying(PING=b"-BUSY Valkey is busy running a script.\r\n"), Failure.NOT_READY, "tls"),
        (saying(PING=b"-NOAUTH Authentication required.\r\n"), Failure.BAD_LOGIN, "tls"),
        (saying(PING=b"-NOPERM this user has no permissions to run 'ping'\r\n"), Failure.NONE, "identity"),
        (saying(CLUSTER_MYID=b"-NOPERM no permissions to run 'cluster|myid'\r\n"), Failure.NO_PERMISSION, "answer"),
        (saying(INFO=b"-NOPERM this user has no permissions to run 'info'\r\n"), Failure.NO_PERMISSION, "answer"),
        (saying(CLUSTER_SHARDS=b"-NOPERM no permissions\r\n"), Failure.NO_PERMISSION, "answer"),
        (saying(INFO=b"-MASTERDOWN Link with MASTER is down\r\n"), Failure.NOT_READY, "answer"),
    ],
)  # fmt: skip
def test_refusal_of_a_node_is_told_in_its_own_words(
    trusted: Authority, talk: Talk, trouble: Failure, reached: str
) -> None:
    walk, _ = walk_to(trusted, talk)

    assert (walk.failure, walk.reached) == (trouble, reached)
    assert bool(walk.detail) is (trouble is not Failure.NONE)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"-NOAUTH Authentication required.\r\n", Failure.NONE),
        (b"+PONG\r\n", Failure.NONE),
        (b"-LOADING Valkey is loading the dataset in memory\r\n", Failure.NOT_READY),
        (b"-ERR max number of clients reached\r\n", Failure.NOT_READY),
    ],
)
def test_node_that_wants_a_login_has_answered_who_has_none(
    trusted: Authority, answer: bytes, trouble: Failure
) -> None:
    walk, here = walk_to(trusted, saying(PING=answer), login=None)

    assert (walk.failure, here.got) == (trouble, [("PING",)])


@pytest.mark.parametrize("password", [SECRET, "x7" * 300])
def test_node_that_repeats_its_arguments_in_an_error_gives_no_password_away(
    trusted: Authority, password: str
) -> None:
    """So Valkey does for a command that it does not know, with the first 128 characters."""
    words = (
        f"-ERR unknown command 'AUTH', with args beginning with: 'probe' '{password[:128]}' \r\n"
    )

    walk, _ = walk_to(trusted, saying(AUTH=words.encode()), login=Login("probe", password))

    assert walk.detail == "ERR unknown command 'AUTH', with args beginning with: 'probe' '…"
    assert password[:8] not in repr(walk)


def test_node_s_words_are_one_short_line_that_a_terminal_shows_and_does_not_obey(
    trusted: Authority,
) -> None:
    walk, _ = walk_to(trusted, saying(AUTH=b"-ERR \x1b[31mred\x07\tand " + b"l" * 999 + b"\r\n"))

    assert walk.detail.startswith("ERR [31mred and lll")
    assert len(walk.detail) == 200


@pytest.mark.parametrize("command", ["PING", "CLUSTER_MYID", "INFO", "CLUSTER_SHARDS"])
@pytest.mark.parametrize("part", [b"", b"$100\r\nhalf", b"*2\r\n+one\r\n", b"$4\r\nfour", b"+half"])
def test_node_closes_in_the_middle_of_an_answer(
    trusted: Authority, command: str, part: bytes
) -> None:
    """As one that is killed does."""
    last = command.replace("_", " ")
    answers = {**ANSWERS, last: part}

    walk, _ = walk_to(trusted, lambda here: here.answering(answers, last=last))

    assert (walk.failure, walk.detail) == (Failure.CLOSED, "it closed the connection")


def test_node_that_says_nothing_is_silent(trusted: Authority) -> None:
    walk, _ = walk_to(trusted, lambda _: silent, seconds=IMPATIENT)

    assert (walk.failure, walk.reached) == (Failure.SILENT, "tls")


@contextmanager
def soon() -> Iterator[None]:
    """What is in the block does not hang."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 60, "it hung"


@pytest.mark.parametrize(
    "answer",
    [
pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="HTTP"),
pytest.param(b"\x00\x01\x02\r\n", id="binary"),
pytest.param(b"\r\n", id="nothing"),
pytest.param(b":twelve\r\n", id="int"),
pytest.param(b"$x\r\n", id="bulk"),
pytest.param(b"*x\r\n", id="array"),
pytest.param(b"*1\r\n%1\r\n", id="map"),
pytest.param(b":" + b"9" * 5000 + b"\r\n", id="huge int"),
pytest.param(b"$99999999999999\r\n", id="huge"),
pytest.param(b"*1\r\n" * 100_000, id="deep"),
pytest.param(b"*2\r\n" * 100_000, id="wide"),
],
)  # fmt: skip
def test_answer_that_is_no_resp_is_a_trouble(trusted: Authority, answer: bytes) -> None:
    with soon():
        walk, here = walk_to(trusted, saying(PING=answer), login=None)

    assert (walk.failure, walk.reached) == (Failure.CLOSED, "tls")
    assert len(walk.detail) <= 200
    assert here.got == [("PING",)]


MANY, LONG = "an answer of too many values", f"an answer of more than {MAX_ANSWER_BYTES} bytes"
ENDLESS = "it says what is no RESP: a line without an end"


@pytest.mark.parametrize(
    ("beginning", "more", "told"),
    [
        pytest.param(b"*2\r\n$8388600\r\n", b"x" * 65536, LONG, id="bulk"),
        pytest.param(b"*999999999\r\n", b"$60000\r\n" + b"x" * 60_000 + b"\r\n", LONG, id="bulks"),
        pytest.param(b"*999999999\r\n", b":1\r\n" * 10_000, MANY, id="integers"),
        pytest.param(b"*999999999\r\n", b"*0\r\n" * 10_000, MANY, id="empty arrays"),
        pytest.param(b"*999999999\r\n", b"*999999999\r\n", MANY, id="arrays in arrays"),
        pytest.param(b"+", b"x" * 65536, ENDLESS, id="line"),
        pytest.param(b"$", b"1" * 65536, ENDLESS, id="length"),
    ],
)
def test_answer_without_an_end_is_not_read_to_the_end(
    trusted: Authority, beginning: bytes, more: bytes, told: str
) -> None:
    """No more is taken than the longest answer that there is; what the two sockets hold comes on top."""
    with soon():
        walk, here = walk_to(trusted, lambda here: here.endless(beginning, more), login=None)

    assert (walk.failure, walk.reached, walk.detail) == (Failure.CLOSED, "tls", told)
    assert here.sent < MOST_SENT


@pytest.mark.parametrize(
    ("beginning", "one"),
    [(b"+", b"x"), (b"$9999\r\n", b"x"), (b"*9999\r\n", b":1\r\n")],
    ids=["line", "bulk", "array"],
)
def test_answer_that_drips_has_its_time_as_a_whole(
    trusted: Authority, beginning: bytes, one: bytes
) -> None:
    """Each byte comes in time: a timeout of each read would wait for ever."""
    with soon():
        walk, _ = walk_to(
            trusted, lambda here: here.dripping(beginning, one), None, seconds=IMPATIENT
        )

    assert (walk.failure, walk.reached) == (Failure.SILENT, "tls")


@pytest.mark.parametrize(
    "answers",
    [
        {"CLUSTER_SHARDS": b":5\r\n"},
        {"CLUSTER_SHARDS": b"$-1\r\n"},
        {"CLUSTER_SHARDS": b"*1\r\n:5\r\n"},
        {"CLUSTER_SHARDS": b"*1\r\n*2\r\n*0\r\n*0\r\n"},
        {"CLUSTER_SHARDS": b"*1\r\n*2\r\n$5\r\nnodes\r\n:5\r\n"},
        {"CLUSTER_SHARDS": b"-ERR no\r\n", "CLUSTER_SLOTS": b"*1\r\n*2\r\n:0\r\n:1\r\n"},
        {
            "CLUSTER_SHARDS": b"-ERR no\r\n",
            "CLUSTER_SLOTS": b"*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n:1\r\n",
        },
        {"CLUSTER_MYID": b"+<b>me</b>\r\n"},
        {"INFO": bulk("rejected_connections:many")},
        {"INFO": bulk("errorstat_MOVED:count=1,2")},
    ],
)
def test_answer_that_means_something_else_is_a_trouble_of_its_path_only(
    trusted: Authority, answers: dict[str, bytes]
) -> None:
    """One node that talks nonsense must not blind the probe for all others."""
    walk, _ = walk_to(trusted, saying(**answers))

    assert (walk.failure, walk.reached) == (Failure.CLOSED, "answer")
    assert walk.detail == "it says what no node of a cluster says"
