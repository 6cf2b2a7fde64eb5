"""`nodeway sandbox check`: what it asks AWS for, what it says, and that it never takes less than a pass for a pass."""

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
"""Asks once, and does not wait."""


@pytest.fixture
def account() -> Sandboxed:
    return Sandboxed()


@pytest.fixture(autouse=True)
def here(nodeway: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the repository, whose cdk.json has a sandbox."""
    del nodeway
    monkeypatch.chdir(ROOT)


def test_passed_check_is_a_table_and_exit_code_0(nodeway: Terminal, account: Sandboxed) -> None:
    account.ready().invocation("Success", json.dumps(passed()))

    said = nodeway(account, "sandbox", "check")

    assert said.code == 0
    for words in (*OWN, *NAMES, "no answer", "10000 of 10000 read as written", "16384"):
        assert words in said.out
    assert "NO" not in re.findall(r"\w+", said.out)
    assert f"waiting for {HOST}" in said.err
    account.all_asked()


def test_json_is_the_whole_result(nodeway: Terminal, account: Sandboxed) -> None:
    account.ready().invocation("Success", f"a line before\n{json.dumps(passed())}\n")

    said = nodeway(account, "sandbox", "check", "--json")

    assert (said.code, said.json) == (0, {"environment": "sandbox", **passed()})


def reached() -> dict[str, Any]:
    """A node answered the client itself."""
    found = passed()
    found["direct"][0] |= {"ok": False, "answer": "connected"}
    return {**found, "ok": False}


def bypassed() -> dict[str, Any]:
    """A name that leads to the node itself."""
    found = passed()
    found["names"][0] |= {"ok": False, "addresses": [OWN[0]], "elsewhere": [OWN[0]]}
    return {**found, "ok": False}


def unverified() -> dict[str, Any]:
    """TLS that was not verified, and a command with a wrong result."""
    found = passed()
    found["exercise"] |= {"ok": False, "tls_verified": False, "tls_problems": ["no TLS"]}
    found["exercise"]["commands"]["scan"] = "wrong result"
    return {**found, "ok": False}


def not_connected() -> dict[str, Any]:
    """No cluster client could be made."""
    return {**passed(), "exercise": {"ok": False, "error": "TimeoutError: late"}, "ok": False}


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (reached, "connected: there is a way around"),
        (bypassed, "not a HAProxy's: 10.71.2.5"),
        (unverified, "wrong result"),
        (not_connected, "TimeoutError: late"),
    ],
)
def test_failed_check_is_told_and_exit_code_1(
    nodeway: Terminal, account: Sandboxed, failed: Callable[[], dict[str, Any]], words: str
) -> None:
    account.ready().invocation("Failed", json.dumps(failed()))

    said = nodeway(account, "sandbox", "check")

    assert said.code == 1
    assert words in said.out
    assert "NO" in re.findall(r"\w+", said.out)


def test_a_pass_of_a_failed_command_is_none(account: Sandboxed) -> None:
    """The program said ok, and Systems Manager did not: something else went wrong."""
    account.ready().invocation("Failed", json.dumps(passed()))

    assert run_check(CONFIG, account, ONCE)["ok"] is False


def test_command_names_the_secret_and_everything_to_look_at(account: Sandboxed) -> None:
    """And it is what the shell can run, to its end or not at all."""
    sent: list[dict[str, Any]] = []
    account.client("ssm").meta.events.register(
        "provide-client-params.ssm.SendCommand", lambda params, **_: sent.append(params)
    )
    account.ready().invocation("Success", json.dumps(passed()))

    run_check(CONFIG, account, ONCE)

    (asked,) = sent
    assert asked["InstanceIds"] == [HOST]
    assert asked["DocumentName"] == "AWS-RunShellScript"
    lines = asked["Parameters"]["commands"]
    assert lines[0] == "set -eu"
    assert f"--secret-id {SECRET})" in "\n".join(lines)
    assert lines[-1] == (
        "exec /opt/nodeway/venv/bin/python -m nodeway.client.check --through 10.71.1.0/24"
        f" --direct {' '.join(sorted(OWN))} --names {' '.join(NAMES)}"
    )


def test_host_that_comes_late_is_waited_for(account: Sandboxed) -> None:
    """Not there, there and not online, online; and a command that Systems Manager does not know at once."""
    account.interfaces(*OWN).registration().registration("ConnectionLost").registration("Online")
    account.takes_the_command()
    account.stubs["ssm"].add_client_error("get_command_invocation", "InvocationDoesNotExist")
    account.invocation("Pending").invocation("InProgress")
    account.invocation("Success", json.dumps(passed()))

    assert run_check(CONFIG, account, Polling(timeout=30, pause=0))["ok"] is True
    account.all_asked()


def test_host_that_never_comes_is_one_line(account: Sandboxed) -> None:
    account.interfaces(*OWN).registration()

    with pytest.raises(CommandError, match=f"{HOST} is not in Systems Manager after 0 s"):
        run_check(CONFIG, account, ONCE)
    account.all_asked()


def test_check_that_does_not_end_is_cancelled(account: Sandboxed) -> None:
    account.ready().invocation("InProgress")
    account.stubs["ssm"].add_response("cancel_command", {}, {"CommandId": SENT})

    with pytest.raises(CommandError, match=f"command {SENT} did not end after 0 s"):
        run_check(CONFIG, account, ONCE)
    account.all_asked()


@pytest.mark.parametrize(
    ("status", "out", "err", "words"),
    [
        ("Failed", "", "the host did not boot\nto its end:", "the host did not boot to its end:"),
        ("TimedOut", "", "", "the check ended as TimedOut without a result: it said nothing"),
        ("Success", "no JSON", "", "the check ended as Success without a result"),
        ("Success", '{"ok": true}', "", "the check ended as Success without a result"),
        ("Success", "[]", "", "the check ended as Success without a result"),
    ],
)
def test_check_without_a_result_is_no_pass(
    account: Sandboxed, status: str, out: str, err: str, words: str
) -> None:
    account.ready().invocation(status, out, err)

    with pytest.raises(CommandError, match=re.escape(words)):
        run_check(CONFIG, account, ONCE)


def test_fewer_interfaces_than_nodes_prove_nothing(account: Sandboxed) -> None:
    account.interfaces(*OWN[:3])

    with pytest.raises(CommandError, match="3 interfaces of nodes, and there are 4 nodes"):
        run_check(CONFIG, account, ONCE)


def test_missing_output_is_one_line(nodeway: Terminal, account: Sandboxed) -> None:
    del account.told["Secret"]
    account.interfaces(*OWN)

    said = nodeway(account, "sandbox", "check")

    assert (said.code, said.err) == (
        1,
        "nodeway: stack nodeway-sandbox-sandbox has no output Secret: deploy it again\n",
    )


def test_sandbox_that_is_not_deployed_is_one_line(account: Sandboxed) -> None:
    cloudformation = account.client("cloudformation")
    account.stubs["cloudformation"].add_client_error(
        "describe_stacks", "ValidationError", "Stack with id nodeway-sandbox-sandbox does not exist"
    )

    class Empty(Sandboxed):
        def outputs(self, stack: str) -> dict[str, str]:
            cloudformation.describe_stacks(StackName=stack)
            return {}

    with pytest.raises(CommandError, match="cdk deploy -c env=sandbox --all"):
        run_check(CONFIG, Empty(), ONCE)


def test_refusal_of_aws_is_one_line(account: Sandboxed) -> None:
    account.interfaces(*OWN).registration("Online")
    account.stubs["ssm"].add_client_error("send_command", "AccessDeniedException", "not\nallowed")

    with pytest.raises(CommandError, match=r"the check cannot be run: .*not allowed"):
        run_check(CONFIG, account, ONCE)


def test_environment_that_is_no_sandbox_is_one_line(nodeway: Terminal, account: Sandboxed) -> None:
    said = nodeway(account, "sandbox", "check", "--env", "dev")

    assert (said.code, said.err) == (
        1,
        "nodeway: dev is no sandbox: its block in cdk.json has no key `sandbox`\n",
    )


def test_unknown_environment_is_one_line(nodeway: Terminal, account: Sandboxed) -> None:
    said = nodeway(account, "sandbox", "check", "--env", "sandbx")

    assert said.code == 1
    assert "did you mean 'sandbox'?" in said.err
