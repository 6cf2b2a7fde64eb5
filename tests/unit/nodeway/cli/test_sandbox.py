"""`nodeway sandbox check`: its calls of AWS, its table and its errors."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from lab.layout import ROOT
from nodeway.cli.sandbox import Polling, run_check
from nodeway.errors import CommandError
from tests.support.sandboxed import CONFIG, HOST, NAMES, OWN, SECRET, SENT, Sandboxed, passed
from tests.support.terminal import Terminal

ONCE = Polling(timeout=0, pause=0)
"""One poll without a pause."""


@pytest.fixture
def account() -> Sandboxed:
    return Sandboxed()


@pytest.fixture(autouse=True)
def here(nodeway: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in the repository, of which the cdk.json has a sandbox."""
    del nodeway
    monkeypatch.chdir(ROOT)


def test_passed_check_is_a_table_and_exit_code_0(nodeway: Terminal, account: Sandboxed) -> None:
    account.ready().invocation("Success", json.dumps(passed()))

    said = nodeway(account, "sandbox", "check")

    assert said.code == 0
    for text in (*OWN, *NAMES, "no answer", "10000 of 10000 read as written", "16384"):
        assert text in said.out
    assert "NO" not in re.findall(r"\w+", said.out)
    assert f"waiting for {HOST}" in said.err
    account.all_asked()


def test_json_is_the_whole_result(nodeway: Terminal, account: Sandboxed) -> None:
    account.ready().invocation("Success", f"a line before\n{json.dumps(passed())}\n")

    said = nodeway(account, "sandbox", "check", "--json")

    assert (said.code, said.json) == (0, {"environment": "sandbox", **passed()})


DIRECT, NAME, EXERCISE = passed()["direct"], passed()["names"], passed()["exercise"]


@pytest.mark.parametrize(
    ("failed", "text"),
    [
        (
            {"direct": [{**DIRECT[0], "ok": False, "answer": "connected"}, *DIRECT[1:]]},
            "connected: the proxy is bypassed",
        ),
        (
            {"names": [{**NAME[0], "ok": False, "elsewhere": [OWN[0]]}, *NAME[1:]]},
            "not a HAProxy's: 10.71.2.5",
        ),
        (
            {"exercise": {**EXERCISE, "tls_verified": False, "tls_problems": ["no TLS"]}},
            "no TLS",
        ),
        ({"exercise": {**EXERCISE, "commands": {"scan": "wrong result"}}}, "wrong result"),
        ({"exercise": {"ok": False, "error": "TimeoutError: late"}}, "TimeoutError: late"),
    ],
    ids=["node reached", "name of a node", "TLS", "command", "no connection"],
)
def test_failed_check_is_in_the_table_with_exit_code_1(
    nodeway: Terminal, account: Sandboxed, failed: dict[str, Any], text: str
) -> None:
    account.ready().invocation("Failed", json.dumps({**passed(), **failed, "ok": False}))

    said = nodeway(account, "sandbox", "check")

    assert said.code == 1
    assert text in said.out
    assert "NO" in re.findall(r"\w+", said.out)


def test_passed_result_of_a_failed_command_is_a_failure(account: Sandboxed) -> None:
    account.ready().invocation("Failed", json.dumps(passed()))

    assert run_check(CONFIG, account, ONCE)["ok"] is False


def test_command_has_the_secret_s_arn_and_the_nodes(account: Sandboxed) -> None:
    requests: list[dict[str, Any]] = []
    account.client("ssm").meta.events.register(
        "provide-client-params.ssm.SendCommand", lambda params, **_: requests.append(params)
    )
    account.ready().invocation("Success", json.dumps(passed()))

    run_check(CONFIG, account, ONCE)

    (request,) = requests
    assert request["InstanceIds"] == [HOST]
    assert request["DocumentName"] == "AWS-RunShellScript"
    lines = request["Parameters"]["commands"]
    assert lines[0] == "set -eu"
    assert f"--secret-id {SECRET})" in "\n".join(lines)
    assert lines[-1] == (
        "exec /opt/nodeway/venv/bin/python -m nodeway.client.check --through 10.71.1.0/24"
        f" --direct {' '.join(sorted(OWN))} --names {' '.join(NAMES)}"
    )


def test_host_and_command_are_polled(account: Sandboxed) -> None:
    """The host is unknown, then offline, then online. The invocation does not exist at first."""
    account.interfaces(*OWN).registration().registration("ConnectionLost").registration("Online")
    account.takes_the_command()
    account.refuses("ssm", "get_command_invocation", "InvocationDoesNotExist")
    account.invocation("Pending").invocation("InProgress")
    account.invocation("Success", json.dumps(passed()))

    assert run_check(CONFIG, account, Polling(timeout=30, pause=0))["ok"] is True
    account.all_asked()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda it: it.interfaces(*OWN[:3]), "3 interfaces of 4 nodes"),
        (
            lambda it: it.interfaces(*OWN).registration(),
            f"{HOST} is not in Systems Manager after 0 s",
        ),
        (
            lambda it: (
                it.interfaces(*OWN)
                .registration("Online")
                .refuses("ssm", "send_command", "AccessDeniedException", "not\nallowed")
            ),
            "not allowed",
        ),
        (
            lambda it: (
                it.ready()
                .invocation("InProgress")
                .answers("ssm", "cancel_command", {}, CommandId=SENT)
            ),
            f"command {SENT} did not end after 0 s",
        ),
        (
            lambda it: it.ready().invocation("Failed", "", "the host did\nnot boot"),
            "the host did not boot",
        ),
        (
            lambda it: it.ready().invocation("TimedOut"),
            "the check ended as TimedOut without a result: no output",
        ),
        *(
            (
                lambda it, out=out: it.ready().invocation("Success", out),
                "the check ended as Success without a result",
            )
            for out in ("no JSON", '{"ok": true}', "[]")
        ),
    ],
)
def test_check_that_cannot_be_done_is_one_line(
    account: Sandboxed, prepare: Callable[[Sandboxed], object], message: str
) -> None:
    prepare(account)

    with pytest.raises(CommandError, match=re.escape(message)):
        run_check(CONFIG, account, ONCE)
    account.all_asked()


def test_sandbox_that_is_not_deployed_is_one_line(account: Sandboxed) -> None:
    text = "Stack with id nodeway-sandbox-sandbox does not exist"
    account.refuses("cloudformation", "describe_stacks", "ValidationError", text)

    class Empty(Sandboxed):
        def outputs(self, stack: str) -> dict[str, str]:
            account.client("cloudformation").describe_stacks(StackName=stack)
            return {}

    with pytest.raises(CommandError, match="cdk deploy -c env=sandbox --all"):
        run_check(CONFIG, Empty(), ONCE)


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ("sandbox", "stack nodeway-sandbox-sandbox has no output Secret: deploy it again"),
        ("dev", "dev is no sandbox: its block in cdk.json has no key `sandbox`"),
    ],
)
def test_error_is_one_line(nodeway: Terminal, account: Sandboxed, env: str, line: str) -> None:
    del account.told["Secret"]
    account.interfaces(*OWN)

    said = nodeway(account, "sandbox", "check", "--env", env)

    assert (said.code, said.err) == (1, f"nodeway: {line}\n")
