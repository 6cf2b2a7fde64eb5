"""From what a client program says to the verdict on its cells: nothing that is broken may look like a pass."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.conformance import __main__ as command
from lab.conformance.report import report
from lab.conformance.report.report import extract_facts, judge_facts
from lab.conformance.run import programs
from lab.conformance.suite import manifest
from lab.conformance.suite.behaviours import BEHAVIOURS, COMMANDS, EVENTS
from lab.conformance.suite.manifest import Client, read_client
from lab.conformance.suite.observe import (
    DETAIL_CHARACTERS,
    Ended,
    expect_refusal,
    find_error_line,
    observe,
)
from lab.conformance.suite.verdicts import (
    ENVOY_LIMITS,
    Cell,
    Expectation,
    Observation,
    Outcome,
    judge,
)
from lab.deployment.modes import AccessMode
from lab.errors import LabError

SECRET = "the-password"
KNOWN = Expectation(by="Envoy", reason="Envoy knows no SCAN", match="unsupported command")
PASSED = Observation(passed=True)
UNSUPPORTED = Observation(passed=False, detail="ERR unsupported command 'scan'")


def line(behaviour: str, outcome: str = "pass", detail: str = "") -> str:
    return json.dumps({"behaviour": behaviour, "outcome": outcome, "detail": detail})


def ended(*lines: str, stderr: str = "", exit_code: int | None = 0) -> Ended:
    return Ended("\n".join(lines), stderr, exit_code, 30.0)


def a_client(**more: object) -> Client:
    return Client.model_validate(
        {"directory": "one", "language": "Go", "version": "1.0", "run": ["./one"], "snippets": {}}
        | more
    )


@pytest.mark.parametrize(
    ("seen", "expected", "option", "cell"),
    [
        (PASSED, None, "", Cell(Outcome.PASS)),
        (PASSED, None, "protocol=2", Cell(Outcome.PASS_WITH_OPTION, reason="protocol=2")),
        (PASSED, KNOWN, "protocol=2", Outcome.UNEXPECTED_PASS),
        (
            UNSUPPORTED,
            KNOWN,
            "",
            Cell(Outcome.EXPECTED_FAIL, UNSUPPORTED.detail, KNOWN.reason, KNOWN.by),
        ),
        (UNSUPPORTED, None, "", Outcome.FAILED),
        (Observation(passed=False, detail="no answer in 20 s"), KNOWN, "", Outcome.FAILED),
        (None, KNOWN, "", Outcome.FAILED),
        (replace(UNSUPPORTED, broken=True), KNOWN, "", Outcome.FAILED),
    ],
)
def test_verdict(
    seen: Observation | None, expected: Expectation | None, option: str, cell: Cell | Outcome
) -> None:
    """A known fail says whose limit it is and why, a pass with an option names it."""
    found = judge(seen, expected, option)

    assert (found if isinstance(cell, Cell) else found.outcome) == cell


def test_what_a_program_says_is_what_was_seen() -> None:
    seen = observe(("scan", "blpop"), ended(line("scan"), line("blpop", "fail", "boom")), SECRET)

    assert seen == {"scan": PASSED, "blpop": Observation(passed=False, detail="boom")}


@pytest.mark.parametrize(
    ("how", "detail"),
    [
        (ended(), "the program said nothing of it"),
        (ended(line("blpop")), "the program said nothing of it"),
        (
            ended(line("scan"), exit_code=3, stderr="a\npanic: boom\n\n"),
            "ended with 3 and said: panic: boom",
        ),
        (ended(exit_code=-11), "ended with -11 and said: nothing"),
        (ended(line("scan"), exit_code=None), "no answer in 30 s"),
        (ended(exit_code=None), "no answer in 30 s"),
        (ended(line("scan"), "Segmentation fault"), "not in the contract: Segmentation fault"),
        (ended(line("scan"), "[1, 2]"), "not in the contract: [1, 2]"),
        (ended(line("scan"), '{"behaviour": "blpop"}'), "not in the contract"),
        (ended(line("scan"), line("scan")), "not in the contract"),
        (ended(line("scan"), line("unheard_of")), "not in the contract"),
        (ended(line("scan", "maybe")), "not in the contract"),
        (ended(line("scan", detail=SECRET)), "the program printed the password"),
        (ended(line("scan", "fail", SECRET)), "the program printed the password"),
        (ended(line("scan"), stderr=f"login with {SECRET}"), "the program printed the password"),
    ],
)
def test_a_broken_program_passes_nothing(how: Ended, detail: str) -> None:
    """Whatever it says of itself."""
    seen = observe(("scan", "blpop"), how, SECRET)["scan"]

    assert (seen.passed, seen.broken) == (False, True)
    assert detail in seen.detail
    assert SECRET not in seen.detail


def test_a_fail_keeps_its_own_words_in_one_line_of_bearable_length() -> None:
    """Also when the program breaks later."""
    how = ended(line("scan", "fail", "x\n" * 999), exit_code=2)

    assert (
        observe(("scan",), how, SECRET)["scan"].detail == "x " * (DETAIL_CHARACTERS // 2 - 1) + "x…"
    )


def test_who_connects_with_what_is_wrong_has_failed() -> None:
    assert not expect_refusal(PASSED).passed
    assert expect_refusal(UNSUPPORTED).passed


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        ("", "nothing"),
        ("starting\n\n", "starting"),
        ("Traceback\n  raise X\nValueError: boom\n", "ValueError: boom"),
        ("panic: boom\n\ngoroutine 1 [running]:\nmain.go:12\n", "panic: boom"),
        ("Error: boom\n    at check.mjs:3\n\nNode.js v24.19.0\n", "Error: boom"),
        (
            "Exception in thread main\nCaused by: NoRouteException: boom\n\tat A.b\n",
            "Caused by: NoRouteException: boom",
        ),
    ],
)
def test_a_programs_last_words_are_those_about_its_end(stderr: str, words: str) -> None:
    assert find_error_line(stderr) == words


def test_what_did_not_end_is_a_fail_and_what_was_not_run_is_none() -> None:
    one, other = a_client(), a_client(directory="other")

    found = report.judge_cells(
        [AccessMode.PER_NODE], [one, other], {"other": "needs go on PATH"}, {}
    )

    assert {cell.outcome for key, cell in found.items() if key[1] == "one"} == {Outcome.FAILED}
    assert {cell.outcome for key, cell in found.items() if key[1] == "other"} == {Outcome.NOT_RUN}
    assert len(found) == 2 * len(BEHAVIOURS)
    assert not report.is_good(found)


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        ([Outcome.PASS, Outcome.EXPECTED_FAIL, Outcome.PASS_WITH_OPTION], True),
        ([Outcome.PASS, Outcome.NOT_RUN], True),
        ([Outcome.NOT_RUN, Outcome.NOT_RUN], False),
        ([Outcome.PASS, Outcome.FAILED], False),
        ([Outcome.PASS, Outcome.UNEXPECTED_PASS], False),
    ],
)
def test_a_run_is_good_when_what_was_run_is_as_expected(
    outcomes: list[Outcome], *, good: bool
) -> None:
    found = {("per-node", str(n), "scan"): Cell(one) for n, one in enumerate(outcomes)}

    assert report.is_good(found) is good


def test_the_clients_own_expectation_comes_before_that_of_all_clients() -> None:
    own = {"by": "client", "reason": "own", "match": ""}
    client = a_client(
        expected={
            "per-node": {"evalsha": own},
            "envoy": {"blpop": "not known"},
            "envoy-resp2": {"scan": own},
            "envoy-resp3": {"*": own},
        }
    )

    def reason(mode: AccessMode, behaviour: str) -> str | None:
        known = client.expectation(mode, behaviour)
        return f"{known.reason}, {known.match}" if known else None

    limit = ENVOY_LIMITS["pubsub"]
    assert reason(AccessMode.ENVOY_RESP2, "scan") == "own, "
    assert reason(AccessMode.ENVOY_RESP2, "blpop") == f"{ENVOY_LIMITS['blpop'].reason}, not known"
    assert reason(AccessMode.ENVOY_RESP2, "pubsub") == f"{limit.reason}, {limit.match}"
    assert reason(AccessMode.ENVOY_RESP2, "failover") is None
    assert reason(AccessMode.ENVOY_RESP3, "failover") == "own, "
    assert reason(AccessMode.PER_NODE, "evalsha") == reason(AccessMode.SHARED, "evalsha") == "own, "
    assert reason(AccessMode.PER_NODE, "scan") is None


def test_facts_are_judged_as_the_report_was_until_something_else_is_expected() -> None:
    client = a_client(options={"envoy-resp2": "protocol=2"})
    refused = Observation(passed=False, detail="NOPROTO")
    seen = (
        {("envoy-resp2", "one", name): PASSED for name in BEHAVIOURS}
        | {("envoy-resp3", "one", name): refused for name in BEHAVIOURS}
        | {
            ("envoy-resp2", "one", name): Observation(passed=False, detail=detail)
            for name, detail in (
                ("scan", "SCAN found 3 of 9 keys"),
                ("blpop", "unknown command 'BLPOP'"),
            )
        }
    )
    cells = report.judge_cells([AccessMode.ENVOY_RESP2, AccessMode.ENVOY_RESP3], [client], {}, seen)
    facts = extract_facts(report.make_report(cells, [client], {"haproxy": "2.8"}))

    def outcomes(client: Client) -> dict[report.Key, Outcome]:
        return {key: cell.outcome for key, cell in judge_facts(facts, [client]).items()}

    assert facts["failed"]["envoy-resp3"] == {"one": {"*": "NOPROTO"}}
    assert facts["failed"]["envoy-resp2"]["one"].keys() == {"scan", "blpop"}
    assert outcomes(client)["envoy-resp2", "one", "scan"] is Outcome.EXPECTED_FAIL
    without = outcomes(client.model_copy(update={"options": {}}))
    assert without["envoy-resp2", "one", "connect"] is Outcome.PASS
    assert judge_facts(facts, []) == {}
    assert outcomes(client) == {key: cell.outcome for key, cell in cells.items()}


def test_facts_of_other_behaviours_are_refused() -> None:
    facts = {"behaviours": ["connect"], "clients": {}, "failed": {}, "not_run": {}}

    with pytest.raises(LabError, match="run make conformance"):
        judge_facts(facts, [])


def test_every_behaviour_has_a_title_and_a_meaning() -> None:
    assert len({one.title for one in BEHAVIOURS.values()}) == len(BEHAVIOURS)
    assert {*COMMANDS, *EVENTS, *ENVOY_LIMITS} < set(BEHAVIOURS)


def test_a_run_tells_what_is_behind_each_cell_that_is_not_as_expected() -> None:
    cells = {
        ("per-node", "one", "scan"): Cell(Outcome.FAILED, "[boom]"),
        ("per-node", "one", "blpop"): Cell(Outcome.EXPECTED_FAIL, "boom", by="Envoy"),
        ("per-node", "other", "scan"): Cell(Outcome.NOT_RUN, "needs go on PATH"),
    }

    assert list(report.describe_unexpected(cells)) == [
        "per-node: one: SCAN: FAILED: [boom]",
        "other: not run: needs go on PATH",
    ]


@pytest.mark.parametrize(
    ("text", "said"), [('{"version": "1"}', "language: Field required"), ("{", "no JSON")]
)
def test_a_wrong_client_json_is_one_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.layout.ROOT", tmp_path)
    path = tmp_path / "client.json"
    path.write_text(text)

    with pytest.raises(LabError, match=rf"client\.json: {said}"):
        read_client(path)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"needs": ["no-such-compiler"]}, "needs no-such-compiler on PATH"),
        (
            {"build": [["sh", "-c", "echo fetching; echo 'registry: no route' >&2; exit 3"]]},
            "could not be built: registry: no route",
        ),
        ({"build": [["./no-such-program"]]}, "could not be built: [Errno 2]"),
        ({"build": [["sh", "-c", "test -d {build}"]]}, ""),
        ({}, ""),
    ],
)
def test_what_cannot_be_built_is_not_run_and_says_why(
    more: dict[str, object], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "BUILDS", tmp_path / "builds")
    monkeypatch.setattr(programs, "BUILDS", tmp_path / "builds")
    client = a_client(directory=tmp_path, **more)

    said = programs.build(client, lambda _: None)

    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_an_unknown_client_or_way_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before any is built."""
    assert command.main(["--client", "jredis"]) == 1
    assert re.search("no client 'jredis'; there are .*redis-py", capsys.readouterr().err)
    assert command.main(["--way", "direct"]) == 1
    assert "no way 'direct'; there are per-node" in capsys.readouterr().err
