"""The function in a client's VPC, over a node on 127.0.0.1: what it keeps, what it forgets, and what it never tells."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from nodeway_runtime.functions.prober import NO_CREDENTIALS, WarmState, handle, run_once
from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.topology import Address
from nodeway_runtime.paths.targets import BadTargets
from nodeway_runtime.probe.settings import ProberSettings
from nodeway_runtime.probe.walker import Walker
from tests.adapters.conftest import lambda_context
from tests.support.fakes import ONE, ZONE, named
from tests.support.probing import SECRET, targets, task_at
from tests.support.programs.loopback import Request, loopback
from tests.support.programs.resp_node import (
    ANSWERS,
    NAMES,
    Authority,
    Node,
    Talk,
    authority,
    bulk,
    node,
)

ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:probe-a1B2c3"
SETTINGS = ProberSettings(ZONE, 6379, "vpc-1", "demo", login_secret_arn=ARN)
MAP = targets(
    ONE, records={named(ONE): (Address("127.0.0.1"),)}, proxies=(task_at(ONE, "127.0.0.1"),)
).document()


@dataclass(slots=True)
class Vault:
    """Secrets Manager with one secret that may be rotated; it counts who asks."""

    password: str = SECRET
    asked: int = 0

    def __call__(self, request: Request) -> tuple[int, bytes]:
        """GetSecretValue."""
        assert request.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        self.asked += 1
        told = json.dumps({"username": "probe", "password": self.password})
        return 200, json.dumps({"ARN": ARN, "SecretString": told}).encode()


@dataclass(slots=True)
class Client:
    """A client's VPC: the function in it with what it keeps, its node, and its vault."""

    authority: Authority
    node: Node
    vault: Vault
    answers: dict[str, bytes]
    kept: WarmState = field(default_factory=WarmState)

    def run(
        self, *, keep: bool = True, settings: ProberSettings = SETTINGS, left: int = 60_000
    ) -> dict[str, Any]:
        """One invocation."""

        def make(_: int, *, login: Any) -> Walker:  # noqa: ANN401 (whom it logs in as)
            return self.authority.walker(self.node.port, login=login)

        event = {"map": MAP, "keep": keep}
        return run_once(event, lambda_context(left), settings, self.kept, make)

    def verdict(self, **more: Any) -> str:  # noqa: ANN401 (as of run)
        """Of its only row."""
        (row,) = self.run(**more)["rows"]
        return str(row["verdict"])


@pytest.fixture
def client(
    fake_aws: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """All of it in order."""
    trusted, vault, answers = authority(tmp_path_factory.mktemp("ca")), Vault(), dict(ANSWERS)

    def talk(here: Node) -> Talk:
        return here.answering(answers)

    with loopback(vault) as secrets, node(trusted.signed(NAMES), talk) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url)
        yield Client(trusted, here, vault, answers)


def test_run_answers_with_a_report_of_its_own_depth(client: Client) -> None:
    told = client.run()

    (row,) = told["rows"]
    assert (told["client"], told["depth"], told["notes"]) == ("vpc-1", "identity", ())
    assert (row["verdict"], row["role"]) == ("ok", "primary")
    assert row["paths"][0]["reached"] == "identity"
    assert client.node.got[0] == ("AUTH", "probe", SECRET)
    assert json.dumps(told)


def test_login_that_was_rotated_is_the_next_run_s(client: Client) -> None:
    """It is read anew each time, also by a process that has run for hours, and is in no memory between."""
    client.answers["AUTH"] = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
    assert client.verdict() == "wrong_password"

    client.answers["AUTH"] = b"+OK\r\n"
    client.vault.password = "rotated"
    assert client.verdict() == "ok"

    assert client.vault.asked == 2
    assert [one for one in client.node.got if one[0] == "AUTH"] == [
        ("AUTH", "probe", SECRET),
        ("AUTH", "probe", "rotated"),
    ]


def test_without_a_login_the_walk_goes_as_far_as_an_answer(
    client: Client, fake_aws: pytest.MonkeyPatch
) -> None:
    """And says what is in the way."""
    with loopback(lambda _: (400, b'{"__type":"AccessDeniedException"}')) as refusing:
        fake_aws.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", refusing.url)
        told = client.run()

    assert (told["depth"], told["rows"][0]["verdict"]) == ("answer", "ok")
    assert told["notes"] == ("Secrets Manager refuses the probe's secret: AccessDeniedException",)
    assert client.node.got == [("PING",)]

    bare = client.run(settings=replace(SETTINGS, login_secret_arn=""))
    assert (bare["depth"], bare["notes"], client.vault.asked) == ("answer", (NO_CREDENTIALS,), 0)


def moved(client: Client, count: int, *, keep: bool) -> int | None:
    """What a run says of redirects when the node has counted so many."""
    client.answers["INFO"] = bulk(f"run_id:r1\r\nrole:master\r\nerrorstat_MOVED:count={count}\r\n")
    found: int | None = client.run(keep=keep)["rows"][0]["moved"]
    return found


def test_run_that_is_only_shown_leaves_the_next_one_what_to_compare_with(client: Client) -> None:
    """Else what happened before a person looked at the map would be in no metric."""
    runs = ((3, True), (5, False), (6, False), (9, True))

    assert [moved(client, count, keep=keep) for count, keep in runs] == [None, 2, 3, 6]


@pytest.mark.parametrize(("left", "seconds"), [(60_000, 50), (9_000, 1), (70, 1)])
def test_run_ends_before_the_function_s_own_time(client: Client, left: int, seconds: float) -> None:
    client.run(left=left)

    assert client.kept.probe is not None
    assert client.kept.probe.seconds == seconds


@pytest.mark.parametrize("event", [{}, {"map": None}, {"map": []}, {"map": "all"}, {"keep": True}])
def test_event_without_a_map_walks_nothing(client: Client, event: dict[str, Any]) -> None:
    with pytest.raises(BadTargets):
        run_once(event, lambda_context(), SETTINGS, client.kept)

    assert (client.vault.asked, client.node.got) == (0, [])


def test_handle_reads_its_environment(fake_aws: pytest.MonkeyPatch) -> None:
    """And walks with this host's own resolver: a zone that nobody has."""
    variables = {"ZONE_NAME": "zone.invalid", "PORT": "6379", "CLIENT": "vpc-1"}
    for name, value in variables.items():
        fake_aws.setenv(name, value)
    fake_aws.delenv("REPLICATION_GROUP_ID", raising=False)
    event = {"map": {**MAP, "names": ["a.zone.invalid"]}}
    with pytest.raises(BadSettings, match="REPLICATION_GROUP_ID is missing"):
        handle(event, lambda_context())

    fake_aws.setenv("REPLICATION_GROUP_ID", "demo")
    told = handle(event, lambda_context())

    assert (told["zone"], told["client"], told["worst"]) == ("zone.invalid", "vpc-1", "broken")


TELLTALES = [
    f"-WRONGPASS no '{SECRET}'",
    f"-ERR unknown command 'AUTH', with args beginning with: 'probe' '{SECRET}' ",
    f"-{SECRET}",
    f"{SECRET}",
]


@pytest.mark.parametrize("command", ["AUTH", "PING", "CLUSTER MYID", "INFO", "CLUSTER SHARDS"])
@pytest.mark.parametrize("words", TELLTALES)
def test_password_is_in_no_report_whatever_a_node_repeats(
    client: Client, capfd: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    """Nor in what the process keeps, nor in its log."""
    client.answers[command] = f"{words}\r\n".encode()

    told = client.run()

    assert told["worst"] != "ok"
    assert ("AUTH", "probe", SECRET) in client.node.got
    assert SECRET[:8] not in json.dumps(told)
    assert SECRET[:8] not in repr(client.kept)
    assert SECRET[:8] not in "".join(capfd.readouterr())
